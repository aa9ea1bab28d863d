"""Supervisors who take part in calls: they hear both sides, and are heard by nobody, by the colleague, or by everybody.

The call itself is not touched. A snoop channel hangs on the colleague's leg (on the caller's while only the AI talks with
them), and shares a bridge of its own with the supervisor's phone. Whoever leaves, the rest of it ends.
"""

from __future__ import annotations

import asyncio
import itertools

import structlog

from ccaas.errors import AsteriskError, CcaasError
from ccaas.ports.contact import Supervision
from ccaas.ports.media import Codec
from ccaas.ports.telephony import Into, Switch
from ccaas.telephony.events import Answered, Ended, EndReason, Left, TelephonyEvent
from ccaas.telephony.legs import Legs, monitoring

_log = structlog.get_logger(__name__)

_NORMAL_CLEARING = 16
_RING_S = 30.0
"""How long the supervisor's phone rings."""

INTO = {Supervision.LISTEN: Into.NOBODY, Supervision.WHISPER: Into.ITSELF, Supervision.BARGE: Into.BOTH}


class Monitor:
    """One supervisor at one call."""

    def __init__(self, switch: Switch, call: Legs, endpoint: str, mode: Supervision, number: int) -> None:
        """`number`: tells it from all others of the call."""
        self._switch = switch
        self._call = call
        self._endpoint = endpoint
        self._mode = mode
        stem = f"ccaas-{call.call_id}"
        self._phone, self._bridge = f"{stem}-phone{number}", f"{stem}-ear{number}"
        self._spies = (f"{stem}-spy{number}{count:03}" for count in itertools.count())
        self._spy = ""
        self._up = asyncio.Event()
        self._over = asyncio.Event()
        self._changing = asyncio.Lock()

    @property
    def legs(self) -> frozenset[str]:
        """Its legs in the switch."""
        return frozenset({self._phone, self._spy} - {""})

    @property
    def bridge(self) -> str:
        """Its bridge."""
        return self._bridge

    def handle(self, event: TelephonyEvent) -> None:
        """Take an event of one of its legs."""
        if isinstance(event, Ended | Left):
            self.end()
        elif isinstance(event, Answered) and event.leg_id == self._phone:
            self._up.set()

    def end(self) -> None:
        """Let go of the call."""
        self._over.set()
        self._up.set()

    async def target(self, mode: Supervision) -> str:
        """The leg to take part by: the colleague's; the caller's while there is no colleague.

        Raises:
            CcaasError: there is nobody to whisper to, or to hear.
        """
        call = self._call
        legs = [leg for leg in await self._switch.legs() if leg.up and leg.ours]
        for leg in legs:
            colleague = leg.leg_id != call.caller and "-media" not in leg.leg_id and not monitoring(leg.leg_id)
            if leg.bridge_id and leg.bridge_id == call.bridge and colleague:
                return leg.leg_id
        if mode is Supervision.WHISPER:
            raise CcaasError(f"there is nobody in the call {call.call_id} to whisper to: the caller talks with the AI")
        if call.caller not in {leg.leg_id for leg in legs}:
            raise CcaasError(f"nobody is in the call {call.call_id} who could be heard; it may just have ended")
        return call.caller

    async def change(self, mode: Supervision) -> None:
        """Take part otherwise, at once. Raises CcaasError: it stays as it is; AsteriskError: it is over."""
        async with self._changing:
            target = await self.target(mode)
            self._mode = mode
            if self._spy and not self._over.is_set():
                old, self._spy = self._spy, ""
                await self._switch.hang_up(old, EndReason.DISMISSED, _NORMAL_CLEARING)
                try:
                    await self._snoop(target)
                except AsteriskError:
                    self.end()
                    raise

    async def run(self) -> None:
        """From the ringing phone to the end. Raises AsteriskError where the phone or the call is not reached."""
        try:
            await self._switch.originate(
                self._phone,
                self._endpoint,
                caller_id=f"{self._mode.value} <{self._call.call_id[-8:]}>",
                timeout_s=_RING_S,
                codec=Codec.ULAW,
                variables={},
            )
            await self._up.wait()
            if self._over.is_set():
                return
            async with self._changing:
                await self._switch.bridge(self._bridge)
                await self._switch.join(self._bridge, self._phone)
                await self._snoop(await self.target(self._mode))
            await self._over.wait()
        finally:
            self._over.set()
            await asyncio.shield(self._leave())

    async def _snoop(self, target: str) -> None:
        self._spy = next(self._spies)
        await self._switch.snoop(self._spy, target, INTO[self._mode])
        await self._switch.join(self._bridge, self._spy)

    async def _leave(self) -> None:
        for leg in sorted(self.legs):
            await self._quietly_hang_up(leg)
        try:
            await self._switch.destroy_bridge(self._bridge)
        except AsteriskError as error:
            _log.warning("a supervisor's bridge stays behind", bridge=self._bridge, error=str(error))

    async def _quietly_hang_up(self, leg: str) -> None:
        try:
            await self._switch.hang_up(leg, EndReason.DISMISSED, _NORMAL_CLEARING)
        except AsteriskError as error:
            _log.warning("a supervisor's leg stays behind", leg=leg, error=str(error))


