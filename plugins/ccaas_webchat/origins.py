"""Which web sites may talk to us: a browser tells truly which page a script belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def may_talk(origin: str | None, host: str | None, allowed: Sequence[str]) -> bool:
    """Whether a page of `origin` may open a chat.

    Args:
        origin: the request's `Origin`; None for programs that are no browser.
        host: the request's `Host`: pages of the same host and port always may, whichever scheme a proxy in front
            of us speaks.
        allowed: the setting `origins`.
    """
    if "*" in allowed:
        return True
    if not origin or origin == "null":
        return False
    wanted = _place(origin)
    if wanted is None:
        return False
    if host and host.lower() in (f"{wanted[1]}:{wanted[2]}", wanted[1] if wanted[2] in (80, 443) else ""):
        return True
    return wanted in [_place(one) for one in allowed]


def _place(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, with the port written out."""
    try:
        parts = urlsplit(origin.lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host, port or _PORTS[parts.scheme]
