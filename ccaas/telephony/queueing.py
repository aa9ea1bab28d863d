"""A caller's time with people: waiting in a queue, and talking with whoever answered, until they go elsewhere.

One loop takes the queue's orders and the legs' events from one inbox. The caller hears music whenever nobody speaks: what
is said to them interrupts it, an agent's phone rings beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from ccaas.errors import AsteriskError, MediaError
from ccaas.ports.queueing import (
    Announce,
    Consult,
    Dismiss,
    DropConsulted,
    JoinConsulted,
    Leave,
    Order,
    Place,
    Ring,
    StopRinging,
)
from ccaas.ports.telephony import Switch
from ccaas.telephony.audio import NORMAL_CLEARING, CallAudio
from ccaas.telephony.desk import Attendant
from ccaas.telephony.events import Answered, Ended, EndReason, Held, Left, Ringing, TelephonyEvent, Unheld
from ccaas.telephony.legs import Legs
from ccaas.telephony.overhearing import Overhearing
from ccaas.telephony.state import Step

_log = structlog.get_logger(__name__)

_WHY = {
    EndReason.BUSY: "busy",
    EndReason.REJECTED: "declined the call",
    EndReason.NO_ANSWER: "did not answer",
    EndReason.UNREACHABLE: "the phone is not reached",
}
_BROKE_OFF = "the call broke off"


@dataclass(frozen=True, slots=True)
class _Said:
    """An announcement is over."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class _Briefed:
    """The agent on this leg knows what it is about."""

    leg: str


