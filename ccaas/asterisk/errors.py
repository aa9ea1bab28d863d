"""What can go wrong between the controller and Asterisk."""

from __future__ import annotations

from ccaas.errors import AsteriskError

GONE = ("Channel not found", "Channel not in Stasis application")
"""ARI's words for a leg that is no more ours to command; the HTTP status beside them varies with the request."""


class AriError(AsteriskError):
    """ARI refused a request, or did not answer it."""

    def __init__(self, message: str, *, status: int = 0, method: str = "", path: str = "", said: str = "") -> None:
        """`status` is the HTTP status, 0 where there was no answer; `said` is ARI's own message."""
        super().__init__(message)
        self.status = status
        self.method = method
        self.path = path
        self.said = said


class LegGone(AriError):
    """The leg that was commanded no longer exists, or has left us."""


def refused(method: str, path: str, status: int, said: str) -> AriError:
    """The error for an answer of ARI that is not a success."""
    gone = said in GONE or (status == 404 and path.startswith("/channels/"))
    kind = LegGone if gone else AriError
    text = f"ARI refused {method} {path}: {status} {said}"
    return kind(text, status=status, method=method, path=path, said=said)
