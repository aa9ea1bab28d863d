"""Texts over real SIP: the airline answers them on the same flows as calls, and one person's calls and texts are one thread."""

from __future__ import annotations

import pytest
from callers import (
    AFTER,
    BEFORE,
    BOOKING,
    CHANGE,
    ISABELLA,
    TEXTS,
    Bookings,
    Listener,
    ask,
    flights,
    greeted,
    newest_call,
    until,
    wanted_words,
)

from ccaas.ports.reasoning import NOT_KEPT
from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

STRANGER = "+16145550177"
"""A number that the airline does not know."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def text(ua: SipCaller, words: str) -> str:
    """Send a text as Isabella; the answer."""
    assert await ua.write(TEXTS, words, from_number=ISABELLA) in (200, 202)
    return (await ua.text(20)).text


def facts(site: Installation, conversation: str) -> list[tuple[str, str, str, str]]:
    rows = site.rows(
        "SELECT kind, channel, source, text FROM facts WHERE conversation_id = ? ORDER BY at, rowid",
        conversation,
        file="journey.sqlite",
    )
    return [(row["kind"], row["channel"], row["source"], row["text"]) for row in rows]


async def test_a_flight_is_changed_by_text_and_once(site: Installation, ua: SipCaller, bookings: Bookings) -> None:
    assert flights(site) == BEFORE
    asked = await text(ua, "I'd like to change my flight from Boston to Seattle to Thursday.")
    assert "date of birth" in asked
    offered = await text(ua, "May 25, 1984")
    assert "change" in offered.lower()
    assert flights(site) == BEFORE
    done = await text(ua, "Yes, that's right.")
    assert "tomorrow" in done.lower()
    assert flights(site) == AFTER
    conversation = site.rows("SELECT conversation_id FROM conversations ORDER BY began DESC LIMIT 1")[0][
        "conversation_id"
    ]
    said = await until(
        lambda: (found := facts(site, conversation)) and sum(by == "agent" for _, _, by, _ in found) == 3 and found,
        "the journey is told",
    )
    assert [kind for kind, *_ in said].count("done") == 1
    assert ("contacted", "sms", "customer", "Wrote by sms.") in said
    assert await text(ua, "Goodbye.")


async def test_a_text_during_the_call_is_answered_in_the_call(
    site: Installation, ua: SipCaller, listener: Listener
) -> None:
    call = await greeted(ua, caller=STRANGER)
    await ask(call, CHANGE)  # which is answered by a question for the reservation's code
    assert await ua.write(TEXTS, BOOKING, from_number=STRANGER) in (200, 202)
    call_id = newest_call(site)["call_id"]
    turn = await until(
        lambda: [
            row["record"]
            for row in site.rows("SELECT record FROM turns WHERE call_id = ?", call_id)
            if '"channel":"sms"' in row["record"] and '"over":true' in row["record"]
        ],
        "the text is a turn of the call",
        30,
    )
    assert '"intent":"give_code"' in turn[0]
    assert NOT_KEPT in turn[0], "it tells who the caller is, and is kept nowhere"
    assert BOOKING not in turn[0]
    await call.hang_up()
    await call.wait_ended()
    heard = wanted_words(await listener.heard(call.stereo()))
    assert "sent me a message" in heard
    found = await until(
        lambda: (rows := facts(site, call_id)) and any("ended" in row[3] for row in rows) and rows,
        "the journey is told",
    )
    assert ("said", "sms", "customer", NOT_KEPT) in found
    with pytest.raises(TimeoutError):
        await ua.text(1.0)  # nothing is sent beside what was said
