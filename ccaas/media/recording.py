"""The stereo recording of a call: caller left, agent right, in step to the millisecond.

Both tracks stand at the instants at which the controller received or played them, so that what can be measured on the
phone line can be measured on the file. A file that a crash left behind is mended by `repair`.
"""

from __future__ import annotations

import struct
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
import structlog
from numpy.typing import NDArray

from ccaas.ports.media import Pcm

_log = structlog.get_logger(__name__)

_HELD_S = 2.0
"""Audio kept in memory before it is written: the agent's side may still be taken back meanwhile."""

_GAP_S = 0.1
"""A caller's frame this late begins after a gap; less is jitter, and the frames stand one behind the other."""


class Recording:
    """Writes one call's WAV file. Methods return at once; the disk is touched only in `executor`."""

    def __init__(self, path: Path, sample_rate: int, started_at: float, executor: Executor) -> None:
        """`started_at`: monotonic second of the file's first sample."""
        self.path = path
        self._rate = sample_rate
        self._epoch = started_at
        self._executor = executor
        self._held: NDArray[np.int16] = np.zeros((int(_HELD_S * 2 * sample_rate), 2), dtype=np.int16)
        self._written = 0
        self._end = 0
        self._caller_next = 0
        self._gap = (0, 0)
        self._file: soundfile.SoundFile | None = None
        self.failed: str = ""
        """Why nothing more is written (a full disk), empty while all is well."""

    @property
    def started_at(self) -> float:
        """Monotonic second of the file's first sample."""
        return self._epoch

    def caller(self, pcm: Pcm, at: float) -> None:
        """The caller's samples, received at monotonic second `at`."""
        arrived = self._index(at) - len(pcm)
        tolerance = _GAP_S * self._rate
        if arrived - self._caller_next > tolerance or not self._caller_next:
            self._gap = (self._caller_next, max(arrived, 0))
            self._caller_next = max(arrived, 0)
        elif self._caller_next - arrived > tolerance and not self._close_gap(self._caller_next - arrived):
            return
        self._put(pcm, self._caller_next, 0)
        self._caller_next += len(pcm)

    def agent(self, pcm: Pcm, at: float) -> None:
        """The agent's samples, heard from monotonic second `at` on."""
        self._put(pcm, self._index(at), 1)

    def agent_cut(self, at: float) -> None:
        """The agent's samples after `at` were taken back before they were heard."""
        start = max(self._index(at) - self._written, 0)
        self._held[start:, 1] = 0

    def close(self, at: float) -> None:
        """The call ended at monotonic second `at`: write the rest and close, in the executor."""
        self._end = max(self._end, self._index(at))
        self._make_room(self._end - self._written)
        block = self._held[: self._end - self._written].copy()
        self._written = self._end
        self._executor.submit(self._write, block, True)

    def _index(self, at: float) -> int:
        return round((at - self._epoch) * self._rate)

    def _put(self, pcm: Pcm, index: int, channel: int) -> None:
        self._make_room(index + len(pcm) - self._written)
        start = index - self._written
        if start < 0:
            pcm, start = pcm[-start:], 0
        self._held[start : start + len(pcm), channel] = pcm
        self._end = max(self._end, index + len(pcm))

    def _close_gap(self, ahead: int) -> bool:
        """What stood behind the last gap came late and all at once: move it into the gap, back to where it belongs.

        False: the caller's clock runs fast, and a frame must be left out."""
        begin, end = (max(index - self._written, 0) for index in self._gap)
        shift = min(ahead, end - begin)
        if not shift:
            return False
        last = self._caller_next - self._written
        self._held[end - shift : last - shift, 0] = self._held[end:last, 0]
        self._held[last - shift : last, 0] = 0
        self._caller_next -= shift
        self._gap = (self._gap[0], self._gap[1] - shift)
        return True

    def _make_room(self, wanted: int) -> None:
        """Hand the oldest audio to the disk until `wanted` samples fit into what is held."""
        while wanted > len(self._held):
            size = min(len(self._held) - int(_HELD_S * self._rate), len(self._held))
            block = self._held[:size].copy()
            self._held[:-size] = self._held[size:]
            self._held[-size:] = 0
            self._written += size
            wanted -= size
            self._executor.submit(self._write, block, False)

    def _write(self, block: NDArray[np.int16], last: bool) -> None:
        if self.failed:
            return
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = soundfile.SoundFile(
                    self.path, "w", samplerate=self._rate, channels=2, subtype="PCM_16", format="WAV"
                )
            self._file.write(block)
            if last:
                self._file.close()
            else:
                self._file.flush()
        except (OSError, soundfile.LibsndfileError) as error:
            self.failed = str(error)
            _log.error("the call's recording ends here", path=str(self.path), error=self.failed)
            if self._file is not None:
                with suppress(soundfile.LibsndfileError):
                    self._file.close()


def repair(path: Path) -> bool:
    """Make the header of a WAV file say how long the file really is, as a killed writer could not.

    True when something was mended. Raises OSError when the file cannot be read or written.
    """
    size = path.stat().st_size
    with path.open("r+b") as file:
        head = file.read(64)
        data = head.find(b"data")
        if head[:4] != b"RIFF" or data < 0 or len(head) < data + 8:
            return False
        body = size - data - 8
        said = struct.unpack_from("<I", head, data + 4)[0]
        if said == body:
            return False
        file.seek(4)
        file.write(struct.pack("<I", size - 8))
        file.seek(data + 4)
        file.write(struct.pack("<I", body))
    return True
