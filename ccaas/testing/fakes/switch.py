"""A `Switch` without a network, with callers and phones that a test commands.

switch = FakeSwitch()
caller = switch.call_in("1000", ani="+16175550142")
… the application answers, opens media and joins …
caller.press("1"); caller.say(frame); caller.heard; caller.hang_up()
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from ccaas.asterisk.errors import AriError, LegGone
from ccaas.errors import MediaError
from ccaas.ports.media import Codec
from ccaas.ports.telephony import Connected, Disconnected, Into, LegSnapshot
from ccaas.telephony.events import (
    Answered,
    Ended,
    EndReason,
    Held,
    Joined,
    KeyPressed,
    Left,
    Offered,
    Ringing,
    TelephonyEvent,
    Unheld,
    Unjoined,
)
from ccaas.testing.fakes.media import FakeMediaStream


@dataclass(frozen=True, slots=True)
class FakePhone:
    """What happens when an endpoint is called."""

    rings: bool = True
    answers: bool = True
    """False: it rings until the time limit."""
    refuses: int = 0
    """Q.850 cause with which it refuses at once; 0: it does not."""
    echo: bool = False
    """Everything that it hears it says."""


@dataclass(eq=False)
class FakeLeg:
    """One far party, or the application's own media leg."""

    id: str
    switch: FakeSwitch = field(repr=False)
    codec: Codec
    ani: str = ""
    dnis: str = ""
    arguments: tuple[str, ...] = ()
    up: bool = False
    ours: bool = True
    bridge_id: str = ""
    music: bool = False
    """We put it on hold."""
    echo: bool = False
    stream: FakeMediaStream | None = None
    """Of a media leg."""
    snooped: FakeLeg | None = field(default=None, repr=False)
    """Whom it hears, where it is a snoop."""
    into: Into = Into.NOBODY
    both: bool = True
    """It hears what that leg hears, too."""
    heard: list[bytes] = field(default_factory=list)
    """Frames that were played to it."""
    keys: str = ""
    """Keys that we sent to it."""
    prompts: list[str] = field(default_factory=list)
    """Recordings that were played to it."""
    end: Ended | None = None
    transferred_to: str = ""
    """Endpoint, or "context,extension,priority" of the dialplan."""

    def say(self, frame: bytes) -> None:
        """One coded frame of the party's speech."""
        self.switch.carry(self, frame)

    def press(self, digits: str, duration_ms: int = 100) -> None:
        for digit in digits:
            self.switch.tell(KeyPressed(self.id, self.switch.now(), digit, duration_ms))

    def hold(self) -> None:
        """The party puts us on hold."""
        self.switch.tell(Held(self.id, self.switch.now()))

    def unhold(self) -> None:
        self.switch.tell(Unheld(self.id, self.switch.now()))

    def come_back(self) -> None:
        """The transfer failed: the leg is offered again."""
        self.ours = True
        self.switch.offer_again(self)

    def hang_up(self, cause: int = 16) -> None:
        self.switch.end(self, EndReason.HUNG_UP, cause)


