"""What the generated client needs: somebody who carries a request to Asterisk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from urllib.parse import quote

import msgspec

from ccaas.asterisk.errors import AriError

Query = Mapping[str, str | int | float | bool | Sequence[str] | None]
"""Query parameters by ARI's name; None is left out, several values are joined with commas."""

T = TypeVar("T")


class Rest(Protocol):
    """Carries one REST request to ARI."""

    async def request(self, method: str, path: str, *, query: Query | None = None, body: object = None) -> bytes:
        """The answer's body. `path` begins behind "/ari"; `body` is sent as JSON unless it is None.

        Raises:
            AriError: refused, not reached, or not answered within the time limit. LegGone: of a channel that is gone.
        """
        ...


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")


def decoded(decoder: msgspec.json.Decoder[T], answer: bytes) -> T:
    """An answer's body as its type. Raises AriError when Asterisk answers in another shape than it describes."""
    try:
        return decoder.decode(answer)
    except msgspec.DecodeError as error:
        raise AriError(f"ARI answered in an unknown shape ({error}); Asterisk 20 or newer is needed") from error
