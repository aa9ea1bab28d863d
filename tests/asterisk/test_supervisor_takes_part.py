"""A supervisor listens, whispers and barges in: three SIP callers, and what each of them heard in each mode."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest_asyncio
from callers import CHANGE, EXAMPLE, HOURS, PERSON, SPEECH, listening, wanted_words

from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.ports.contact import Supervision
from ccaas.ports.media import MediaStream
from ccaas.telephony.desk import Attendant, HangUp, Next, Refused, Target, TransferTo
from ccaas.telephony.events import EndReason, Offered, TelephonyEvent
from ccaas.telephony.supervisor import Supervisor
from ccaas.testing.asterisk import RunningAsterisk
from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.watch import until

COLLEAGUE, BOSS = "PJSIP/6001", "PJSIP/6002"
SAID = {"caller": (CHANGE, "boston to seattle"), "colleague": (HOURS, "christmas"), "boss": (PERSON, "to a person")}
"""What each of the three says, and words of it."""
HEARD = {
    Supervision.LISTEN: {"caller": {"colleague"}, "colleague": {"caller"}, "boss": {"caller", "colleague"}},
    Supervision.WHISPER: {"caller": {"colleague"}, "colleague": {"caller", "boss"}, "boss": {"caller", "colleague"}},
    Supervision.BARGE: {
        "caller": {"colleague", "boss"},
        "colleague": {"caller", "boss"},
        "boss": {"caller", "colleague"},
    },
}


class ToTheColleague:
    """Sends every caller to the colleague."""

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        return HangUp() if reason else TransferTo("colleague")

    def target(self, name: str) -> Target:
        return Target(COLLEAGUE, 10.0, "1000")

    def place(self, name: str) -> None:
        """No destination is a queue."""

    def kept_place(self) -> None:
        """Nor was the caller in one."""

    def key(self, digit: str) -> None: ...

    def hold(self, held: bool) -> None: ...

    async def leave(self) -> None: ...

    async def finish(self, reason: EndReason, cause: int) -> None: ...


class Reception:
    async def welcome(self, call_id: str, offer: Offered) -> Attendant | Refused:
        return ToTheColleague()

    def happened(self, call_id: str, event: TelephonyEvent) -> None: ...

    def ended(self, call_id: str, reason: EndReason, cause: int) -> None: ...


@pytest_asyncio.fixture
async def supervisor(asterisk: RunningAsterisk) -> AsyncIterator[Supervisor]:
    """All calls, which leave nothing behind."""
    switch = AsteriskSwitch(asterisk.access)
    await switch.open()
    supervisor = Supervisor(switch, Reception(), {})
    running = asyncio.create_task(supervisor.run())
    yield supervisor
    left = await switch.bridges()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await switch.close()
    assert left == ()


async def test_what_everybody_hears(asterisk: RunningAsterisk, supervisor: Supervisor) -> None:
    port = asterisk.settings.sip.udp
    async with (
        SipCaller("127.0.0.1", port) as ua,
        SipCaller("127.0.0.1", port) as desk,
        SipCaller("127.0.0.1", port) as office,
    ):
        await desk.register("6001", asterisk.password("6001"))
        await office.register("6002", asterisk.password("6002"))
        caller = await ua.dial("1000")
        colleague = await desk.incoming()
        await colleague.answer()
        await until(lambda: [call.state.value for call in supervisor.calls] == ["connected"], "the two are connected")
        (call,) = supervisor.calls
        await supervisor.supervise(call.id, BOSS, Supervision.LISTEN)
        boss = await office.incoming()
        await boss.answer()
        people = {"caller": caller, "colleague": colleague, "boss": boss}
        spans = {}
        for mode in Supervision:
            await supervisor.supervise(call.id, BOSS, mode)
            await _only(asterisk, 4)
            spans[mode] = await _everybody_speaks(people)
        await boss.hang_up()
        await _only(asterisk, 2)
        assert call.state.value == "connected"
        await supervisor.supervise(call.id, BOSS, Supervision.LISTEN)
        again = await office.incoming()
        await again.answer()
        await _only(asterisk, 4)
        await caller.hang_up()
        await again.wait_ended()
        await colleague.wait_ended()
        await _only(asterisk, 0)
    await asyncio.wait_for(supervisor.idle(), 10)
    async with listening(SimpleNamespace(file=EXAMPLE)) as listener:  # type: ignore[arg-type]
        for mode, (since, till) in spans.items():
            for name, one in people.items():
                words = wanted_words(await listener.heard(one.stereo(), since, till))
                heard = {who for who, (_, some) in SAID.items() if some in words}
                assert heard == HEARD[mode][name], f"{name} heard in {mode.value}: {words}"


async def _everybody_speaks(people: dict[str, Call]) -> tuple[float, float]:
    """One after the other; when it began and ended."""
    began = time.monotonic()
    for name, (speech, _) in SAID.items():
        said = await people[name].say(SPEECH / speech)
        await asyncio.wait_for(said.finished, 30)
        # What was said last is heard a moment later; between two sentences there is a pause.
        await asyncio.sleep(0.8)
    return began, time.monotonic()


async def _only(asterisk: RunningAsterisk, channels: int) -> None:
    """Wait until Asterisk has so many channels."""
    async with asyncio.timeout(10):
        while True:
            match = re.search(r"(\d+) active channel", await asterisk.console("core show channels count"))
            if match and int(match[1]) == channels:
                return
            await asyncio.sleep(0.05)
