"""Coded telephone audio to samples and back: G.711 by table, G.722 by the `G722` library."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from G722 import G722
from numpy.typing import NDArray

from ccaas.ports.media import Codec, Pcm


class Coder(Protocol):
    """One direction-pair of one stream: keeps the codec's state between frames."""

    def decode(self, coded: bytes) -> Pcm: ...

    def encode(self, pcm: Pcm) -> bytes: ...


def _ulaw_decode_table() -> Pcm:
    """ITU-T G.711 table 2b: sign, 3-bit segment, 4-bit step; bits inverted on the wire; bias 33 on a 14-bit scale."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 1) + 33) << ((code >> 4) & 7)) - 33
    return (np.where(code & 0x80, -magnitude, magnitude) << 2).astype(np.int16)


def _alaw_decode_table() -> Pcm:
    """ITU-T G.711 table 1b: even bits inverted on the wire; 13-bit scale."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code >> 4) & 7
    step = ((code & 0x0F) << 1) + 1
    magnitude = np.where(segment == 0, step, (step + 32) << np.maximum(segment - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) << 3).astype(np.int16)


def _encode_table(decode: Pcm) -> NDArray[np.uint8]:
    """The code whose decoded value lies nearest, for every 16-bit sample: index is the sample seen as unsigned."""
    # Of the two zeros the positive one comes first: it is what every other encoder writes for silence.
    codes = np.lexsort((-np.arange(256), decode))
    values = decode[codes].astype(np.int32)
    samples = np.arange(-32768, 32768, dtype=np.int32)
    right = np.clip(np.searchsorted(values, samples), 1, 255)
    nearer_left = samples - values[right - 1] < values[right] - samples
    nearest = codes[np.where(nearer_left, right - 1, right)].astype(np.uint8)
    return np.roll(nearest, -32768)


class _TableCoder:
    """G.711 has no state: one table each way serves every stream."""

    def __init__(self, decode_table: Pcm) -> None:
        self._decode = decode_table
        self._encode = _encode_table(decode_table)

    def decode(self, coded: bytes) -> Pcm:
        return self._decode[np.frombuffer(coded, dtype=np.uint8)]

    def encode(self, pcm: Pcm) -> bytes:
        return self._encode[pcm.view(np.uint16)].tobytes()


class _G722Coder:
    """ITU-T G.722 at 64 kbit/s (mode 1): adaptive, so each stream has its own."""

    def __init__(self) -> None:
        self._encoder = G722(16_000, 64_000)
        self._decoder = G722(16_000, 64_000)

    def decode(self, coded: bytes) -> Pcm:
        return np.array(self._decoder.decode(coded), dtype=np.int16)

    def encode(self, pcm: Pcm) -> bytes:
        return bytes(self._encoder.encode(pcm))


_ULAW = _TableCoder(_ulaw_decode_table())
_ALAW = _TableCoder(_alaw_decode_table())


def coder(codec: Codec) -> Coder:
    """A coder for one stream in `codec`; samples are int16 at `codec.sample_rate`."""
    match codec:
        case Codec.ULAW:
            return _ULAW
        case Codec.ALAW:
            return _ALAW
        case Codec.G722:
            return _G722Coder()


def silence(codec: Codec) -> bytes:
    """One 20 ms frame of silence in `codec`."""
    return coder(codec).encode(np.zeros(codec.sample_rate // 50, dtype=np.int16))
