"""The text channel: requests to the gateway, and callbacks from it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from http import HTTPStatus

import aiohttp
import structlog
from aiohttp import web

from ccaas.errors import JourneyError, MessageFailed, SetupError
from ccaas.ports.messaging import ChannelCapabilities, InboundMessage, OutboundMessage, Surroundings
from ccaas.ports.site import Site
from ccaas_sms_http.callbacks import BadCallback, Told, entries, parsed
from ccaas_sms_http.sent import FILE, SentIds
from ccaas_sms_http.settings import HttpSmsSettings, Secret
from ccaas_sms_http.signing import BadSignature, check
from ccaas_sms_http.templates import filled, text_at

_log = structlog.get_logger(__name__)

_LARGEST = 256 * 1024
"""Bytes of a callback."""
_WORTH_AGAIN = frozenset({408, 409, 425, 429})
"""Refusals (besides 5xx) that the gateway may take back."""


class HttpSms:
    """Implements `TextChannel`."""

    def __init__(self, settings: HttpSmsSettings, site: Site) -> None:
        self._settings = settings
        self._sent = SentIds(site.state_dir / FILE)
        self._secret = secret_of(settings.send.secret, site)
        self._signing = secret_of(settings.signature.secret, site) if settings.signature else ""
        self._around: Surroundings | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def capabilities(self) -> ChannelCapabilities:
        """See the port."""
        receipts = self._settings.receipt is not None
        return ChannelCapabilities(
            "sms", longest=self._settings.longest, can_begin=True, receipts=receipts, keywords=True
        )

    async def start(self, around: Surroundings) -> None:
        """Open what sending needs; callbacks come through `routes`."""
        await self._sent.open()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._settings.send.timeout_s))
        self._around = around

    def routes(self) -> Sequence[web.RouteDef]:
        """One address for everything that the gateway tells."""
        return (web.post("/callback", self._called_back),)

    async def send(self, message: OutboundMessage) -> None:
        """See the port. A request whose answer was lost may have been taken: it carries our id for the gateway to see."""
        send, session = self._settings.send, self._session
        if session is None:
            raise MessageFailed("the channel is not started", again=True)
        if await self._sent.taken(message.id):
            return
        values = {
            "address": message.address,
            "sender": message.sender or self._settings.numbers[0],
            "text": message.text,
            "id": message.id,
            "secret": self._secret,
        }
        headers = {"Idempotency-Key": message.id} | filled(send.headers, values)
        try:
            async with session.request(
                send.method,
                filled(send.url, values),
                params=filled(send.query, values),
                headers=headers,
                json=None if send.json_body is None else filled(send.json_body, values),
                data=None if send.form is None else filled(send.form, values),
                allow_redirects=False,
            ) as answer:
                content = await _read(answer.content)
        except TimeoutError:
            raise MessageFailed(f"the gateway did not answer within {send.timeout_s:g} s", again=True) from None
        except aiohttp.ClientError as error:
            raise MessageFailed(f"the gateway was not reached ({type(error).__name__})", again=True) from error
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            again = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _WORTH_AGAIN
            raise MessageFailed(f"the gateway refused it: {answer.status} {answer.reason}", again=again)
        await self._sent.keep(message.id, self._its_id(answer.content_type, content))

    async def typing(self, address: str, on: bool) -> None:
        """A short message shows nothing before it is there."""

    async def conceal(self, address: str, message_id: str) -> None:
        """Nothing of a message is kept here."""

    async def close(self) -> None:
        """See the port."""
        self._around = None
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._sent.close()

    def _its_id(self, content_type: str, content: bytes) -> str:
        """The gateway's own name of what it has just taken."""
        if self._settings.send.its_id is None:
            return ""
        try:
            found = text_at(self._settings.send.its_id, parsed(content_type, content))
        except BadCallback:
            found = ""
        if not found:
            _log.warning(
                "the gateway's answer holds no id; its receipts will find no message", at=self._settings.send.its_id
            )
        return found

    async def _called_back(self, request: web.Request) -> web.StreamResponse:
        around = self._around
        if around is None:
            raise web.HTTPServiceUnavailable(text="not ready yet; try again\n")
        body = await _read(request.content)
        if len(body) > _LARGEST:
            raise web.HTTPRequestEntityTooLarge(_LARGEST, len(body), text=f"more than {_LARGEST} bytes\n")
        self._admit(request, body)
        try:
            for entry in entries(self._settings, parsed(request.content_type, body)):
                await self._take(around, entry)
        except BadCallback as error:
            _log.warning("a callback of the SMS gateway cannot be read", problem=str(error))
            raise web.HTTPBadRequest(text=f"{error}\n") from None
        except JourneyError as error:
            _log.error(
                "a callback of the SMS gateway could not be stored; it is asked to come again", problem=str(error)
            )
            raise web.HTTPServiceUnavailable(text="not stored; send it again\n") from None
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _admit(self, request: web.Request, body: bytes) -> None:
        signature = self._settings.signature
        if signature is None:
            # A proxy on this machine speaks for somebody elsewhere.
            if not _is_here(request.remote) or "X-Forwarded-For" in request.headers:
                _log.warning("an unsigned callback from elsewhere was refused", remote=request.remote)
                raise web.HTTPUnauthorized(text="callbacks must be signed; give `signature` in the YAML\n")
            return
        try:
            check(signature, self._signing, request.headers, str(request.url), body)
        except BadSignature as error:
            _log.warning("a callback was refused", remote=request.remote, problem=str(error))
            raise web.HTTPUnauthorized(text=f"{error}\n") from None

    async def _take(self, around: Surroundings, entry: InboundMessage | Told) -> None:
        if isinstance(entry, InboundMessage):
            await around.inbox.received(entry)
            return
        ours = await self._sent.ours(entry.id) if self._settings.send.its_id is not None else entry.id
        if ours is None:
            _log.info("a receipt for a message that is not known", theirs=entry.id)
            return
        await around.inbox.receipt(ours, entry.delivery, entry.detail)


async def _read(stream: aiohttp.StreamReader) -> bytes:
    """All of it, or a little more than the most that is taken."""
    read = b""
    async for part in stream.iter_any():
        read += part
        if len(read) > _LARGEST:
            break
    return read


def secret_of(secret: Secret | None, site: Site) -> str:
    """The secret's value; empty when there is none to look up. Raises SetupError."""
    if secret is None:
        return ""
    if secret.env is not None:
        value = os.environ.get(secret.env, "")
        if not value:
            raise SetupError(f"the environment variable {secret.env} is empty; it must hold the SMS gateway's secret")
        return value
    assert secret.file is not None  # one of the two, by the model
    path = site.path(str(secret.file))
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SetupError(f"{path}: the SMS gateway's secret cannot be read ({error.strerror})") from error
    if not lines or not lines[0].strip():
        raise SetupError(f"{path} is empty; its first line must be the SMS gateway's secret")
    return lines[0].strip()


def _is_here(remote: str | None) -> bool:
    try:
        return ipaddress.ip_address(remote or "").is_loopback
    except ValueError:
        return False
