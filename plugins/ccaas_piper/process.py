"""One voice process, as the core sees it: started, spoken to over pipes, noticed when it dies, started again."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from ccaas.errors import SetupError, SpeechError
from ccaas_piper import frames
from ccaas_piper.frames import Kind

_log = logging.getLogger(__name__)

START_LIMIT_S = 60.0
"""A voice that is not loaded after this is broken (s)."""
LONGEST_PAUSE_S = 5.0
"""Longest wait between two attempts to start a process that keeps dying (s)."""
END_LIMIT_S = 2.0
"""After this a process that was told to end is killed (s)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a voice process says about itself."""

    sample_rate: int
    """Of its audio (Hz)."""
    language: str
    """BCP 47 tag."""


class VoiceProcess:
    """Requests go in, audio comes out; a death fails what is in flight and starts the process anew."""

    def __init__(self, arguments: Sequence[str], voice: str) -> None:
        self._arguments = tuple(arguments)
        self._voice = voice
        self._process: asyncio.subprocess.Process | None = None
        self._minder: asyncio.Task[None] | None = None
        self._requests: dict[int, asyncio.Queue[bytes | SpeechError | None]] = {}
        self._last = 0
        self._ready = asyncio.Event()

    @property
    def load(self) -> int:
        """Requests in flight."""
        return len(self._requests)

    @property
    def ready(self) -> bool:
        """Whether it could begin to speak at once."""
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now, None between two."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> Loaded:
        """Start the process and wait until the voice is loaded. Raises SetupError when it cannot be."""
        loaded = await self._launch()
        self._minder = asyncio.create_task(self._mind(), name=f"voice {self._voice}")
        return loaded

    async def until_ready(self) -> None:
        """Wait for a process that is being started again."""
        await self._ready.wait()

    async def say(self, text: str) -> AsyncGenerator[bytes, None]:
        """int16 pieces of `text`; closing the iterator cancels. Raises SpeechError when the process dies."""
        self._last += 1
        request = self._last
        pieces: asyncio.Queue[bytes | SpeechError | None] = asyncio.Queue()
        self._requests[request] = pieces
        try:
            self._write(Kind.SAY, request, text.encode())
            while (piece := await pieces.get()) is not None:
                if isinstance(piece, SpeechError):
                    raise piece
                yield piece
        finally:
            if self._requests.pop(request, None) is not None:
                self._write(Kind.CANCEL, request)

    async def close(self) -> None:
        """End the process."""
        if self._minder is not None:
            self._minder.cancel()
            await asyncio.gather(self._minder, return_exceptions=True)
            self._minder = None
        await self._end()

    def _write(self, kind: Kind, request: int, body: bytes = b"") -> None:
        # A pipe that is just breaking is reported by the reading side, which fails every request.
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(frames.pack(kind, request, body))

    async def _launch(self) -> Loaded:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "ccaas_piper.worker", *self._arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
            start_new_session=True,
        )
        self._process = process
        try:
            kind, _, body = await asyncio.wait_for(self._frame(process), START_LIMIT_S)
        except (asyncio.IncompleteReadError, ValueError, TimeoutError) as error:
            await self._end()
            raise SetupError(
                f"the process of the Piper voice {self._voice} ended or hung while it loaded; "
                f"see its last lines above, and run `make setup` if a package is missing"
            ) from error
        if kind is not Kind.READY:
            await self._end()
            raise SetupError(f"the Piper voice {self._voice} cannot be loaded: {body.decode()}; choose another model")
        said = json.loads(body)
        self._ready.set()
        return Loaded(said["sample_rate"], said["language"])

    @staticmethod
    async def _frame(process: asyncio.subprocess.Process) -> tuple[Kind, int, bytes]:
        assert process.stdout is not None
        return await frames.read_async(process.stdout)

    async def _mind(self) -> None:
        """Hand audio out until the process dies; start it again, for ever."""
        pause = 0.0
        while True:
            assert self._process is not None
            try:
                while True:
                    self._deliver(*await self._frame(self._process))
                    pause = 0.0
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                self._fail_all()
            await self._end()
            _log.error("the process of the Piper voice %s died; it is started again", self._voice)
            while not self._ready.is_set():
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2 or 0.25)
                try:
                    await self._launch()
                except (SetupError, OSError) as error:
                    _log.error("the Piper voice %s is still without a process: %s", self._voice, error)

    def _deliver(self, kind: Kind, request: int, body: bytes) -> None:
        if kind is Kind.AUDIO:
            pieces = self._requests.get(request)
            if pieces is not None:
                pieces.put_nowait(body)
            return
        pieces = self._requests.pop(request, None)
        if pieces is None:
            return
        if kind is Kind.FAILED:
            pieces.put_nowait(SpeechError(f"the Piper voice {self._voice} could not speak a text: {body.decode()}"))
        else:
            pieces.put_nowait(None)

    def _fail_all(self) -> None:
        self._ready.clear()
        for pieces in self._requests.values():
            pieces.put_nowait(SpeechError(f"the process of the Piper voice {self._voice} died while it spoke"))
        self._requests.clear()

    async def _end(self) -> None:
        process, self._process = self._process, None
        self._ready.clear()
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_LIMIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
