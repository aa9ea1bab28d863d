"""Watches one IMAP folder on a thread of its own: the library waits by blocking."""

from __future__ import annotations

import imaplib
import ssl
import threading
import time
from collections.abc import Callable

import structlog
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError

from ccaas_email.settings import Server

_log = structlog.get_logger(__name__)

_LIMIT_S = 20.0
_LOOK_S = 1.0
"""How often a waiting watcher sees that it shall stop (s)."""
_IDLE_S = 600.0
"""IDLE is begun anew after this: servers drop a client that says nothing for 29 minutes (RFC 2177)."""
_LARGEST = 10_000_000
"""Bytes; a larger mail is left unread for a person."""
_BACKOFF_S = (1.0, 60.0)

_FAILURES = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError)
"""What the network, the server and the library raise; ssl.SSLError is an OSError."""


class Watcher(threading.Thread):
    """Hands every unread mail to `take`, and marks it as read once `take` has returned True."""

    def __init__(
        self,
        server: Server,
        password: str,
        folder: str,
        poll_s: float,
        take: Callable[[bytes], bool],
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`take` is called on this thread with one raw mail; False leaves it unread for the next look."""
        super().__init__(name="mailbox", daemon=True)
        self._server = server
        self._password = password
        self._folder = folder
        self._poll_s = poll_s
        self._take = take
        self._context = context
        self._ending = threading.Event()

    def stop(self) -> None:
        """End the thread soon; `join` it."""
        self._ending.set()

    def run(self) -> None:
        wait, longest = _BACKOFF_S
        told = ""
        while not self._ending.is_set():
            try:
                with self._connected() as box:
                    told, wait = "", _BACKOFF_S[0]
                    self._watch(box)
            except _FAILURES as error:
                problem = f"{type(error).__name__}: {error}"
                if problem != told:
                    told = problem
                    where = f"{self._server.host}:{self._server.port}"
                    _log.error("the mailbox is not read; trying again", server=where, problem=problem[:300])
                self._ending.wait(wait)
                wait = min(wait * 2, longest)

    def _connected(self) -> BaseMailBox:
        host, port = self._server.host, self._server.port
        box: BaseMailBox
        match self._server.security:
            case "tls":
                box = MailBox(host, port, timeout=_LIMIT_S, ssl_context=self._context)
            case "starttls":
                box = MailBoxStartTls(host, port, timeout=_LIMIT_S, ssl_context=self._context)
            case "none":
                box = MailBoxUnencrypted(host, port, timeout=_LIMIT_S)
        return box.login(self._server.user, self._password, self._folder)

    def _watch(self, box: BaseMailBox) -> None:
        idle = "IDLE" in box.client.capabilities
        while not self._ending.is_set():
            all_taken = self._look(box)
            if idle and all_taken:
                self._idle(box)
            else:
                self._ending.wait(self._poll_s)
                box.client.noop()

    def _look(self, box: BaseMailBox) -> bool:
        """Hand over what is unread; False when something must be tried again."""
        all_taken = True
        for uid in box.uids("UNSEEN"):
            if self._ending.is_set():
                return False
            raw = self._fetched(box, uid)
            if raw is None or self._take(raw):
                box.flag(uid, MailMessageFlags.SEEN, True)
            else:
                all_taken = False
        return all_taken

    def _fetched(self, box: BaseMailBox, uid: str) -> bytes | None:
        """The mail as it is; None, and so passed over, when it is too large."""
        for mail in box.fetch(f"UID {uid}", mark_seen=False, headers_only=True):
            if mail.size_rfc822 > _LARGEST:
                _log.warning("a mail is too large to be answered", sender=mail.from_, bytes=mail.size_rfc822)
                return None
        for mail in box.fetch(f"UID {uid}", mark_seen=False):
            return mail.obj.as_bytes()
        return None

    def _idle(self, box: BaseMailBox) -> None:
        """Until the server tells of something, or it is time to begin anew."""
        until = time.monotonic() + _IDLE_S
        box.idle.start()  # type: ignore[no-untyped-call]
        try:
            while not self._ending.is_set() and time.monotonic() < until:
                if box.idle.poll(timeout=_LOOK_S):
                    return
        finally:
            box.idle.stop()  # type: ignore[no-untyped-call]
