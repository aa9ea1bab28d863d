"""Calls that we place."""

from __future__ import annotations

import pytest
from callers import CHANGE, Listener, asked, newest_call, nothing_left, until, wanted_words

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = {"endpoint": "PJSIP/6002", "entry": "airline", "caller_id": "+18005550100"}


async def test_who_answers_is_greeted_and_understood(site: Installation, ua: SipCaller, listener: Listener) -> None:
    await ua.register("6002", "secret-6002")
    call_id = (await site.ask("POST", "/calls", CALL))["id"]
    call = await ua.incoming()
    await call.hear(await call.answer())
    answer = await asked(call, CHANGE)
    await call.hang_up()

    heard = wanted_words(await listener.heard(call.stereo(), until=answer))
    assert "how can i help" in heard
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert (newest_call(site)["call_id"], newest_call(site)["end_reason"]) == (call_id, "hung_up")


async def test_a_busy_phone_ends_the_call(site: Installation, ua: SipCaller) -> None:
    await ua.register("6002", "secret-6002")
    call_id = (await site.ask("POST", "/calls", CALL))["id"]
    (await ua.incoming()).refuse()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert (newest_call(site)["call_id"], newest_call(site)["end_reason"]) == (call_id, "busy")


async def test_a_phone_that_is_not_there_is_told_at_once(site: Installation, ua: SipCaller) -> None:
    with pytest.raises(AssertionError, match="502"):
        await site.ask("POST", "/calls", CALL | {"endpoint": "PJSIP/6001"})
    await until(lambda: nothing_left(site), "the call left nothing behind")
    assert newest_call(site)["end_reason"] == "unreachable"