class FakeSwitch:
    """In memory; speaks to one application. It is connected from the start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self.phones: dict[str, FakePhone] = {}
        """Endpoint → what happens when it is called; one that is not here answers."""
        self.commands: list[tuple[str, ...]] = []
        """Name and arguments of every command, in order."""
        self.failing: dict[str, Exception] = {}
        """Command's name → what it raises, once."""
        self.all_legs: dict[str, FakeLeg] = {}
        """Every leg that ever was."""
        self._here: dict[str, FakeLeg] = {}
        self._bridges: set[str] = set()
        self._events: asyncio.Queue[TelephonyEvent | Connected | Disconnected | None] = asyncio.Queue()
        self._connected = True
        self._ids = itertools.count(1)
        self._told: set[str] = set()
        self._events.put_nowait(Connected())

    # The network's side

    def call_in(
        self, dnis: str, ani: str = "", codec: Codec = Codec.ULAW, arguments: tuple[str, ...] = (), up: bool = False
    ) -> FakeLeg:
        """Somebody calls."""
        leg = self._add(f"fake-{next(self._ids)}", codec, ani=ani, dnis=dnis, arguments=arguments, up=up)
        self.tell(Offered(leg.id, self.now(), ani, dnis, codec, arguments))
        return leg

    def offer_again(self, leg: FakeLeg) -> None:
        leg.arguments = ("transfer_failed", leg.dnis)
        self._told.add(leg.id)
        # From the dialplan's own extension, as on Asterisk; what was dialled stands in the arguments.
        self.tell(Offered(leg.id, self.now(), leg.ani, "s", leg.codec, leg.arguments))

    def disconnect(self) -> None:
        """The event stream breaks: events are lost and commands fail until `reconnect`."""
        self._connected = False
        self._events.put_nowait(Disconnected())

    def reconnect(self) -> None:
        """The event stream is back: legs that went in between end now."""
        self._connected = True
        for leg in self.all_legs.values():
            if leg.id in self._told and leg.id not in self._here:
                self._told.discard(leg.id)
                self._events.put_nowait(Ended(leg.id, self.now(), EndReason.HUNG_UP, 0))
        self._events.put_nowait(Connected())

    def tell(self, event: TelephonyEvent) -> None:
        """Report an event, unless the event stream is broken or the leg is not ours."""
        if not self._connected or event.leg_id not in self.all_legs:
            return
        if isinstance(event, Left | Ended):
            if event.leg_id not in self._told:
                return
            self._told.discard(event.leg_id)
        self._events.put_nowait(event)

    def carry(self, speaker: FakeLeg, frame: bytes) -> None:
        """A frame from one leg to the others of its bridge; its snoops hear it also while it is on hold."""
        self._overheard(speaker, frame, said=True)
        if not speaker.bridge_id or speaker.music:
            return
        for leg in tuple(self._here.values()):
            if leg.bridge_id == speaker.bridge_id and leg is not speaker:
                self._give(leg, frame)
                self._overheard(leg, frame, said=False)

    def _overheard(self, leg: FakeLeg, frame: bytes, *, said: bool) -> None:
        """What a leg says or hears reaches its snoops."""
        for snoop in tuple(self._here.values()):
            if snoop.snooped is leg and (said or snoop.both):
                self.carry(snoop, frame)

    def _give(self, leg: FakeLeg, frame: bytes) -> None:
        if leg.snooped is not None:
            if leg.into is not Into.NOBODY:
                self._give(leg.snooped, frame)
            if leg.into is Into.BOTH:
                for other in tuple(self._here.values()):
                    if other.bridge_id == leg.snooped.bridge_id and other is not leg.snooped:
                        self._give(other, frame)
            return
        if leg.stream is not None:
            leg.stream.hear(frame)
            return
        if not leg.music:
            leg.heard.append(frame)
            if leg.echo:
                self.carry(leg, frame)

    def end(self, leg: FakeLeg, reason: EndReason, cause: int) -> None:
        """The leg is gone."""
        if self._here.pop(leg.id, None) is None:
            return
        self._unjoined(leg)
        for snoop in tuple(self._here.values()):
            if snoop.snooped is leg:
                self.end(snoop, EndReason.HUNG_UP, 16)
        leg.end = Ended(leg.id, self.now(), reason, cause)
        if leg.stream is not None:
            leg.stream.lose()
        self.tell(leg.end)

    # The application's side

    async def events(self) -> AsyncIterator[TelephonyEvent | Connected | Disconnected]:
        while (event := await self._events.get()) is not None:
            yield event

    async def answer(self, leg_id: str) -> None:
        leg = self._command("answer", leg_id)
        leg.up = True
        self.tell(Answered(leg.id, self.now(), leg.codec))

    async def ring(self, leg_id: str) -> None:
        self._command("ring", leg_id)

    async def open_media(self, call_id: str, leg_id: str, codec: Codec) -> FakeMediaStream:
        self._note("open_media", call_id, leg_id, codec.value)
        if leg_id in self._here:
            raise MediaError(f"no audio for {leg_id}: the leg exists already")
        leg = self._add(leg_id, codec, up=True)
        leg.stream = FakeMediaStream(
            codec, play=lambda frame: self.carry(leg, frame), on_close=lambda: self.end(leg, EndReason.HUNG_UP, 16)
        )
        return leg.stream

    async def bridge(self, bridge_id: str) -> None:
        self._note("bridge", bridge_id)
        self._bridges.add(bridge_id)

    async def join(self, bridge_id: str, *leg_ids: str) -> None:
        legs = [self._leg(leg_id) for leg_id in leg_ids]
        self._note("join", bridge_id, *leg_ids)
        if bridge_id not in self._bridges:
            raise AriError(f"there is no bridge {bridge_id}", status=404)
        for leg in legs:
            if leg.bridge_id != bridge_id:
                self._unjoined(leg)
                leg.bridge_id = bridge_id
                self.tell(Joined(leg.id, self.now()))

    async def unjoin(self, bridge_id: str, leg_id: str) -> None:
        leg = self._command("unjoin", leg_id, bridge_id)
        if leg.bridge_id == bridge_id:
            self._unjoined(leg)

    async def destroy_bridge(self, bridge_id: str) -> None:
        self._note("destroy_bridge", bridge_id)
        self._bridges.discard(bridge_id)
        for leg in tuple(self._here.values()):
            if leg.bridge_id == bridge_id:
                self._unjoined(leg)

    async def hold(self, leg_id: str) -> None:
        self._command("hold", leg_id).music = True

    async def unhold(self, leg_id: str) -> None:
        self._command("unhold", leg_id).music = False

    async def snoop(self, leg_id: str, target: str, into: Into, *, both: bool = True) -> None:
        snooped = self._command("snoop", target, leg_id, into.value)
        if leg_id in self._here:
            raise AriError(f"the leg {leg_id} exists already", status=409)
        leg = self._add(leg_id, Codec.ULAW, up=True)
        leg.snooped, leg.into, leg.both = snooped, into, both

    async def send_keys(self, leg_id: str, digits: str) -> None:
        self._command("send_keys", leg_id, digits).keys += digits

    async def originate(
        self,
        leg_id: str,
        endpoint: str,
        *,
        caller_id: str,
        timeout_s: float,
        codec: Codec,
        variables: Mapping[str, str],
    ) -> None:
        self._note("originate", leg_id, endpoint)
        if leg_id in self._here:
            raise AriError(f"the leg {leg_id} exists already", status=409)
        phone = self.phones.get(endpoint, FakePhone())
        leg = self._add(leg_id, codec, ani=caller_id, dnis=endpoint, echo=phone.echo)
        if phone.refuses:
            reason = {17: EndReason.BUSY, 21: EndReason.REJECTED}.get(phone.refuses, EndReason.UNREACHABLE)
            self.end(leg, reason, phone.refuses)
            return
        if phone.rings:
            self.tell(Ringing(leg.id, self.now()))
        if phone.answers:
            leg.up = True
            self.tell(Answered(leg.id, self.now(), codec))
        else:
            asyncio.get_running_loop().call_later(timeout_s, self.end, leg, EndReason.NO_ANSWER, 19)

    async def redirect(self, leg_id: str, endpoint: str) -> None:
        leg = self._command("redirect", leg_id, endpoint)
        leg.transferred_to = endpoint
        self._leave(leg)

    async def return_to_dialplan(self, leg_id: str, context: str, extension: str, priority: int = 1) -> None:
        leg = self._command("return_to_dialplan", leg_id, context, extension, str(priority))
        leg.transferred_to = f"{context},{extension},{priority}"
        self._leave(leg)

    async def play_prompt(self, leg_id: str, sound: str) -> None:
        self._command("play_prompt", leg_id, sound).prompts.append(sound)

    async def hang_up(self, leg_id: str, reason: EndReason, cause: int) -> None:
        self._note("hang_up", leg_id, reason.value, str(cause))
        if leg := self._here.get(leg_id):
            self.end(leg, reason, cause)

    async def legs(self) -> tuple[LegSnapshot, ...]:
        self._note("legs")
        return tuple(
            LegSnapshot(
                leg.id,
                leg.up,
                "" if leg.music else leg.bridge_id,
                leg.ani,
                leg.dnis,
                leg.codec,
                leg.arguments,
                leg.ours,
            )
            for leg in self._here.values()
        )

    async def bridges(self) -> tuple[str, ...]:
        self._note("bridges")
        return tuple(sorted(self._bridges))

    async def close(self) -> None:
        for leg in tuple(self._here.values()):
            if leg.stream is not None:
                await leg.stream.close()
        self._events.put_nowait(None)

    def _add(
        self,
        leg_id: str,
        codec: Codec,
        *,
        ani: str = "",
        dnis: str = "",
        arguments: tuple[str, ...] = (),
        up: bool = False,
        echo: bool = False,
    ) -> FakeLeg:
        leg = FakeLeg(leg_id, self, codec, ani=ani, dnis=dnis, arguments=arguments, up=up, echo=echo)
        self._here[leg_id] = self.all_legs[leg_id] = leg
        self._told.add(leg_id)
        return leg

    def _note(self, name: str, *arguments: str) -> None:
        self.commands.append((name, *arguments))
        if not self._connected:
            raise AriError("Asterisk cannot be reached: start it")
        if (error := self.failing.pop(name, None)) is not None:
            raise error

    def _command(self, name: str, leg_id: str, *arguments: str) -> FakeLeg:
        self._note(name, leg_id, *arguments)
        return self._leg(leg_id)

    def _leg(self, leg_id: str) -> FakeLeg:
        leg = self._here.get(leg_id)
        if leg is None:
            raise LegGone(f"there is no leg {leg_id}", status=404, said="Channel not found")
        if not leg.ours:
            raise AriError(f"the leg {leg_id} is not in the application", status=409)
        return leg

    def _unjoined(self, leg: FakeLeg) -> None:
        if leg.bridge_id:
            leg.bridge_id = ""
            self.tell(Unjoined(leg.id, self.now()))

    def _leave(self, leg: FakeLeg) -> None:
        self._unjoined(leg)
        leg.ours = False
        self.tell(Left(leg.id, self.now()))
