"""All calls: one owner task each, every event to its call, and after every gap what the switch says is the truth."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from ccaas.errors import AsteriskError, CcaasError
from ccaas.ports.contact import Supervision
from ccaas.ports.media import Codec
from ccaas.ports.telephony import Connected, Disconnected, LegSnapshot, Switch
from ccaas.telephony.audio import NORMAL_CLEARING
from ccaas.telephony.call import FALLBACK_CONTEXT, Call
from ccaas.telephony.desk import Attendant, Desk, Refused
from ccaas.telephony.events import Ended, EndReason, Left, Offered, TelephonyEvent
from ccaas.telephony.legs import Legs, call_of, callee_name, monitoring
from ccaas.telephony.monitoring import Monitors
from ccaas.telephony.state import CallState

_log = structlog.get_logger(__name__)

TRANSFER_FAILED = ("transfer_failed",)
"""What an offer's arguments begin with when nobody took a blind transfer; the number dialled first follows."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A call of an earlier controller, from the journal."""

    call_id: str
    caller: str
    """The caller's leg."""
    attendant: Attendant


def forbidden(permit: object, endpoint: str) -> None:
    """The `redeem` of who may call nobody."""
    raise CcaasError(f"{endpoint} is not called: there is no gate that could allow it")


class Supervisor:
    """Owns the calls. `run` reads the switch's events until the switch is closed."""

    def __init__(
        self,
        switch: Switch,
        desk: Desk,
        remembered: Mapping[str, Remembered],
        redeem: Callable[[object, str], None] = forbidden,
    ) -> None:
        """Args:
        remembered: calls to pick up, by the caller's leg.
        redeem: takes the permit of a call to an endpoint, or raises; without it nobody can be called.
        """
        self._redeem = redeem
        self._switch = switch
        self._desk = desk
        self._remembered = dict(remembered)
        self._monitors = Monitors(switch)
        self._by_leg: dict[str, Call] = {}
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, TelephonyEvent | None] = {}
        """Legs whose offer is being thought about, and how they ended meanwhile."""
        self._owners: dict[str, asyncio.Task[None]] = {}
        """The owner tasks that have not come to their ends, by call."""
        self._idle = asyncio.Event()
        self._idle.set()
        self.connected = False
        """Whether the switch's events reach us."""

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that are up."""
        return tuple(self._calls.values())

    async def run(self) -> None:
        """Take events until the switch is closed."""
        try:
            async for event in self._switch.events():
                match event:
                    case Connected():
                        self.connected = True
                        await self._reconcile()
                    case Disconnected():
                        self.connected = False
                        _log.warning("asterisk is not reached; calls go on", calls=len(self._calls))
                    case Offered():
                        self._offered(event)
                    case _:
                        self._dispatch(event)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, self._monitors.close(), return_exceptions=True)

    async def idle(self) -> None:
        """Return when no call is up."""
        await self._idle.wait()

    async def originate(
        self,
        endpoint: str,
        entry: str,
        attendant: Attendant,
        call_id: str,
        caller_id: str,
        permit: object,
        ring_s: float = 60.0,
    ) -> None:
        """Call somebody, for so many seconds at most; the attendant speaks when they answer.

        Raises:
            CcaasError: the permit is none of the gate's, or for another endpoint; nobody is called.
            AsteriskError: Asterisk has no way to that endpoint.
        """
        try:
            self._redeem(permit, endpoint)
        except CcaasError:
            await self._finish(call_id, attendant, EndReason.FAILED, 0)
            raise
        legs = Legs(call_id, callee_name(call_id), Codec.ULAW)
        call = Call(legs, self._switch, attendant, CallState.DIALLING, self._desk.happened, dnis=entry)
        self._own(call, attendant)
        try:
            await self._switch.originate(
                legs.caller, endpoint, caller_id=caller_id, timeout_s=ring_s, codec=legs.codec, variables={}
            )
        except AsteriskError:
            call.abort(EndReason.UNREACHABLE)
            raise

    async def supervise(self, call_id: str, endpoint: str, mode: Supervision | None) -> None:
        """Ring the supervisor at `endpoint`, who then takes part in the call; a further mode changes how, None ends it.

        Raises:
            CcaasError: the call is not up, or there is nobody in it to whisper to.
            AsteriskError: Asterisk refused.
        """
        call = self._calls.get(call_id)
        if call is None and mode is not None:
            raise CcaasError(f"the call {call_id} is not up; it may just have ended")
        await self._monitors.supervise(call.legs if call else None, endpoint, mode)

    async def take_back(self, call_id: str) -> None:
        """End a call that we have begun and that nobody has answered yet; any other is left alone. Raises AsteriskError."""
        call = self._calls.get(call_id)
        if call is not None and call.state is CallState.DIALLING:
            await self._switch.hang_up(call.legs.caller, EndReason.DISMISSED, NORMAL_CLEARING)

    def _offered(self, offer: Offered) -> None:
        known = self._by_leg.get(offer.leg_id)
        if offer.leg_id in self._waiting or (known is not None and known.ended is None):
            return
        if offer.arguments[:1] == TRANSFER_FAILED:
            # It comes from the dialplan's own extension; the number that was dialled is told beside.
            offer = replace(offer, dnis=offer.arguments[1])
        self._waiting[offer.leg_id] = None
        self._idle.clear()
        task = asyncio.create_task(self._receive(offer), name=f"offer {offer.leg_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receive(self, offer: Offered) -> None:
        """Find who takes the offer, and start the call. An offer that nobody takes goes to the dialplan."""
        try:
            await self._decide(offer)
        except Exception:  # noqa: BLE001  (whatever it was, the caller is not left ringing)
            _log.exception("the offer's own code failed", ani=offer.ani, dnis=offer.dnis)
            await self._give_back(offer.leg_id, offer.dnis)
        finally:
            self._waiting.pop(offer.leg_id, None)
            self._rest()

    async def _decide(self, offer: Offered) -> None:
        call_id = new_call_id()
        attendant = await self._desk.welcome(call_id, offer)
        if isinstance(attendant, Refused):
            _log.warning("call not taken", ani=offer.ani, dnis=offer.dnis, why=attendant.why)
            await self._give_back(offer.leg_id, offer.dnis)
            return
        gone = self._waiting[offer.leg_id]
        if gone is not None:
            self._desk.happened(call_id, offer)
            self._desk.happened(call_id, gone)
            reason, cause = (gone.reason, gone.cause) if isinstance(gone, Ended) else (EndReason.RETURNED, 0)
            await self._finish(call_id, attendant, reason, cause)
            return
        legs = Legs(call_id, offer.leg_id, offer.codec)
        call = Call(
            legs, self._switch, attendant, CallState.OFFERED, self._desk.happened, ani=offer.ani, dnis=offer.dnis
        )
        self._desk.happened(call_id, offer)
        self._own(call, attendant)

    def _own(self, call: Call, attendant: Attendant, target: str = "") -> None:
        self._calls[call.id] = call
        self._by_leg[call.legs.caller] = call
        self._idle.clear()
        task = asyncio.create_task(self._live(call, attendant, target), name=f"owner of {call.id}")
        self._owners[call.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, call: Call, attendant: Attendant, target: str) -> None:
        """The call's owner task: whatever happens in it, the caller is not left alone and nothing is left behind."""
        try:
            await self._serve(call, attendant, target)
        finally:
            self._owners.pop(call.id, None)
            self._rest()

    def _rest(self) -> None:
        if not self._owners and not self._waiting:
            self._idle.set()

    async def _serve(self, call: Call, attendant: Attendant, target: str) -> None:
        log = _log.bind(call=call.id)
        log.info("call begins", ani=call.ani, dnis=call.dnis, state=call.state.value)
        try:
            await call.run(target)
        except asyncio.CancelledError:
            # The controller goes away, not the call: the next controller finds it in the switch and the journal.
            await attendant.leave()
            raise
        except Exception:
            log.exception("the call's own code failed")
            await self._quietly(call.rescue())
        reason, cause = call.ended or (EndReason.FAILED, 0)
        self._calls.pop(call.id, None)
        if self._by_leg.get(call.legs.caller) is call:  # Sent away and not taken, it may be here again already.
            del self._by_leg[call.legs.caller]
        self._monitors.call_ended(call.id)
        await self._quietly(call.clean_up())
        await self._finish(call.id, attendant, reason, cause)
        log.info("call ended", reason=reason.value, cause=cause)

    async def _finish(self, call_id: str, attendant: Attendant, reason: EndReason, cause: int) -> None:
        """Close the books of a call, even where the attendant cannot close its own."""
        try:
            await attendant.finish(reason, cause)
        except Exception:  # noqa: BLE001  (the books are closed in any case)
            _log.exception("the attendant could not finish", call=call_id)
        self._desk.ended(call_id, reason, cause)

    async def release(self) -> None:
        """Give every call to the dialplan and finish with it: this controller ends and none follows."""
        calls = self.calls
        for call in calls:
            await self._quietly(call.rescue())
        given = [self._owners[call.id] for call in calls if call.ended is not None and call.id in self._owners]
        await asyncio.gather(*given, return_exceptions=True)

    def _dispatch(self, event: TelephonyEvent) -> None:
        if monitoring(event.leg_id):
            self._monitors.handle(event)
            return
        if event.leg_id in self._waiting and isinstance(event, Ended | Left):
            self._waiting[event.leg_id] = event
            return
        call = self._by_leg.get(event.leg_id) or self._owner_by_name(event.leg_id)
        if call is None:
            return
        try:
            call.handle(event)
        except Exception as error:  # noqa: BLE001  (the other calls' events wait behind this one)
            call.fail(error)

    def _owner_by_name(self, leg_id: str) -> Call | None:
        """The call of a leg of ours: its id is in the name."""
        return self._calls.get(call_of(leg_id))

    # — after a gap —

    async def _reconcile(self) -> None:
        """Pick up what an earlier controller left, and leave nothing in the switch that belongs to nobody."""
        try:
            legs = await self._switch.legs()
            bridges = await self._switch.bridges()
        except AsteriskError as error:
            _log.error("what exists in asterisk is not known; trying again at the next connection", error=str(error))
            return
        for leg in legs:
            inbound = not call_of(leg.leg_id)
            if leg.ours and leg.leg_id not in self._by_leg and (inbound or leg.leg_id in self._remembered):
                self._pick_up(leg, legs)
        for gone in tuple(self._remembered):
            remembered = self._remembered.pop(gone)
            await self._finish(remembered.call_id, remembered.attendant, EndReason.HUNG_UP, 0)
        for leg in legs:
            if (owner := call_of(leg.leg_id)) and (owner not in self._calls or self._left_behind(leg.leg_id)):
                await self._quietly(self._switch.hang_up(leg.leg_id, EndReason.FAILED, NORMAL_CLEARING))
        for bridge in bridges:
            if call_of(bridge) not in self._calls or self._left_behind(bridge):
                await self._quietly(self._switch.destroy_bridge(bridge))

    def _left_behind(self, name: str) -> bool:
        """An earlier controller, or a supervisor of its time, listened by it; whoever wants to begins again."""
        call = self._calls.get(call_of(name))
        ours = name in self._monitors.names or (call is not None and call.listens_by(name))
        return monitoring(name) and not ours

    def _pick_up(self, leg: LegSnapshot, legs: tuple[LegSnapshot, ...]) -> None:
        remembered = self._remembered.pop(leg.leg_id, None)
        if remembered is None:
            offer = Offered(leg.leg_id, time.monotonic(), leg.ani, leg.dnis, leg.codec, leg.arguments)
            self._offered(offer)
            return
        others = [
            other.leg_id
            for other in legs
            if other.up and other.bridge_id and call_of(other.leg_id) == remembered.call_id and "-to" in other.leg_id
        ]
        state = CallState.CONNECTED if others else CallState.TALKING
        if not leg.up:
            state = CallState.DIALLING if call_of(leg.leg_id) else CallState.OFFERED
        parts = Legs(remembered.call_id, leg.leg_id, leg.codec)
        parts.take_over(
            other.leg_id
            for other in legs
            if call_of(other.leg_id) == remembered.call_id and not monitoring(other.leg_id)
        )
        parts.take_over_bridge(leg.bridge_id)
        call = Call(parts, self._switch, remembered.attendant, state, self._desk.happened, ani=leg.ani, dnis=leg.dnis)
        _log.info("picking up a call", call=call.id, state=state.value)
        self._own(call, remembered.attendant, others[0] if others else "")

    async def _give_back(self, leg_id: str, dnis: str) -> None:
        await self._quietly(self._switch.return_to_dialplan(leg_id, FALLBACK_CONTEXT, dnis or "s"))

    @staticmethod
    async def _quietly(command: Awaitable[None]) -> None:
        try:
            await command
        except AsteriskError as error:
            _log.warning("asterisk refused", error=str(error))


def new_call_id() -> str:
    """Sorts by time, unique over restarts, and free of hyphens: it stands inside our legs' names."""
    return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime())}{secrets.token_hex(4)}"