class Monitors:
    """All supervisors at all calls."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._monitors: dict[str, tuple[str, Monitor, asyncio.Task[None]]] = {}
        """By the supervisor's endpoint: the call's id, and what takes part in it."""
        self._numbers = itertools.count(1)

    @property
    def names(self) -> frozenset[str]:
        """Legs and bridges in the switch that belong to somebody here."""
        found = (one for _, one, _ in self._monitors.values())
        return frozenset(name for one in found for name in (*one.legs, one.bridge))

    async def supervise(self, call: Legs | None, endpoint: str, mode: Supervision | None) -> None:
        """Ring `endpoint` and let it take part in the call, change how it does, or end that (None). Without a call nobody is
        rung.

        Raises:
            CcaasError: nobody is there to whisper to, or the call is over.
            AsteriskError: Asterisk refused.
        """
        there = self._monitors.get(endpoint)
        if there is not None and call is not None and there[0] == call.call_id and mode is not None:
            await there[1].change(mode)
            return
        if there is not None:
            there[1].end()
            await asyncio.gather(there[2], return_exceptions=True)
        if mode is None or call is None:
            return
        monitor = Monitor(self._switch, call, endpoint, mode, next(self._numbers))
        await monitor.target(mode)  # before anybody is rung
        task = asyncio.create_task(self._run(monitor, endpoint, call.call_id), name=f"monitor of {call.call_id}")
        self._monitors[endpoint] = (call.call_id, monitor, task)
        task.add_done_callback(lambda done: self._forget(endpoint, done))

    async def _run(self, monitor: Monitor, endpoint: str, call_id: str) -> None:
        log = _log.bind(call=call_id, endpoint=endpoint)
        try:
            await monitor.run()
        except CcaasError as error:
            log.warning("a supervisor does not take part", error=str(error))
        else:
            log.info("a supervisor has left")

    def _forget(self, endpoint: str, task: asyncio.Task[None]) -> None:
        if self._monitors.get(endpoint, (None, None, None))[2] is task:
            del self._monitors[endpoint]

    def handle(self, event: TelephonyEvent) -> None:
        """Take an event of a leg whose name says that it is a supervisor's."""
        for _, monitor, _ in self._monitors.values():
            if event.leg_id in monitor.legs:
                monitor.handle(event)

    def call_ended(self, call_id: str) -> None:
        """Nothing of the call is left to be heard."""
        for owner, monitor, _ in self._monitors.values():
            if owner == call_id:
                monitor.end()

    async def close(self) -> None:
        """End all, and return when they have left."""
        tasks = [task for _, _, task in self._monitors.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
