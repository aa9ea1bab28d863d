"""One call: its legs, its state, and the one task that owns them.

The task runs a plain script (accept, talk, transfer, end); the switch's events come in beside it and either answer what
the script waits for or end it. Whatever happens, nothing of the call is left in the switch afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from ccaas.errors import AsteriskError, MediaError
from ccaas.ports.queueing import Place
from ccaas.ports.telephony import Switch
from ccaas.telephony.audio import NORMAL_CLEARING, CallAudio
from ccaas.telephony.desk import Attendant, AudioLost, HangUp, Target, TransferTo
from ccaas.telephony.events import (
    Answered,
    Ended,
    EndReason,
    Held,
    KeyPressed,
    Left,
    Ringing,
    TelephonyEvent,
    Unheld,
)
from ccaas.telephony.legs import Legs
from ccaas.telephony.queueing import Queueing
from ccaas.telephony.state import CallState, Step, after

_log = structlog.get_logger(__name__)

FALLBACK_CONTEXT = "ccaas-fallback"
"""Dialplan context that takes a call which we cannot serve."""

_MEDIA_TRIES = 3
"""How often in a row lost audio is opened again before the dialplan gets the call."""

_LONGEST_DIALLING_S = 120.0

_LONGEST_LEAVING_S = 30.0
"""A caller whom a blind transfer has not taken away by then is rescued (s)."""

_NEWS_S = 1.0
"""A command that fails because the caller has just gone is followed by that news within this time (s)."""


class Call:
    """A call from its offer to its end."""

    def __init__(
        self,
        legs: Legs,
        switch: Switch,
        attendant: Attendant,
        state: CallState,
        happened: Callable[[str, TelephonyEvent], None],
        ani: str = "",
        dnis: str = "",
    ) -> None:
        self.id = legs.call_id
        self.legs = legs
        self.state = state
        self.ani = ani
        self.dnis = dnis
        self.since = time.time()
        """When it came to this controller (Unix s)."""
        self.ended: tuple[EndReason, int] | None = None
        """Why the caller's leg ended and its Q.850 cause, once it has."""
        self._switch = switch
        self._attendant = attendant
        self._happened = happened
        self._log = _log.bind(call=self.id)
        self._script: asyncio.Task[None] | None = None
        self._audio = CallAudio(switch, legs)
        self._queueing: Queueing | None = None
        self._place: Place | None = None
        self._caller_up = asyncio.Event()
        self._target = ""
        self._target_up = False
        self._target_end: Ended | Left | None = None
        self._target_news = asyncio.Event()
        self._fault: Exception | None = None
        self._dismissing = False
        self._gone = asyncio.Event()

    def listens_by(self, name: str) -> bool:
        """Whether a snoop or its bridge is how this call's talk is written down."""
        return self._queueing is not None and name in self._queueing.overhearing.names

    def abort(self, reason: EndReason) -> None:
        """The call cannot be: end its task."""
        self._end(reason, 0)

    def fail(self, error: Exception) -> None:
        """Something of the call's own has failed outside its task: `run` raises it."""
        self._fault = error
        if self._script is not None:
            self._script.cancel()

    async def run(self, target: str = "") -> None:
        """Own the call until it is over. `target` is the other party's leg of a call found CONNECTED after a restart.

        Raises:
            AsteriskError, MediaError, or what the attendant raised: the caller is still there and must be rescued.
        """
        if self._fault is not None:
            raise self._fault
        if self.ended is not None:
            return
        self._script = asyncio.create_task(self._play(target), name=f"call {self.id}")
        try:
            await self._script
        except asyncio.CancelledError:
            if self._fault is not None:
                raise self._fault from None
            if self.ended is None:
                raise
        except AsteriskError:
            with suppress(TimeoutError):
                async with asyncio.timeout(_NEWS_S):
                    await self._gone.wait()
            if self.ended is None:
                raise
        finally:
            self._script.cancel()
            await asyncio.gather(self._script, return_exceptions=True)

    def handle(self, event: TelephonyEvent) -> None:
        """Take one event of one of the call's legs."""
        self._happened(self.id, event)
        if event.leg_id == self.legs.caller:
            self._handle_caller(event)
        else:
            self._handle_other(event)

    def _handle_caller(self, event: TelephonyEvent) -> None:
        match event:
            case Answered():
                self.legs.codec = event.codec
                self._caller_up.set()
            case KeyPressed() if self._queueing is not None:
                self._queueing.key(event.digit)
            case KeyPressed() if self.state is CallState.TALKING:
                self._attendant.key(event.digit)
            case Held():
                self._attendant.hold(True)
            case Unheld():
                self._attendant.hold(False)
            case Ended():
                self._end(event.reason, event.cause)
            case Left():
                self._end(EndReason.TRANSFERRED if self.state is CallState.LEAVING else EndReason.RETURNED, 0)
            case _:
                pass

    def _handle_other(self, event: TelephonyEvent) -> None:
        if isinstance(event, Ended | Left):
            self.legs.open.discard(event.leg_id)
        if self._queueing is not None:
            self._queueing.handle(event)
        if event.leg_id != self._target:
            return
        match event:
            case Answered():
                self._target_up = True
                self._target_news.set()
            case Ended() | Left():
                self._target_end = event
                self._target_news.set()
            case Ringing():
                self._log.info("transfer rings", leg=event.leg_id)
            case _:
                pass

    def _end(self, reason: EndReason, cause: int) -> None:
        if self.ended is not None:
            return
        self.ended = (EndReason.DISMISSED if self._dismissing else reason, cause)
        if self.state is not CallState.ENDED:
            self._step(Step.ENDED)
        self._gone.set()
        self._give_up_place()
        if self._script is not None:
            self._script.cancel()

    def _step(self, step: Step) -> None:
        self.state = after(self.state, step)

    # — the script —

    async def _play(self, target: str) -> None:
        if self.state is CallState.CONNECTED:
            place = self._attendant.kept_place()
            if place is None:
                self._target = target
                await self._stay_connected()
            else:
                await self._go_on(await self._queue(place, target))
            return
        if self.state is CallState.OFFERED:
            await self._switch.answer(self.legs.caller)
            self._step(Step.ACCEPTED)
        elif self.state is CallState.DIALLING:
            async with asyncio.timeout(_LONGEST_DIALLING_S):
                await self._caller_up.wait()
            if (place := self._attendant.kept_place()) is not None:
                await self._go_on(await self._queue(place))
                return
            self._step(Step.ANSWERED)
        elif self.state is CallState.TALKING:
            await self._audio.drop_old()
            if (place := self._attendant.kept_place()) is not None:
                await self._go_on(await self._queue(place))
                return
            # Music, of a transfer or for comfort, would drown the agent.
            await self._switch.unhold(self.legs.caller)
            # Outside any bridge they were held while somebody else's phone rang; it has just been dropped with the rest.
            await self._talk("lost" if self.legs.bridges else "unanswered")
            return
        await self._talk("")

    async def _go_on(self, name: str) -> None:
        """After a queue: elsewhere, or to the agent."""
        await self._talk(await self._send(name) if name else "queue")

    async def _talk(self, reason: str) -> None:
        lost = 0
        while True:
            stream = await self._audio.open(self.legs.caller)
            try:
                decision = await self._attendant.attend(stream, reason)
            finally:
                await self._audio.close()
            match decision:
                case HangUp():
                    await self._dismiss()
                    return
                case TransferTo(name):
                    reason, lost = await self._send(name), 0
                case AudioLost():
                    lost += 1
                    self._log.warning("audio lost, opening it again", times=lost)
                    if lost >= _MEDIA_TRIES:
                        raise MediaError(f"the audio of call {self.id} was lost {lost} times")
                    reason = "lost"

    async def _dismiss(self) -> None:
        """Hang up, and stay until the switch says that the leg is gone."""
        self._dismissing = True
        await self._switch.hang_up(self.legs.caller, EndReason.DISMISSED, NORMAL_CLEARING)
        await asyncio.Event().wait()

    # — transfer —

    async def _send(self, name: str) -> str:
        """Send the caller to a queue or a destination; why they are back. Does not return when they are not."""
        tried = set[str]()
        while name not in tried:
            tried.add(name)
            place = self._attendant.place(name)
            if place is None:
                if await self._transfer(name):
                    await asyncio.Event().wait()  # the caller has been hung up, and that news ends us
                return "unanswered"
            name = await self._queue(place, tried=tried)
            if not name:
                return "queue"
        self._log.error("the queues send the caller round in circles", queues=sorted(tried))
        self._step(Step.BACK)
        await self._switch.unhold(self.legs.caller)
        return "unanswered"

    async def _queue(self, place: Place, agent: str = "", tried: set[str] | None = None) -> str:
        """Wait for a person and talk with them, or with `agent`, whose leg is joined; where the caller goes then."""
        self._place = place
        queueing = Queueing(self.legs, self._switch, self._audio, self._attendant, place, self._step)
        self._queueing = queueing
        try:
            name = await queueing.run(agent)
        finally:
            self._queueing = None
        if name is None:
            await self._dismiss()
        assert name is not None  # dismissing does not return
        if queueing.connected and tried is not None:
            tried.clear()
        return name

    def _give_up_place(self) -> None:
        place, self._place = self._place, None
        if place is not None and self.ended is not None:
            place.over(hung_up=self.ended[0] is EndReason.HUNG_UP)

    async def _transfer(self, name: str) -> bool:
        """Send the caller to a destination. False: it did not work out, and the caller is still ours."""
        target = self._attendant.target(name)
        if target is None:
            self._log.error("no such destination", destination=name)
            return False
        if target.blind:
            self._step(Step.SENT_AWAY)
            await self._switch.redirect(self.legs.caller, target.endpoint)
            await asyncio.sleep(_LONGEST_LEAVING_S)
            raise AsteriskError(
                f"the caller was sent to {target.endpoint} and is still here; look at the far end's log"
            )
        waited = self.state is not CallState.TALKING
        self._step(Step.TRANSFER)
        if not waited:
            await self._switch.hold(self.legs.caller)
        answered = await self._ring(target)
        await self._switch.unhold(self.legs.caller)
        if not answered or not await self._join_target():
            self._step(Step.TARGET_FAILED)
            return False
        self._step(Step.TARGET_ANSWERED)
        self._log.info("transferred", destination=name)
        await self._stay_connected()
        return True

    async def _ring(self, target: Target) -> bool:
        self._target = self.legs.next_target()
        self._target_up, self._target_end = False, None
        self.legs.open.add(self._target)
        try:
            await self._switch.originate(
                self._target,
                target.endpoint,
                caller_id=target.caller_id,
                timeout_s=target.timeout_s,
                codec=self.legs.codec,
                variables={},
            )
        except AsteriskError as error:
            self._log.warning("transfer not possible", endpoint=target.endpoint, error=str(error))
            self.legs.open.discard(self._target)
            return False
        while not self._target_up and self._target_end is None:
            await self._news_of_target()
        if isinstance(self._target_end, Ended):
            end = self._target_end
            self._log.info("transfer not answered", reason=end.reason.value, cause=end.cause)
        return self._target_end is None

    async def _join_target(self) -> bool:
        """False: it has gone again."""
        try:
            await self._switch.join(self.legs.bridge, self._target)
        except AsteriskError as error:
            self._log.warning("transfer broke off", leg=self._target, error=str(error))
            await self._switch.hang_up(self._target, EndReason.FAILED, NORMAL_CLEARING)
            return False
        return True

    async def _news_of_target(self) -> None:
        await self._target_news.wait()
        self._target_news.clear()

    async def _stay_connected(self) -> None:
        while self._target_end is None:
            await self._news_of_target()
        await self._dismiss()

    # — the end —

    async def clean_up(self) -> None:
        """Leave nothing in the switch: our own legs, the bridge. The caller's leg is hung up if it is still ours."""
        await self._audio.close()
        if self.ended is None:
            await self._switch.hang_up(self.legs.caller, EndReason.FAILED, NORMAL_CLEARING)
        for leg in tuple(self.legs.open):
            await self._switch.hang_up(leg, EndReason.DISMISSED, NORMAL_CLEARING)
        await self._audio.drop_bridges(self.legs.bridges)

    async def rescue(self) -> None:
        """Something of ours failed: let the dialplan take the caller."""
        if self.ended is None:
            self._log.error("the call is given back to the dialplan", context=FALLBACK_CONTEXT)
            await self._audio.close()
            await self._switch.return_to_dialplan(self.legs.caller, FALLBACK_CONTEXT, self.dnis or "s")
            self.ended = (EndReason.RETURNED, 0)
            self._give_up_place()
            if self._script is not None:
                self._script.cancel()
