"""The `Switch` over ARI. It turns commands into REST calls; what Asterisk reports is read by `reports` and `legs`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Literal

from ccaas.asterisk.api import Client
from ccaas.asterisk.errors import AriError, LegGone
from ccaas.asterisk.legs import WANTED, KnownLeg, Role
from ccaas.asterisk.media_legs import MediaChoice, MediaLegs
from ccaas.asterisk.reports import Reports
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.snapshot import OURS
from ccaas.asterisk.transport import Transport
from ccaas.ports.media import Codec, MediaStream
from ccaas.ports.telephony import Connected, Disconnected, Into, LegSnapshot
from ccaas.telephony.events import EndReason, TelephonyEvent

TRANSFER_CONTEXT = "ccaas-transfer"
TRANSFER_TO = "CCAAS_TRANSFER_TO"
"""Dialplan context that transfers a call, and the variable in which it finds the endpoint (dialplans/transfer.conf)."""
NORMAL_CLEARING = 16
WHISPER: Mapping[Into, Literal["none", "both", "out", "in"]] = {
    Into.NOBODY: "none",
    Into.ITSELF: "out",
    Into.BOTH: "both",
}
"""ARI's words; "out" is what a channel's phone hears."""


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
        """Args:
        access: where ARI is, and as whom it is used.
        media: how audio comes to us; by default over WebSocket.
        app: the name under which the dialplan passes calls to us.
        limit_s: longest wait for Asterisk's answer to one command.
        ping_s: silence after which Asterisk is pinged; half of it later it counts as gone.
        clock: monotonic seconds, for the events' `at`.
        """
        self._app = app
        self._transport = Transport(access, app, WANTED, limit_s=limit_s, ping_s=ping_s)
        self.client = Client(self._transport)
        """The whole of ARI, for what the port has no words for."""
        self._media = MediaLegs(access.url, app, self.client, media or MediaChoice())
        self._reports = Reports(self.client, app, self._media, clock)
        self._book = self._reports.book
        self._clock = clock

    async def open(self) -> None:
        """Connect to Asterisk. Raises AriError, one line that says what is wrong."""
        await self._transport.open(self._reports.take)
        try:
            async with asyncio.timeout(self._transport.limit_s):
                await self._reports.connected.wait()
        except TimeoutError:
            await self.close()
            text = f"Asterisk did not say within {self._transport.limit_s:g} s what calls exist; see Asterisk's log"
            raise AriError(text) from None

    def events(self) -> AsyncIterator[TelephonyEvent | Connected | Disconnected]:
        """Raises AriError when another controller has taken our application's place."""
        return self._reports.events()

    async def close(self) -> None:
        """Let go of Asterisk: media legs end, all other legs and the bridges stay."""
        await self._media.close()
        await self._reports.close()
        await self._transport.close()

    # Commands

    async def answer(self, leg_id: str) -> None:
        leg = self._book.get(leg_id)
        silent = leg is not None and leg.up and not leg.answered
        await self.client.channels.answer(channel_id=leg_id)
        if leg is not None and silent:
            # The dialplan had answered: Asterisk reports no change of state, and the core waits for one.
            self._reports.tell(self._book.answered(leg, leg.codec, self._clock()))

    def _new(self, leg_id: str, role: Role, codec: Codec, *, snoops_on: str = "") -> None:
        if leg_id in self._book:
            raise AriError(f"the leg {leg_id} exists already", status=409)
        # Known before it is made: its first events may come before the answer to our request.
        self._book.add(KnownLeg(leg_id, role, codec, up=role is Role.MEDIA, snoops_on=snoops_on))

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

    async def snoop(self, leg_id: str, target: str, into: Into, *, both: bool = True) -> None:
        self._new(leg_id, Role.MEDIA, Codec.ULAW, snoops_on=target)
        making = self.client.channels.snoop_channel_with_id(
            channel_id=target, snoop_id=leg_id, app=self._app, spy="both" if both else "in", whisper=WHISPER[into]
        )
        try:
            await self._media.begun(leg_id, making)
        except BaseException:
            self._book.forget(leg_id)
            raise
        self._made(leg_id)

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
                self._reports.begin(self._give_up(leg_id), leg_id)
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
        return await self._reports.legs()

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
