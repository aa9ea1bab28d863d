"""Session ids and the secrets with which a browser resumes them.

The secret is derived from the id and this installation's key, so that nothing has to be kept for a page that was only
looked at, and a copy of the database resumes nobody's chat.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
"""128 bits, base64url."""
_PURPOSE = b"ccaas webchat resume\0"


def new_session() -> str:
    """An id that nobody can guess, and that stays in the browser."""
    return secrets.token_urlsafe(16)


def is_session(text: str) -> bool:
    """Whether it looks like one of ours."""
    return _ID.fullmatch(text) is not None


def resume_secret(key: bytes, session: str) -> str:
    """What a browser must show to come back to a session."""
    digest = hmac.digest(key, _PURPOSE + session.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def may_resume(key: bytes, session: str, secret: str) -> bool:
    """Whether a session's id came with its secret."""
    return is_session(session) and hmac.compare_digest(
        resume_secret(key, session).encode(), secret.encode("utf-8", "surrogatepass")
    )
