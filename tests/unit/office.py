"""A front desk and its calls on the fake switch, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from ccaas.outreach.gate import PermittedCalls
from ccaas.outreach.permits import Register
from ccaas.ports.media import MediaStream
from ccaas.ports.outreach import Permit
from ccaas.ports.queueing import Place
from ccaas.telephony.call import Call
from ccaas.telephony.desk import AudioLost, Next, Refused, Target
from ccaas.telephony.events import EndReason, Offered, TelephonyEvent
from ccaas.telephony.supervisor import Remembered, Supervisor
from ccaas.testing.fakes.media import FakeMediaStream
from ccaas.testing.fakes.switch import FakeLeg, FakeSwitch

TARGETS = {
    "desk": Target("PJSIP/desk", 20.0, "+15550100"),
    "away": Target("PJSIP/away", 20.0, "+15550100", blind=True),
}
QUIET = b"\xff" * 160


class Boom(Exception):
    """What an attendant raises."""


class Clerk:
    """An attendant who does what the test says: put a decision, or an exception, into `decide`."""

    def __init__(self, call_id: str, offer: Offered | None = None) -> None:
        self.call_id = call_id
        self.offer = offer
        self.decide: asyncio.Queue[Next | Exception] = asyncio.Queue()
        self.attended: list[str] = []
        """The reason of each stream it was given, in order."""
        self.streams: list[FakeMediaStream] = []
        self.keys = ""
        self.holds: list[bool] = []
        self.left = 0
        self.wants_talks = False
        """Whether talks with people are listened to; frames then stand in `overheard`, by side."""
        self.overheard: dict[str, list[bytes]] = {}
        self.wants_waiting = False
        """Whether the caller is listened to who waits; frames then stand in `heard_waiting`, until `heard_enough`."""
        self.heard_waiting: list[bytes] = []
        self.heard_enough = asyncio.Event()
        self.place_in: Callable[[str], Place | None] = lambda _: None
        self.kept: Place | None = None
        self.announced: list[str] = []
        self.announcing_s = 2.0
        self.wants = False
        """What the caller says to a question that is announced."""
        self.finished: list[tuple[EndReason, int]] = []
        self.key_fails: Exception | None = None
        self.finish_fails: Exception | None = None
        self.settles = asyncio.Event()
        """`finish` waits for it, as for a write."""
        self.settles.set()

    async def attend(self, stream: MediaStream, reason: str = "") -> Next:
        assert isinstance(stream, FakeMediaStream)
        self.attended.append(reason)
        self.streams.append(stream)
        lost: asyncio.Queue[Next | Exception] = asyncio.Queue()
        stream.listen(lambda _: None, lambda: lost.put_nowait(AudioLost()))
        waits = [asyncio.create_task(queue.get()) for queue in (self.decide, lost)]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        decision = done.pop().result()
        if isinstance(decision, Exception):
            raise decision
        return decision

    def key(self, digit: str) -> None:
        if self.key_fails is not None:
            raise self.key_fails
        self.keys += digit

    def hold(self, held: bool) -> None:
        self.holds.append(held)

    def target(self, name: str) -> Target | None:
        return TARGETS.get(name)

    def place(self, name: str) -> Place | None:
        return self.place_in(name)

    def kept_place(self) -> Place | None:
        return self.kept

    @property
    def overhears(self) -> bool:
        return self.wants_talks

    async def overhear(self, stream: MediaStream, *, customer: bool) -> None:
        over = asyncio.Event()
        side = self.overheard.setdefault("customer" if customer else "agent", [])
        stream.listen(side.append, over.set)
        await over.wait()

    @property
    def overhears_waiting(self) -> bool:
        return self.wants_waiting

    async def overhear_waiting(self, stream: MediaStream) -> None:
        stream.listen(self.heard_waiting.append, lambda: None)
        await self.heard_enough.wait()

    async def announce(self, stream: MediaStream, text: str, *, asks: bool) -> bool:
        self.announced.append(text)
        stream.send(text.encode().ljust(160, b" ")[:160])
        await asyncio.sleep(self.announcing_s)
        return asks and self.wants

    async def leave(self) -> None:
        self.left += 1

    async def finish(self, reason: EndReason, cause: int) -> None:
        await self.settles.wait()
        if self.finish_fails is not None:
            raise self.finish_fails
        self.finished.append((reason, cause))


class Office:
    """A supervisor with its desk; entering starts it, leaving looks for what was left behind."""

    def __init__(self, switch: FakeSwitch | None = None, remembered: Mapping[str, Remembered] | None = None) -> None:
        self.switch = switch or FakeSwitch(lambda: asyncio.get_running_loop().time())
        self.refused = ""
        self.welcome_s = 0.0
        self.welcome_fails: Exception | None = None
        self.clerks: list[Clerk] = []
        self.events: list[tuple[str, TelephonyEvent]] = []
        self.over: list[tuple[str, EndReason, int]] = []
        self.register = Register()
        self.supervisor = Supervisor(self.switch, self, remembered or {}, PermittedCalls(self.register))
        self._complaints: list[dict[str, Any]] = []

    # — the desk —

    async def welcome(self, call_id: str, offer: Offered) -> Clerk | Refused:
        await asyncio.sleep(self.welcome_s)
        if self.welcome_fails is not None:
            raise self.welcome_fails
        if self.refused:
            return Refused(self.refused)
        self.clerks.append(Clerk(call_id, offer))
        return self.clerks[-1]

    def happened(self, call_id: str, event: TelephonyEvent) -> None:
        self.events.append((call_id, event))

    def ended(self, call_id: str, reason: EndReason, cause: int) -> None:
        self.over.append((call_id, reason, cause))

    # — the test's side —

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self._complaints.append(context))
        self._before = asyncio.all_tasks()
        self.running = asyncio.create_task(self.supervisor.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.until(lambda: not self.supervisor.calls, "all calls are over")
            await self.supervisor.idle()
        await self.close()
        if error is None:
            assert self.ours() == [], "legs were left"
            assert await self.switch.bridges() == ()
            assert not self._complaints, self._complaints

    async def close(self) -> None:
        """The controller goes away; nothing of it may be left but what is in the switch."""
        self.running.cancel()
        await asyncio.wait({self.running})
        left = asyncio.all_tasks() - self._before
        assert not left, f"tasks were left: {left}"
        if not self.running.cancelled() and (fault := self.running.exception()):
            raise fault

    def ours(self) -> list[str]:
        """Legs in the switch that are under our control."""
        return [leg.id for leg in self.switch.all_legs.values() if self.here(leg) and leg.ours]

    @staticmethod
    def here(leg: FakeLeg) -> bool:
        return leg.end is None

    def permit(self, endpoint: str) -> Permit:
        """As the gate makes it."""
        return self.register.issue(Permit("x", "voice", endpoint))

    async def until(self, true: Callable[[], object], what: str, seconds: float = 100.0) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while not true():
            if self.running.done():
                self.running.result()
            assert loop.time() < ends, f"not within {seconds} s: {what}; commands: {self.switch.commands}"
            await asyncio.sleep(0.01)

    async def call(self, ani: str = "+15550111") -> tuple[FakeLeg, Clerk]:
        """Somebody calls in and talks with a clerk."""
        before = len(self.clerks)
        caller = self.switch.call_in("1000", ani)
        await self.until(lambda: len(self.clerks) > before and self.clerks[-1].attended, "the call is taken")
        return caller, self.clerks[-1]

    def the_call(self, clerk: Clerk) -> Call:
        (call,) = [call for call in self.supervisor.calls if call.id == clerk.call_id]
        return call

    def hears(self, caller: FakeLeg, clerk: Clerk) -> bool:
        """Whether a frame of the clerk's is in a bridge with the caller now."""
        (leg,) = [leg for leg in self.switch.all_legs.values() if leg.stream is clerk.streams[-1]]
        return self.here(leg) and leg.bridge_id == caller.bridge_id != "" and not caller.music
