"""From the wire's reports to the switch's events: in order, complete, and each leg's end told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from ccaas.asterisk.api import Client
from ccaas.asterisk.api import messages as ari
from ccaas.asterisk.errors import AriError
from ccaas.asterisk.legs import KnownLeg, LegBook, Role, channel_of, codec_of
from ccaas.asterisk.media_legs import MediaLegs
from ccaas.asterisk.snapshot import snapshots
from ccaas.asterisk.transport import Report, Unknown
from ccaas.ports.media import Codec
from ccaas.ports.telephony import Connected, Disconnected, LegSnapshot
from ccaas.telephony.events import Ended, Left, TelephonyEvent

log = structlog.get_logger(__name__)

NATIVE_FORMATS = "CHANNEL(audionativeformat)"
RETRY_S = 0.5
HANGUP_EXTENSION = "h"
"""Where Asterisk runs the dialplan of a channel that was hung up."""


class Reports:
    """Reads what the wire reports (`take` is its sink), and asks Asterisk where a report alone does not say enough."""

    def __init__(self, client: Client, app: str, media: MediaLegs, clock: Callable[[], float]) -> None:
        self._client = client
        self._app = app
        self._media = media
        self._clock = clock
        self.book = LegBook()
        self.connected = asyncio.Event()
        """Set once it is known for the first time what exists."""
        self._events: asyncio.Queue[TelephonyEvent | Connected | Disconnected | AriError | None] = asyncio.Queue()
        self._waiting: dict[str, list[ari.AnyEvent | Unknown]] = {}
        self._gap: list[ari.AnyEvent | Unknown] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def events(self) -> AsyncIterator[TelephonyEvent | Connected | Disconnected]:
        """Raises AriError when the wire has ended for good."""
        while (event := await self._events.get()) is not None:
            if isinstance(event, AriError):
                raise event
            yield event

    async def close(self) -> None:
        for task in (*self._tasks,):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._events.put_nowait(None)

    def take(self, report: Report) -> None:
        """What the wire reports, in its order."""
        match report:
            case Connected():
                self._gap = []
                self._catching_up = self.begin(self._catch_up(), "catch-up")
            case Disconnected():
                if self._catching_up is not None:
                    self._catching_up.cancel()
                self._gap = None
                self._events.put_nowait(report)
            case AriError():
                self._events.put_nowait(report)
            case _ if self._gap is not None:
                self._gap.append(report)
            case _:
                self._read(report)

    async def _catch_up(self) -> None:
        """What the gap hid: legs that are gone end now, and the others are known again before anything else is told."""
        while True:
            # What is made from here on may be too new for Asterisk's list.
            known = self.book.made()
            try:
                found = await self.legs()
                break
            except AriError as error:
                log.warning("asterisk does not say what exists", reason=str(error))
                await asyncio.sleep(RETRY_S)
        ours = {leg.leg_id for leg in found if leg.ours}
        elsewhere = {leg.leg_id for leg in found if not leg.ours}
        for gone in (leg for leg in known if leg.id in self.book and leg.id not in ours):
            at = self._clock()
            self.tell(self.book.left(gone, at) if gone.id in elsewhere else self.book.ended(gone, 0, at))
        for leg in found:
            if leg.ours and leg.leg_id not in self.book:
                role = Role.OFFERED if leg.up or leg.arguments else Role.ORIGINATED
                self.book.add(KnownLeg(leg.leg_id, role, leg.codec, made=True, up=leg.up, bridge_id=leg.bridge_id))
        gap, self._gap = self._gap or [], None
        self.connected.set()
        self._events.put_nowait(Connected())
        for event in gap:
            self._read(event)

    def _read(self, event: ari.AnyEvent | Unknown) -> None:
        channel = channel_of(event)
        if channel is None:
            return
        if (waiting := self._waiting.get(channel.id)) is not None:
            waiting.append(event)
            return
        leg = self.book.get(channel.id)
        match event:
            case ari.StasisStart() if leg is None or leg.role is not Role.MEDIA:
                self._ask(channel.id, self._started(event))
            case ari.StasisStart():
                self._media.started(channel.id)
            case ari.StasisEnd() if leg is not None and not (leg.hung or leg.ending or leg.leaving):
                self._ask(channel.id, self._gone_or_left(leg))
            case _:
                self.tell(self.book.read(event, self._clock()))

    def tell(self, event: TelephonyEvent | None) -> None:
        """Queue an event for the switch's consumer."""
        if isinstance(event, Ended):
            self._media.ended(event.leg_id)
        if isinstance(event, Ended | Left):
            # Asterisk ends a snoop only when it next has audio for it: one that is in no bridge would stay for ever.
            for snoop in self.book.snooping_on(event.leg_id):
                self.begin(self._hang_up(snoop), snoop)
        if event is not None:
            self._events.put_nowait(event)

    def _ask(self, leg_id: str, question: Coroutine[Any, Any, None]) -> None:
        """Ask Asterisk something about a leg; the leg's later events wait for the answer, other legs' do not."""
        self._waiting[leg_id] = []

        async def ask() -> None:
            try:
                await question
            finally:
                for event in self._waiting.pop(leg_id):
                    self._read(event)

        self.begin(ask(), leg_id)

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Do something beside the events; it ends with `close` at the latest."""
        task = asyncio.create_task(work, name=f"ari-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a fault while reading what asterisk reported", task=task.get_name(), exc_info=error)

    async def _started(self, event: ari.StasisStart) -> None:
        leg = self.book.get(event.channel.id)
        if event.channel.dialplan.exten == HANGUP_EXTENSION:
            # A dialplan whose patterns match "h" offers the dead once more.
            return
        ours = leg is not None and leg.role is Role.ORIGINATED
        codec = await self._codec(event.channel.id, leg.codec if leg and ours else Codec.ULAW)
        if leg is not None and ours:
            self.tell(self.book.answered(leg, codec, self._clock()))
        else:
            self.tell(self.book.offered(event, codec, self._clock()))

    async def _hang_up(self, leg_id: str) -> None:
        with suppress(AriError):
            await self._client.channels.hangup(channel_id=leg_id)

    async def _gone_or_left(self, leg: KnownLeg) -> None:
        with suppress(AriError):
            await self._client.channels.get(channel_id=leg.id)
            if not any(isinstance(event, ari.ChannelHangupRequest) for event in self._waiting[leg.id]):
                self.tell(self.book.left(leg, self._clock()))

    async def legs(self) -> tuple[LegSnapshot, ...]:
        """What exists under our application now."""
        channels, application, bridges = await asyncio.gather(
            self._client.channels.list(),
            self._client.applications.get(application_name=self._app),
            self._client.bridges.list(),
        )
        found = snapshots(self._app, channels, frozenset(application.channel_ids), bridges)

        async def codec(leg: LegSnapshot) -> Codec:
            known = self.book.get(leg.leg_id)
            return known.codec if known else await self._codec(leg.leg_id, leg.codec)

        codecs = await asyncio.gather(*(codec(leg) for leg in found))
        return tuple(replace(leg, codec=codec) for leg, codec in zip(found, codecs, strict=True))

    async def _codec(self, leg_id: str, fallback: Codec) -> Codec:
        try:
            native = await self._client.channels.get_channel_var(channel_id=leg_id, variable=NATIVE_FORMATS)
        except AriError:
            return fallback
        return codec_of(native.value, fallback)