class Queueing:
    """One stay. `run` returns where the caller goes then."""

    def __init__(
        self,
        legs: Legs,
        switch: Switch,
        audio: CallAudio,
        attendant: Attendant,
        place: Place,
        step: Callable[[Step], None],
    ) -> None:
        self._legs = legs
        self._switch = switch
        self._audio = audio
        self._attendant = attendant
        self._place = place
        self._step = step
        self._log = _log.bind(call=legs.call_id)
        self._inbox: asyncio.Queue[Order | TelephonyEvent | _Said | _Briefed] = asyncio.Queue()
        self._ringing: tuple[str, Ring] | None = None
        """The leg of the agent whose phone rings, or who is being briefed."""
        self._agent = ""
        """The leg of the agent who has the caller."""
        self._consulted = ""
        self._consulted_up = False
        self._aside = False
        """The caller hears music while the agent consults."""
        self._gone: set[str] = set()
        """Legs of ours that have ended."""
        self._broken: set[str] = set()
        """Those of them that nobody has hung up: an agent's browser that died."""
        self._saying: asyncio.Task[None] | None = None
        """What the caller is told."""
        self._briefing: asyncio.Task[None] | None = None
        """What the agent is told before they have the caller."""
        self.overhearing = Overhearing(switch, legs, attendant)
        self.connected = False
        """A person has had the caller."""

    def key(self, digit: str) -> None:
        """The caller pressed one."""
        if not self._agent:
            self._place.key(digit)

    def handle(self, event: TelephonyEvent) -> None:
        """Something happened to another leg of the call."""
        if isinstance(event, Ended | Left):
            self._gone.add(event.leg_id)
        if isinstance(event, Ended) and event.reason is EndReason.FAILED:
            self._broken.add(event.leg_id)
        self._inbox.put_nowait(event)

    async def run(self, agent: str = "") -> str | None:
        """Where the caller goes: a name, "" back to the AI, None nowhere (the agent has hung up). `agent`: the leg of an
        agent who has the caller already.

        Raises:
            AsteriskError: the caller's leg cannot be commanded; it has gone, or Asterisk has.
        """
        if agent:
            self._agent, self.connected = agent, True
            self.overhearing.begin(agent)
            if not self._legs.bridges:  # found on hold, while the agent consulted
                await self._join(agent)
        else:
            self._step(Step.QUEUED)
            await self._switch.hold(self._legs.caller)
            self.overhearing.wait()
        self._place.follow(self._inbox.put_nowait)
        try:
            while True:
                item = await self._inbox.get()
                if isinstance(item, Leave):
                    await self._silence()
                    if item.say:
                        await self._say(Announce(item.say))
                        await self._switch.hold(self._legs.caller)
                    return await self._leave(item.to)
                if isinstance(item, Dismiss):
                    await self._silence()
                    await self._say(Announce(item.text))
                    return None
                await (self._talking(item) if self._agent else self._waiting(item))
                if self._agent and self._agent in self._gone and not await self._agent_hung_up():
                    if self._agent in self._broken:
                        return await self._leave("")
                    self._place.let_go()
                    return None
        finally:
            await self._silence()
            await self.overhearing.close()

    # — waiting —

    async def _waiting(self, item: Order | TelephonyEvent | _Said | _Briefed) -> None:
        ringing = self._ringing[0] if self._ringing is not None else ""
        match item:
            case Announce() if self._briefing is not None:
                self._place.announced(wanted=False)  # the caller is nearly there
            case Announce():
                await self._hush()
                self._saying = asyncio.create_task(self._announce(item), name=f"{self._legs.call_id} announcement")
            case _Said():
                self._saying = None
                self._place.announced(wanted=item.wanted)
            case Ring():
                await self._ring(item)
            case StopRinging():
                await self._end_briefing()
                self._ringing = None
                await self._hang_up(ringing)
            case Ringing() if item.leg_id == ringing:
                self._place.rings()
            case Answered() if item.leg_id == ringing and self._ringing is not None:
                await self._answered(*self._ringing)
            case _Briefed() if item.leg == ringing:
                await self._connect(ringing)
            case Ended() | Left() if item.leg_id == ringing:
                self._ringing = None
                reason = item.reason if isinstance(item, Ended) else EndReason.FAILED
                why = _WHY.get(reason, "the call did not get through")
                self._place.missed(_BROKE_OFF if await self._end_briefing() else why)
            case _:
                pass

    async def _ring(self, order: Ring) -> None:
        leg = await self._originate(order.endpoint, order.timeout_s, order.caller_id)
        if leg:
            self._ringing = (leg, order)
        else:
            self._place.missed(_WHY[EndReason.UNREACHABLE])

    async def _answered(self, leg: str, order: Ring) -> None:
        """Brief the agent, then join them to the caller."""
        await self._hush()
        if order.briefing:
            briefing = self._brief(leg, order.briefing)
            self._briefing = asyncio.create_task(briefing, name=f"{self._legs.call_id} briefing")
        else:
            await self._connect(leg)

    async def _connect(self, leg: str) -> None:
        """Join the agent to the caller."""
        self._ringing = self._briefing = None
        if leg in self._gone or not await self._join(leg):
            await self._drop_bridges()
            self._place.missed(_BROKE_OFF)
            return
        self._agent, self.connected = leg, True
        self._step(Step.TARGET_ANSWERED)
        self._place.answered()
        self.overhearing.begin(leg)

    async def _brief(self, leg: str, text: str) -> None:
        """A sentence for the agent alone; the caller still hears music."""
        try:
            stream = await self._audio.open(leg, keep_bridge=True)
            await self._attendant.announce(stream, text, asks=False)
        except (AsteriskError, MediaError) as error:
            self._log.warning("the agent was not briefed", error=str(error))
        finally:
            await self._audio.close()
        self._inbox.put_nowait(_Briefed(leg))

    async def _end_briefing(self) -> bool:
        """The agent is told no more; False where nobody was being told."""
        briefing, self._briefing = self._briefing, None
        if briefing is None:
            return False
        await _cancelled(briefing)
        await self._drop_bridges()
        return True

    async def _drop_bridges(self) -> None:
        """Those that were made for an agent who does not get the caller; the caller's own comes before them."""
        await self._audio.drop_bridges(self._legs.bridges[1:])

    async def _silence(self) -> None:
        """Nobody is told anything any more."""
        await self._hush()
        await self._end_briefing()

    async def _join(self, leg: str) -> bool:
        """The caller and `leg` in a new bridge, whatever there was before. False: `leg` has gone."""
        legs = self._legs
        old, bridge = tuple(legs.bridges), legs.next_bridge()
        await self._switch.bridge(bridge)
        try:
            await self._switch.join(bridge, leg)
        except AsteriskError as error:
            self._log.warning("agent not joined", leg=leg, error=str(error))
            await self._hang_up(leg)
            return False
        await self._switch.unhold(legs.caller)
        await self._switch.join(bridge, legs.caller)
        await self._audio.drop_bridges(old)
        return True

    async def _announce(self, order: Announce) -> None:
        wanted = False
        try:
            wanted = await self._say(order)
            await self._switch.hold(self._legs.caller)
        except (AsteriskError, MediaError) as error:
            # Music, or the news that the caller has gone, is not far.
            self._log.warning("not announced", error=str(error))
        self._inbox.put_nowait(_Said(wanted))

    async def _say(self, order: Announce) -> bool:
        await self._switch.unhold(self._legs.caller)
        try:
            stream = await self._audio.open(self._legs.caller)
            return await self._attendant.announce(stream, order.text, asks=order.asks)
        finally:
            await self._audio.close()

    async def _hush(self) -> None:
        """What is being said to the caller ends here."""
        saying, self._saying = self._saying, None
        await _cancelled(saying)

    # — with a person —

    async def _talking(self, item: Order | TelephonyEvent | _Said | _Briefed) -> None:
        match item:
            case Consult():
                await self._consult(item)
            case JoinConsulted() if self._consulted_up:
                await self._join_consulted(leave=item.leave)
            case DropConsulted() if self._consulted:
                await self._drop_consulted()
                self._place.consulting("talking")
            case Held() if item.leg_id == self._agent:
                self._place.consulting("held")
            case Unheld() if item.leg_id == self._agent and not self._consulted:
                self._place.consulting("talking")
            case Answered() if item.leg_id == self._consulted:
                await self._switch.unhold(self._agent)
                await self._switch.join(self._legs.bridge, self._consulted)
                self._consulted_up = True
                self._place.consulting("consulting")
            case Ended() | Left() if item.leg_id == self._consulted:
                up = self._consulted_up
                await self._drop_consulted()
                self._place.consulting("talking" if up else "failed")
            case _:
                pass

    async def _consult(self, order: Consult) -> None:
        if self._consulted:
            return
        await self._switch.hold(self._legs.caller)
        self._aside = True
        self._consulted_up = False
        self._consulted = await self._originate(order.endpoint, order.timeout_s, order.caller_id)
        if self._consulted:
            await self._switch.hold(self._agent)  # music instead of silence, until the other one answers
        else:
            await self._return()
            self._place.consulting("failed")

    async def _join_consulted(self, *, leave: bool) -> None:
        await self._return()
        if not leave:
            self._place.consulting("conference")
            return
        agent, self._agent = self._agent, self._consulted
        self._consulted, self._consulted_up = "", False
        self._place.consulting("transferred")
        self.overhearing.begin(self._agent)
        await self._hang_up(agent)

    async def _drop_consulted(self) -> None:
        consulted, up = self._consulted, self._consulted_up
        self._consulted, self._consulted_up = "", False
        if consulted:
            await self._hang_up(consulted)
            if not up:
                await self._switch.unhold(self._agent)
        await self._return()

    async def _return(self) -> None:
        """The caller is with the others again."""
        if self._aside:
            self._aside = False
            await self._switch.unhold(self._legs.caller)

    async def _agent_hung_up(self) -> bool:
        """True: who was consulted has the caller now."""
        if not self._consulted_up or self._consulted in self._gone:
            return False
        self._gone.discard(self._agent)
        await self._join_consulted(leave=True)
        return True

    async def _leave(self, to: str) -> str:
        """The caller goes elsewhere, with music until then; or to the AI."""
        legs = [self._ringing[0] if self._ringing is not None else "", self._agent, self._consulted]
        with_person = bool(self._agent)
        if with_person and not self._aside:
            await self._switch.hold(self._legs.caller)
        self._agent = self._consulted = ""
        for leg in filter(None, legs):
            await self._hang_up(leg)
        if with_person:
            self._place.let_go()
        if not to:
            await self._switch.unhold(self._legs.caller)
            self._step(Step.BACK)
        return to

    # — legs —

    async def _originate(self, endpoint: str, timeout_s: float, caller_id: str) -> str:
        """The new leg; empty when Asterisk has no way there."""
        leg = self._legs.next_target()
        self._legs.open.add(leg)
        try:
            await self._switch.originate(
                leg, endpoint, caller_id=caller_id, timeout_s=timeout_s, codec=self._legs.codec, variables={}
            )
        except AsteriskError as error:
            self._log.warning("nobody can be rung there", endpoint=endpoint, error=str(error))
            self._legs.open.discard(leg)
            return ""
        return leg

    async def _hang_up(self, leg: str) -> None:
        if leg and leg not in self._gone:
            with suppress(AsteriskError):
                await self._switch.hang_up(leg, EndReason.DISMISSED, NORMAL_CLEARING)


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    if task is not None and not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
