"""The `Switch` over ARI. It turns commands into REST calls; what ARI's messages mean is in `legs`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import structlog

from ccaas.asterisk.api import Client
from ccaas.asterisk.api import messages as ari
from ccaas.asterisk.errors import AriError, LegGone
from ccaas.asterisk.legs import WANTED, KnownLeg, LegBook, Role, channel_of, codec_of
from ccaas.asterisk.media_legs import MediaChoice, MediaLegs
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.snapshot import OURS, snapshots
from ccaas.asterisk.transport import Report, Transport, Unknown
from ccaas.ports.media import Codec, MediaStream
from ccaas.ports.telephony import Connected, Disconnected, LegSnapshot
from ccaas.telephony.events import Ended, EndReason, TelephonyEvent

log = structlog.get_logger(__name__)

NATIVE_FORMATS = "CHANNEL(audionativeformat)"
TRANSFER_CONTEXT = "ccaas-transfer"
TRANSFER_TO = "CCAAS_TRANSFER_TO"
"""Dialplan context that transfers a call, and the variable in which it finds the endpoint (dialplans/transfer.conf)."""
RETRY_S = 0.5
NORMAL_CLEARING = 16
HANGUP_EXTENSION = "h"
"""Where Asterisk runs the dialplan of a channel that was hung up."""


class AsteriskSwitch:
    """Asterisk as a `Switch`. `open` connects; from then on `events` tells everything in order."""

    def __init__(
        self,
        access: AriAccess,
        media: MediaChoice | None = None,
        *,
        app: str = "ccaas",
        limit_s: float = 5.0,
        ping_s: float = 6.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            access: where ARI is, and as whom it is used.
            media: how audio comes to us; by default over WebSocket.
            app: the name under which the dialplan passes calls to us.
            limit_s: longest wait for Asterisk's answer to one command.
            ping_s: silence after which Asterisk is pinged; half of it later it counts as gone.
            clock: monotonic seconds, for the events' `at`.
        """
        self._app = app
        self._clock = clock
        self._transport = Transport(access, app, WANTED, limit_s=limit_s, ping_s=ping_s)
        self.client = Client(self._transport)
        """The whole of ARI, for what the port has no words for."""
        self._book = LegBook()
        self._media = MediaLegs(access.url, app, self.client, media or MediaChoice())
        self._events: asyncio.Queue[TelephonyEvent | Connected | Disconnected | AriError | None] = asyncio.Queue()
        self._waiting: dict[str, list[ari.AnyEvent | Unknown]] = {}
        self._gap: list[ari.AnyEvent | Unknown] | None = None
        self._connected = asyncio.Event()
        self._catching_up: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect to Asterisk. Raises AriError, one line that says what is wrong."""
        await self._transport.open(self._report)
        try:
            async with asyncio.timeout(self._transport.limit_s):
                await self._connected.wait()
        except TimeoutError:
            await self.close()
            text = f"Asterisk did not say within {self._transport.limit_s:g} s what calls exist; see Asterisk's log"
            raise AriError(text) from None

    async def events(self) -> AsyncIterator[TelephonyEvent | Connected | Disconnected]:
        """Raises AriError when another controller has taken our application's place."""
        while (event := await self._events.get()) is not None:
            if isinstance(event, AriError):
                raise event
            yield event

    async def close(self) -> None:
        await self._transport.close()
        tasks = [*self._tasks, *([self._catching_up] if self._catching_up else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._media.close()
        self._events.put_nowait(None)

    # What Asterisk reports

    def _report(self, report: Report) -> None:
        match report:
            case Connected():
                self._gap = []
                self._catching_up = asyncio.create_task(self._catch_up(), name="ari-catch-up")
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
            known = self._book.made()
            try:
                found = await self.legs()
                break
            except AriError as error:
                log.warning("asterisk does not say what exists", reason=str(error))
                await asyncio.sleep(RETRY_S)
        ours = {leg.leg_id for leg in found if leg.ours}
        elsewhere = {leg.leg_id for leg in found if not leg.ours}
        for gone in (leg for leg in known if leg.id in self._book and leg.id not in ours):
            at = self._clock()
            self._tell(self._book.left(gone, at) if gone.id in elsewhere else self._book.ended(gone, 0, at))
        for leg in found:
            if leg.ours and leg.leg_id not in self._book:
                role = Role.OFFERED if leg.up or leg.arguments else Role.ORIGINATED
                self._book.add(KnownLeg(leg.leg_id, role, leg.codec, made=True, up=leg.up, bridge_id=leg.bridge_id))
        gap, self._gap = self._gap or [], None
        self._connected.set()
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
        leg = self._book.get(channel.id)
        match event:
            case ari.StasisStart() if leg is None or leg.role is not Role.MEDIA:
                self._ask(channel.id, self._started(event))
            case ari.StasisStart():
                self._media.started(channel.id)
            case ari.StasisEnd() if leg is not None and not (leg.hung or leg.ending or leg.leaving):
                self._ask(channel.id, self._gone_or_left(leg))
            case _:
                self._tell(self._book.read(event, self._clock()))

    def _tell(self, event: TelephonyEvent | None) -> None:
        if isinstance(event, Ended):
            self._media.ended(event.leg_id)
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

        self._begin(ask(), leg_id)

    def _begin(self, work: Coroutine[Any, Any, None], leg_id: str) -> None:
        task = asyncio.create_task(work, name=f"ari-{leg_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _started(self, event: ari.StasisStart) -> None:
        leg = self._book.get(event.channel.id)
        if event.channel.dialplan.exten == HANGUP_EXTENSION:
            # A dialplan whose patterns match "h" offers the dead once more.
            return
        ours = leg is not None and leg.role is Role.ORIGINATED
        codec = await self._codec(event.channel.id, leg.codec if leg and ours else Codec.ULAW)
        if leg is not None and ours:
            self._tell(self._book.answered(leg, codec, self._clock()))
        else:
            self._tell(self._book.offered(event, codec, self._clock()))

    async def _gone_or_left(self, leg: KnownLeg) -> None:
        with suppress(AriError):
            await self.client.channels.get(channel_id=leg.id)
            if not any(isinstance(event, ari.ChannelHangupRequest) for event in self._waiting[leg.id]):
                self._tell(self._book.left(leg, self._clock()))

    async def _codec(self, leg_id: str, fallback: Codec) -> Codec:
        try:
            native = await self.client.channels.get_channel_var(channel_id=leg_id, variable=NATIVE_FORMATS)
        except AriError:
            return fallback
        return codec_of(native.value, fallback)

    # Commands

    async def answer(self, leg_id: str) -> None:
        leg = self._book.get(leg_id)
        already = leg is not None and leg.up
        await self.client.channels.answer(channel_id=leg_id)
        if already and leg is not None:
            # The dialplan had answered: Asterisk reports no change of state, and the core waits for one.
            self._tell(self._book.answered(leg, leg.codec, self._clock()))

    def _new(self, leg_id: str, role: Role, codec: Codec) -> None:
        if leg_id in self._book:
            raise AriError(f"the leg {leg_id} exists already", status=409)
        # Known before it is made: its first events may come before the answer to our request.
        self._book.add(KnownLeg(leg_id, role, codec, up=role is Role.MEDIA))

    def _made(self, leg_id: str) -> None:
        if leg := self._book.get(leg_id):
            leg.made = True

    async def ring(self, leg_id: str) -> None:
        await self.client.channels.ring(channel_id=leg_id)

    async def open_media(self, call_id: str, leg_id: str, codec: Codec) -> MediaStream:
        self._new(leg_id, Role.MEDIA, codec)
        try:
            stream = await self._media.open(leg_id, codec)
        except BaseException:
            self._book.forget(leg_id)
            raise
        self._made(leg_id)
        return stream

    async def bridge(self, bridge_id: str) -> None:
        # dtmf_events keeps Asterisk from joining two phones so directly that keys are no longer reported.
        with _unless(409):
            await self.client.bridges.create_with_id(bridge_id=bridge_id, type="mixing,dtmf_events", name=bridge_id)

    async def join(self, bridge_id: str, *leg_ids: str) -> None:
        await self.client.bridges.add_channel(bridge_id=bridge_id, channel=leg_ids)

    async def unjoin(self, bridge_id: str, leg_id: str) -> None:
        with _unless(404, 409, 422):
            await self.client.bridges.remove_channel(bridge_id=bridge_id, channel=[leg_id])

    async def destroy_bridge(self, bridge_id: str) -> None:
        with _unless(404, 409):
            await self.client.bridges.destroy(bridge_id=bridge_id)

    async def hold(self, leg_id: str) -> None:
        leg = self._book.get(leg_id)
        if leg is not None and leg.bridge_id and not leg.held_from:
            # In a bridge the first frame of the others would end the music.
            leg.held_from = leg.bridge_id
            await self.unjoin(leg.held_from, leg_id)
        await self.client.channels.start_moh(channel_id=leg_id)

    async def unhold(self, leg_id: str) -> None:
        await self.client.channels.stop_moh(channel_id=leg_id)
        leg = self._book.get(leg_id)
        if leg is not None and leg.held_from:
            await self.join(leg.held_from, leg_id)

    async def send_keys(self, leg_id: str, digits: str) -> None:
        await self.client.channels.send_dtmf(channel_id=leg_id, dtmf=digits)

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
        self._new(leg_id, Role.ORIGINATED, codec)
        try:
            await self.client.channels.originate_with_id(
                channel_id=leg_id,
                endpoint=endpoint,
                app=self._app,
                caller_id=caller_id,
                timeout=max(1, round(timeout_s)),
                formats=codec.value,
                other_channel_id=f"{leg_id}-far" if endpoint.startswith("Local/") else None,
                variables=dict(variables),
            )
        except AriError as error:
            self._book.forget(leg_id)
            if error.status >= 500:
                text = f"Asterisk has no way to {endpoint!r} ({error.said}): is it registered and spelt rightly?"
                raise AriError(
                    text, status=error.status, method=error.method, path=error.path, said=error.said
                ) from error
            if error.status == 0:
                # Asterisk may have begun it all the same: no phone shall ring for nobody.
                self._begin(self._give_up(leg_id), leg_id)
            raise
        self._made(leg_id)

    async def redirect(self, leg_id: str, endpoint: str) -> None:
        """By SIP (302 before the answer, REFER after it) to "PJSIP/sip:…", to any other endpoint by Asterisk's Dial().

        ARI's own redirect says nothing about what came of it, and leaves the old call open; the dialplan knows. When
        nobody takes the call, it is offered again, with the arguments "transfer_failed" and the number dialled first.
        """
        with self._leaving(leg_id, EndReason.TRANSFERRED):
            await self.client.channels.set_channel_var(channel_id=leg_id, variable=TRANSFER_TO, value=endpoint)
            await self.client.channels.continue_in_dialplan(
                channel_id=leg_id, context=TRANSFER_CONTEXT, extension="s", priority=1
            )

    async def return_to_dialplan(self, leg_id: str, context: str, extension: str, priority: int = 1) -> None:
        with self._leaving(leg_id, EndReason.RETURNED):
            await self.client.channels.continue_in_dialplan(
                channel_id=leg_id, context=context, extension=extension, priority=priority
            )

    async def play_prompt(self, leg_id: str, sound: str) -> None:
        await self.client.channels.play(channel_id=leg_id, media=[f"sound:{sound}"])

    async def hang_up(self, leg_id: str, reason: EndReason, cause: int) -> None:
        if leg := self._book.get(leg_id):
            leg.ending, leg.cause = (leg.ending, leg.cause) if leg.ending else (reason, cause)
        with suppress(LegGone):
            await self.client.channels.hangup(channel_id=leg_id, reason_code=str(cause))

    async def _give_up(self, leg_id: str) -> None:
        with suppress(AriError):
            await self.client.channels.hangup(channel_id=leg_id, reason_code=str(NORMAL_CLEARING))

    @contextmanager
    def _leaving(self, leg_id: str, reason: EndReason) -> Iterator[None]:
        leg = self._book.get(leg_id)
        if leg is not None:
            leg.leaving = reason
        try:
            yield
        except AriError:
            if leg is not None:
                leg.leaving = None
            raise

    # What exists

    async def legs(self) -> tuple[LegSnapshot, ...]:
        channels, application, bridges = await asyncio.gather(
            self.client.channels.list(),
            self.client.applications.get(application_name=self._app),
            self.client.bridges.list(),
        )
        found = snapshots(self._app, channels, frozenset(application.channel_ids), bridges)

        async def codec(leg: LegSnapshot) -> Codec:
            known = self._book.get(leg.leg_id)
            return known.codec if known else await self._codec(leg.leg_id, leg.codec)

        codecs = await asyncio.gather(*(codec(leg) for leg in found))
        return tuple(replace(leg, codec=codec) for leg, codec in zip(found, codecs, strict=True))

    async def bridges(self) -> tuple[str, ...]:
        return tuple(bridge.id for bridge in await self.client.bridges.list() if bridge.id.startswith(OURS))


@contextmanager
def _unless(*statuses: int) -> Iterator[None]:
    """Let pass that what should not be is not there."""
    try:
        yield
    except AriError as error:
        if error.status not in statuses:
            raise
