"""Whom a page is let in as: resuming a session, and whose it may be.

A session without a customer belongs to who has its secret. One that a token has bound to a customer needs a token of
that customer each time: the next person at a shared computer, or the same one signed out, begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from ccaas.ports.journey import Assurance, Identity, IdentityKind
from ccaas_webchat.frames import Closed, Hello
from ccaas_webchat.sessions import may_resume, new_session, resume_secret
from ccaas_webchat.settings import WebChatSettings
from ccaas_webchat.store import Record, Store
from ccaas_webchat.tokens import TokenRefused, customer_of

DEFAULT_ENTRY = "web"
"""What a widget without `data-entry` writes to."""


class TurnedAway(Exception):
    """Somebody may not chat."""

    def __init__(self, code: Closed) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at a page."""

    session: str
    resume: str
    customer: str
    """Whom a token proved; empty for a stranger."""
    entry: str
    kept: bool
    """The session is in the store."""

    @property
    def identity(self) -> Identity:
        """The session's own."""
        return Identity(IdentityKind.CHAT, self.session)

    @property
    def assurance(self) -> Assurance:
        """Verified by a token, else no more than claimed."""
        return Assurance.VERIFIED if self.customer else Assurance.CLAIMED

    @property
    def record(self) -> Record:
        """As the store keeps it."""
        return Record(self.customer, self.entry)


class Door:
    """Checks what a page shows when it says hello."""

    def __init__(self, settings: WebChatSettings, store: Store, resume_key: bytes, token_key: bytes) -> None:
        self._settings = settings
        self._store = store
        self._resume_key = resume_key
        self._token_key = token_key
        self._log = structlog.get_logger("webchat")

    async def enter(self, hello: Hello, address: str, now: float) -> Visitor:
        """Let a page in.

        Args:
            hello: what it showed.
            address: its IP address, for the log.
            now: Unix seconds.

        Raises:
            TurnedAway: it may not chat.
            MessageFailed: the store failed.
        """
        customer = self._customer(hello.token, address)
        entry = hello.entry or DEFAULT_ENTRY
        session = hello.session if may_resume(self._resume_key, hello.session, hello.resume) else ""
        record = await self._store.record(session) if session else None
        if record is not None and record.customer not in ("", customer):
            record = None
        if record is None and customer:
            session = await self._store.newest_of(customer) or ""
            record = await self._store.record(session) if session else None
        if record is None:
            session = new_session()
        visitor = Visitor(session, resume_secret(self._resume_key, session), customer, entry, record is not None)
        if record is not None and record != visitor.record:
            await self._store.touch(session, visitor.record, now)
        return visitor

    def _customer(self, token: str, address: str) -> str:
        customer = ""
        if token:
            try:
                customer = customer_of(token, self._token_key)
            except TokenRefused as error:
                strangers = self._settings.bad_token == "anonymous" and self._settings.anonymous
                outcome = "goes on as a stranger" if strangers else "turned away"
                self._log.warning("chat token refused", why=str(error), address=address, outcome=outcome)
                if not strangers:
                    raise TurnedAway(Closed.TOKEN) from None
        if not customer and not self._settings.anonymous:
            raise TurnedAway(Closed.SIGN_IN)
        return customer
