"""The text channel: mail in by IMAP, mail out by SMTP."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import CancelledError

import aiosmtplib
import structlog
from aiohttp import web

from ccaas.errors import JourneyError, MessageFailed
from ccaas.ports.messaging import ChannelCapabilities, Delivery, InboundMessage, OutboundMessage, Surroundings
from ccaas.ports.site import Site
from ccaas_email.mailbox import Watcher
from ccaas_email.reading import Bounce, Mail, read
from ccaas_email.settings import EmailSettings
from ccaas_email.writing import CHAIN, own_id, written

_log = structlog.get_logger(__name__)

_LIMIT_S = 20.0
_LEAVE_S = 5.0
_SENT = 2_000
"""Ids of messages that are remembered, so that none is sent twice."""


class Email:
    """Implements `TextChannel`."""

    def __init__(self, settings: EmailSettings, site: Site) -> None:
        self._settings = settings
        self._imap_password = settings.imap.password(site)
        self._smtp_password = settings.smtp.password(site)
        self._around: Surroundings | None = None
        self._watcher: Watcher | None = None
        self._sent: OrderedDict[str, None] = OrderedDict()

    @property
    def capabilities(self) -> ChannelCapabilities:
        """See the port."""
        return ChannelCapabilities("email", can_begin=True)

    async def start(self, around: Surroundings) -> None:
        """Begin to watch the mailbox. A server that is not there is tried again and again: calls do not wait for it."""
        self._around = around
        loop = asyncio.get_running_loop()

        def take(raw: bytes) -> bool:
            try:
                return asyncio.run_coroutine_threadsafe(self._take(raw), loop).result()
            except (CancelledError, RuntimeError):
                return False  # We are being closed

        settings = self._settings
        self._watcher = Watcher(settings.imap, self._imap_password, settings.folder, settings.poll_s, take)
        self._watcher.start()

    def routes(self) -> Sequence[web.RouteDef]:
        """None: nothing of it is HTTP."""
        return ()

    async def send(self, message: OutboundMessage) -> None:
        """See the port. A mail that is sent again after a doubtful end has the same Message-ID, which readers fold."""
        if self._around is None:
            raise MessageFailed("the mailbox is not open", again=True)
        if message.id in self._sent:
            return
        server = self._settings.smtp
        try:
            mail = written(message, self._settings)
            await aiosmtplib.send(
                mail,
                hostname=server.host,
                port=server.port,
                use_tls=server.security == "tls",
                start_tls=server.security == "starttls",
                username=server.user or None,
                password=self._smtp_password or None,
                timeout=_LIMIT_S,
            )
        except aiosmtplib.SMTPResponseException as error:
            raise MessageFailed(
                f"the mail server refused it: {error.code} {error.message}", again=error.code < 500
            ) from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = max(refused.code for refused in error.recipients)
            raise MessageFailed(f"the mail server refused {message.address}: {code}", again=code < 500) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MessageFailed(f"the mail server was not reached ({error})", again=True) from error
        except ValueError as error:
            raise MessageFailed(f"{message.address!r} cannot be written to ({error})", again=False) from error
        self._sent[message.id] = None
        if len(self._sent) > _SENT:
            self._sent.popitem(last=False)

    async def typing(self, address: str, on: bool) -> None:
        """A mail shows nothing before it is there."""

    async def conceal(self, address: str, message_id: str) -> None:
        """The mail lies in the mailbox, whose owner says for how long; nothing of it is kept here."""

    async def close(self) -> None:
        """Stop watching; what is being handed over is finished first, or stays unread."""
        self._around = None
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()
            await asyncio.to_thread(watcher.join, _LEAVE_S)

    async def _take(self, raw: bytes) -> bool:
        around = self._around
        if around is None:
            return False
        mail = await asyncio.to_thread(read, raw, self._settings.languages)
        try:
            match mail:
                case Mail():
                    await around.inbox.received(self._message(mail))
                case Bounce():
                    await around.inbox.receipt(own_id(mail.about), Delivery.FAILED, mail.why)
                case None:
                    _log.info("a mail from a machine is left alone")
        except JourneyError as error:
            _log.error("a mail could not be stored; it stays unread", problem=str(error))
            return False
        return True

    def _message(self, mail: Mail) -> InboundMessage:
        return InboundMessage(
            id=mail.id,
            address=mail.sender,
            to=self._settings.address,
            text=mail.text or mail.subject,
            at=mail.at,
            reference=mail.reference,
            subject=mail.subject,
            data={CHAIN: mail.chain},
        )
