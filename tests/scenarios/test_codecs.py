"""The same beginning of a call in each codec of the telephone network."""

from __future__ import annotations

import json

import pytest
from callers import CHANGE, Listener, asked, greeted, newest_call, nothing_left, until, wanted_words

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("codec", "ours", "stranger"),
    [("PCMU", "ulaw", "+12025550141"), ("PCMA", "alaw", "+12025550142"), ("G722", "g722", "+12025550143")],
)
async def test_both_understand_each_other(
    site: Installation, ua: SipCaller, listener: Listener, codec: str, ours: str, stranger: str
) -> None:
    call = await greeted(ua, caller=stranger, codec=codec)
    answered = await asked(call, CHANGE)
    await call.hang_up()

    greeting = wanted_words(await listener.heard(call.stereo(), until=answered - 0.1))
    # A caller who has called before is asked about what was left open.
    assert "how can i help" in greeting or "are you calling" in greeting
    await until(lambda: nothing_left(site), "the call left nothing behind")
    call_id = newest_call(site)["call_id"]
    (offered,) = site.rows("SELECT event FROM transitions WHERE call_id = ? AND seq = 0", call_id)
    assert json.loads(offered["event"])["codec"] == ours
    (turn,) = site.rows("SELECT record FROM turns WHERE call_id = ? AND turn_id = 't1'", call_id)
    assert "Boston to Seattle" in json.loads(turn["record"])["caller_text"]
