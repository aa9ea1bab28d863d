"""One call: its legs, its state, and the one task that owns them.

The task runs a plain script (accept, talk, transfer, end); the switch's events come in beside it and either answer what
the script waits for or end it. Whatever happens, nothing of the call is left in the switch afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from ccaas.errors import AsteriskError, MediaError
from ccaas.ports.media import MediaStream
from ccaas.ports.telephony import Switch
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
from ccaas.telephony.state import CallState, Step, after

_log = structlog.get_logger(__name__)

FALLBACK_CONTEXT = "ccaas-fallback"
"""Dialplan context that takes a call which we cannot serve."""

NORMAL_CLEARING = 16
"""Q.850: the call ends because one of its users wanted it to."""

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
        self.ended: tuple[EndReason, int] | None = None
        """Why the caller's leg ended and its Q.850 cause, once it has."""
        self._switch = switch
        self._attendant = attendant
        self._happened = happened
        self._log = _log.bind(call=self.id)
        self._script: asyncio.Task[None] | None = None
        self._stream: MediaStream | None = None
        self._caller_up = asyncio.Event()
        self._target = ""
        self._target_up = False
        self._target_end: Ended | Left | None = None
        self._target_news = asyncio.Event()
        self._fault: Exception | None = None
        self._dismissing = False
        self._gone = asyncio.Event()

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
        if self._script is not None:
            self._script.cancel()

    def _step(self, step: Step) -> None:
        self.state = after(self.state, step)

    # — the script —

    async def _play(self, target: str) -> None:
        if self.state is CallState.CONNECTED:
            self._target = target
            await self._stay_connected()
            return
        if self.state is CallState.OFFERED:
            await self._switch.answer(self.legs.caller)
            self._step(Step.ACCEPTED)
        elif self.state is CallState.DIALLING:
            async with asyncio.timeout(_LONGEST_DIALLING_S):
                await self._caller_up.wait()
            self._step(Step.ANSWERED)
        elif self.state is CallState.TALKING:
            await self._drop_old_audio()
            # Music, of a transfer or for comfort, would drown the agent.
            await self._switch.unhold(self.legs.caller)
            # Outside any bridge they were held while somebody else's phone rang; it has just been dropped with the rest.
            await self._talk("lost" if self.legs.bridges else "unanswered")
            return
        await self._talk("")

    async def _drop_old_audio(self) -> None:
        """The media legs of an earlier controller: nobody listens at their other end."""
        for leg in tuple(self.legs.open):
            await self._switch.hang_up(leg, EndReason.FAILED, NORMAL_CLEARING)
        self.legs.open.clear()

    async def _talk(self, reason: str) -> None:
        lost = 0
        while True:
            stream = await self._open_audio()
            try:
                decision = await self._attendant.attend(stream, reason)
            finally:
                await self._close_audio()
            match decision:
                case HangUp():
                    await self._dismiss()
                    return
                case TransferTo(name):
                    if await self._transfer(name):
                        return
                    reason, lost = "unanswered", 0
                case AudioLost():
                    lost += 1
                    self._log.warning("audio lost, opening it again", times=lost)
                    if lost >= _MEDIA_TRIES:
                        raise MediaError(f"the audio of call {self.id} was lost {lost} times")
                    reason = "lost"

    async def _open_audio(self) -> MediaStream:
        """A new media leg in a new bridge with the caller: a new bridge leaves behind whatever played in the old one."""
        old = self.legs.bridge if self.legs.bridges else ""
        self.legs.bridges += 1
        media = self.legs.next_media()
        self.legs.open.add(media)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._switch.bridge(self.legs.bridge))
                opening = group.create_task(self._switch.open_media(self.id, media, self.legs.codec))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        self._stream = opening.result()
        await self._switch.join(self.legs.bridge, self.legs.caller, media)
        if old:
            await self._switch.destroy_bridge(old)
        return self._stream

    async def _close_audio(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def _dismiss(self) -> None:
        """Hang up, and stay until the switch says that the leg is gone."""
        self._dismissing = True
        await self._switch.hang_up(self.legs.caller, EndReason.DISMISSED, NORMAL_CLEARING)
        await asyncio.Event().wait()

    # — transfer —

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
        self._step(Step.TRANSFER)
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
        await self._close_audio()
        if self.ended is None:
            await self._switch.hang_up(self.legs.caller, EndReason.FAILED, NORMAL_CLEARING)
        for leg in tuple(self.legs.open):
            await self._switch.hang_up(leg, EndReason.DISMISSED, NORMAL_CLEARING)
        if self.legs.bridges:
            await self._switch.destroy_bridge(self.legs.bridge)

    async def rescue(self) -> None:
        """Something of ours failed: let the dialplan take the caller."""
        if self.ended is None:
            self._log.error("the call is given back to the dialplan", context=FALLBACK_CONTEXT)
            await self._close_audio()
            await self._switch.return_to_dialplan(self.legs.caller, FALLBACK_CONTEXT, self.dnis or "s")
            self.ended = (EndReason.RETURNED, 0)
            if self._script is not None:
                self._script.cancel()
