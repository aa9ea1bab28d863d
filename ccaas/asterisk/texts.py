"""SIP MESSAGE through Asterisk: an ARI application of its own, so that calls' events and texts never mix.

The calls' application must not subscribe to endpoints: Asterisk would report every channel of theirs a second time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress

import structlog

from ccaas.asterisk.api import Client
from ccaas.asterisk.api.messages import TextMessageReceived
from ccaas.asterisk.errors import AriError
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.transport import Report, Transport
from ccaas.errors import MessageFailed
from ccaas.ports.messaging import SipText
from ccaas.ports.telephony import Connected

_log = structlog.get_logger(__name__)

APP = "ccaas-texts"
_ALL = "endpoint:PJSIP"
_URI = re.compile(r"sips?:[^\s<>\"@]+@[^\s<>\"]+")
_TO = re.compile(r"PJSIP/(?P<endpoint>[\w.+-]+)(?:/(?P<uri>sips?:[^\s<>\"]+))?")
_ONLINE = "online"


class AsteriskTexts:
    """Implements `SipMessages`. Nothing is opened before `send` or `listen` is called."""

    def __init__(self, access: AriAccess, app: str = APP, limit_s: float = 5.0) -> None:
        self._app = app
        self._transport = Transport(access, app, (TextMessageReceived,), limit_s=limit_s)
        self._client = Client(self._transport)
        self._opening = asyncio.Lock()
        self._open = False
        self._takers: list[Callable[[SipText], None]] = []
        self._subscribing: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def send(self, to: str, sender: str, text: str) -> None:
        """See the port.

        Asterisk 22 dies of a message to an endpoint that has no address of record (seen with `pjsip:anonymous`), so
        an endpoint alone is written to only while a phone is registered there, and otherwise a URI is demanded.
        """
        target = _TO.fullmatch(to)
        if target is None:
            raise MessageFailed(
                f"{to!r} is no SIP destination; write PJSIP/6001 or PJSIP/trunk/sip:+1…@host", again=False
            )
        endpoint, uri = target["endpoint"], target["uri"]
        try:
            await self._ensure_open()
            found = await self._client.endpoints.get(tech="PJSIP", resource=endpoint)
            if uri is None and found.state != _ONLINE:
                raise MessageFailed(f"no phone is registered as {endpoint}", again=True)
            address = f"pjsip:{endpoint}" if uri is None else f"pjsip:{endpoint}/{uri}"
            await self._client.endpoints.send_message(to=address, from_=sender, body=text)
        except AriError as error:
            known = error.status == 404
            why = f"Asterisk knows no way to {to}" if known else str(error)
            raise MessageFailed(why, again=not known) from error

    async def listen(self, on_text: Callable[[SipText], None]) -> None:
        """See the port."""
        self._takers.append(on_text)
        await self._ensure_open()
        try:
            async with asyncio.timeout(self._transport.limit_s):
                await self._listening.wait()
        except TimeoutError:
            raise AriError("Asterisk does not hand over SIP messages; its log says why") from None

    async def close(self) -> None:
        """Texts are no longer received: Asterisk refuses them, and the phone that sent one knows."""
        if self._subscribing is not None:
            self._subscribing.cancel()
            await asyncio.gather(self._subscribing, return_exceptions=True)
            # An application that only goes away keeps its subscriptions: Asterisk would take texts and drop them.
            with suppress(AriError):
                await refuse_texts(self._client, self._app)
        await self._transport.close()

    async def _ensure_open(self) -> None:
        async with self._opening:
            if not self._open:
                await self._transport.open(self._take)
                self._open = True

    def _take(self, report: Report) -> None:
        match report:
            case Connected():
                self._subscribing = asyncio.create_task(self._subscribe(), name="sip texts")
            case TextMessageReceived():
                self._hand_over(report)
            case AriError():
                _log.error("SIP messages are no longer received", problem=str(report))

    async def _subscribe(self) -> None:
        try:
            await self._client.applications.subscribe(application_name=self._app, event_source=[_ALL])
        except AriError as error:
            _log.error("SIP messages are not received", problem=str(error))
        else:
            self._listening.set()

    def _hand_over(self, report: TextMessageReceived) -> None:
        text = sip_text(report)
        for take in self._takers:
            take(text)


async def refuse_texts(client: Client, app: str = APP) -> None:
    """Have Asterisk refuse texts while nobody listens. Raises AriError, also when nobody has listened before."""
    await client.applications.unsubscribe(application_name=app, event_source=[_ALL])


def sip_text(report: TextMessageReceived) -> SipText:
    """What a phone sent, with the address from which it really came as the way back (RFC 3428 has no dialogue)."""
    message = report.message
    headers = {name.lower(): str(value) for name, value in (message.variables or {}).items()}
    endpoint = report.endpoint.resource if report.endpoint else ""
    found = _URI.search(message.from_)
    sender = found[0] if found else message.from_
    number, came_from = headers.get("cseq", ""), headers.get("pjsip_recvaddr", "")
    user = sender.partition(":")[2].partition("@")[0]
    transport = headers.get("pjsip_transport", "udp").lower()
    # A phone that registered is reached as such, wherever it is by then.
    back = f"/sip:{user}@{came_from};transport={transport}" if came_from and user != endpoint else ""
    return SipText(
        id=f"{headers.get('call-id', report.timestamp)} {number}".strip(),
        sender=sender,
        to=message.to.removeprefix("pjsip:").partition("@")[0],
        text=message.body,
        endpoint=endpoint,
        reply_to=f"PJSIP/{endpoint}{back}",
    )
