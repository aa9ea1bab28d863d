"""The Synthesizer: one short-lived process per text; its WAV is passed on as it is written."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import numpy as np

from ccaas.errors import SetupError, SpeechError
from ccaas.ports.media import Pcm
from ccaas.ports.site import Site
from ccaas.ports.speech import SynthesizerCapabilities
from ccaas_espeak.program import command
from ccaas_espeak.settings import EspeakSettings

WAV_HEADER = 44
"""Bytes before the samples of espeak-ng's WAV."""
PIECE = 8_820
"""Bytes that are passed on at a time: 0.2 s at 22,050 Hz."""
AUDIBLE = 100
"""Sample value at which the leading silence ends."""


class EspeakSynthesizer:
    """See `ccaas.ports.speech.Synthesizer`."""

    def __init__(self, settings: EspeakSettings, site: Site) -> None:
        self._settings = settings
        self._named = site.path(settings.program) if settings.program else None
        self._unpacked = site.models_dir / "espeak-ng"
        self._command: tuple[str, ...] = ()
        self._rate = 22_050

    @property
    def capabilities(self) -> SynthesizerCapabilities:
        """The rate is the program's own once started."""
        return SynthesizerCapabilities(self._rate, (self._settings.voice,), (self._settings.voice,))

    async def start(self) -> None:
        """Find the program and try it. Raises SetupError."""
        self._command = command(self._named, self._unpacked)
        process = await self._launch()
        output, complaint = await process.communicate(b"ready")
        if process.returncode != 0 or len(output) < WAV_HEADER:
            said = complaint.decode(errors="replace").strip() or f"it wrote {len(output)} bytes"
            raise SetupError(f"espeak-ng cannot speak with voice {self._settings.voice!r} ({said}); see its --voices")
        self._rate = struct.unpack_from("<I", output, 24)[0]

    async def synthesize(self, text: str, voice: str | None = None) -> AsyncIterator[Pcm]:
        """Speak `text`."""
        if voice not in (None, self._settings.voice):
            raise SpeechError(f"there is no voice {voice!r} here, only {self._settings.voice!r}")
        if not text.strip():
            return
        process = await self._launch()
        assert process.stdin is not None
        assert process.stdout is not None
        ended = False
        try:
            process.stdin.write(text.encode())
            process.stdin.close()
            await process.stdout.readexactly(WAV_HEADER)
            silent = True
            while samples := await _piece(process.stdout):
                pcm: Pcm = np.frombuffer(samples, "<i2")
                if silent:
                    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > AUDIBLE)
                    silent, pcm = not loud.size, pcm[int(loud[0]) :] if loud.size else pcm[:0]
                if pcm.size:
                    yield pcm
            ended = True
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise SpeechError(f"espeak-ng ended without speaking {len(text)} characters") from error
        finally:
            # One that has ended by itself is only waited for: killing it would race with its own end.
            if not ended and process.returncode is None:
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """Nothing is kept."""

    async def _launch(self) -> asyncio.subprocess.Process:
        settings = self._settings
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                *("-v", settings.voice, "-s", str(settings.words_a_minute), "-p", str(settings.pitch)),
                *("--stdin", "--stdout"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise SpeechError(f"espeak-ng cannot be started: {error.strerror}") from error


async def _piece(stream: asyncio.StreamReader) -> bytes:
    """A whole number of samples; nothing at the end."""
    try:
        return await stream.readexactly(PIECE)
    except asyncio.IncompleteReadError as rest:
        return rest.partial[: len(rest.partial) // 2 * 2]
