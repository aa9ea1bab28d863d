"""Sessions of browsers: a random token in a signed cookie, of which the file of accounts knows the hash alone."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from itsdangerous import BadSignature, Signer

from ccaas.ports.accounts import Account
from ccaas.web.accounts.book import AccountBook


@dataclass(frozen=True, slots=True)
class Session:
    """Who a request comes from."""

    id: str
    """The token's hash."""
    account: Account
    csrf: str
    """What unsafe requests must carry."""


class Sessions:
    """Raises AccountError when the file cannot be used."""

    def __init__(self, book: AccountBook, key: bytes, hours: float) -> None:
        """`key`: this installation's own. `hours`: how long a session lasts."""
        self._book = book
        self._signer = Signer(key, salt="ccaas session", digest_method=hashlib.sha256)
        self._hours = hours
        self._listeners: list[Callable[[], None]] = []

    def on_end(self, listener: Callable[[], None]) -> None:
        """Call `listener` when somebody has signed out."""
        self._listeners.append(listener)

    async def begin(self, account: Account, address: str) -> str:
        """A new session; the cookie's value."""
        token = secrets.token_urlsafe(32)
        csrf = secrets.token_urlsafe(24)
        await asyncio.to_thread(self._book.begin, _id(token), account.login, csrf, self._hours, address)
        return self._signer.sign(token).decode()

    async def of(self, cookie: str) -> Session | None:
        """The session of a cookie; None when it is forged, over or signed out."""
        try:
            session_id = _id(self._signer.unsign(cookie).decode())
        except (BadSignature, UnicodeDecodeError):
            return None
        row = await asyncio.to_thread(self._book.session, session_id)
        return Session(session_id, row.account, row.csrf) if row else None

    async def end(self, session: Session) -> None:
        """Sign this browser out."""
        await asyncio.to_thread(self._book.end, session.id)
        self._ended()

    async def end_all(self, login: str) -> None:
        """Sign a login out everywhere."""
        await asyncio.to_thread(self._book.end_all, login)
        self._ended()

    async def alive(self, session_ids: set[str]) -> set[str]:
        """Which of them are not over."""
        return await asyncio.to_thread(self._book.alive, session_ids)

    def _ended(self) -> None:
        for listener in self._listeners:
            listener()


class FormTokens:
    """Tokens of forms that are shown before anybody is signed in: bound to a cookie of the browser's own."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, salt="ccaas form", digest_method=hashlib.sha256)

    def browser(self) -> str:
        """A new value for the cookie."""
        return secrets.token_urlsafe(18)

    def token(self, browser: str) -> str:
        """What the form carries."""
        return self._signer.get_signature(browser).decode()

    def fits(self, browser: str, token: str) -> bool:
        """Whether the form was shown to this browser."""
        return bool(browser) and self._signer.verify_signature(browser, token.encode("utf-8", "replace"))


def _id(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
