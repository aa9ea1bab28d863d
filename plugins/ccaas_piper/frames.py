"""The pipe between the core and a voice process: length-prefixed frames, both ways. Imports nothing of either side."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import BinaryIO, Protocol

HEADER = struct.Struct("<BII")
"""Kind, request id, length of the body in bytes."""

LONGEST = 16 << 20
"""Largest body that is believed (bytes)."""


class Kind(IntEnum):
    """What a frame says."""

    SAY = 1
    """To the voice: speak the body (UTF-8)."""
    CANCEL = 2
    """To the voice: stop this request."""
    READY = 3
    """From the voice: loaded; body is JSON with `sample_rate` and `language`."""
    AUDIO = 4
    """From the voice: int16 little-endian samples."""
    DONE = 5
    """From the voice: all of the request was sent."""
    FAILED = 6
    """From the voice: the request could not be spoken; body says why."""
    BROKEN = 7
    """From the voice: it cannot start; body says why."""


class ByteReader(Protocol):
    """The reading half of an asyncio stream."""

    async def readexactly(self, n: int, /) -> bytes: ...


def pack(kind: Kind, request: int, body: bytes = b"") -> bytes:
    """One frame as bytes."""
    return HEADER.pack(kind, request, len(body)) + body


def unpack_header(header: bytes) -> tuple[Kind, int, int]:
    """Kind, request and length of the body.

    Raises:
        ValueError: this is no frame.
    """
    kind, request, length = HEADER.unpack(header)
    if length > LONGEST:
        raise ValueError(f"a frame of {length} bytes")
    return Kind(kind), request, length


def read(stream: BinaryIO) -> tuple[Kind, int, bytes] | None:
    """The next frame of a blocking stream, None at its end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    kind, request, length = unpack_header(header)
    body = stream.read(length)
    return (kind, request, body) if len(body) == length else None


async def read_async(stream: ByteReader) -> tuple[Kind, int, bytes]:
    """The next frame; raises asyncio.IncompleteReadError at the end of the stream."""
    kind, request, length = unpack_header(await stream.readexactly(HEADER.size))
    return kind, request, await stream.readexactly(length)
