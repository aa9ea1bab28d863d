"""Takes a person out of the log files: lines that name them, or a conversation of theirs, are overwritten where they stand.

The file keeps its length, so that whoever is writing to its end, this process or another, goes on undisturbed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ccaas.errors import SetupError

SHORTEST = 5
"""Names with fewer characters stand in too many lines that are about something else."""
AT_ONCE = 256 * 1024
"""Bytes that are searched in one step: calls go on beside it."""
GONE = b'{"event": "erased"}'

_PART_OF_A_NAME = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")


def erase(folder: Path, names: Iterable[str]) -> int:
    """Overwrite the lines of all log files in `folder` that have one of the names in them as a whole word; how many.

    Raises:
        SetupError: a file could not be changed; do it again.
    """
    wanted = sorted({name.encode() for name in names if len(name) >= SHORTEST})
    count = 0
    for path in sorted(folder.glob("*.log*")) if wanted else ():
        try:
            count += _erase(path, wanted)
        except FileNotFoundError:
            continue  # it was the oldest, and a new one has begun: what was moved up is still ahead of us
        except OSError as error:
            raise SetupError(f"{path} cannot be changed ({error.strerror}); mend its permissions") from None
    return count


def _erase(path: Path, names: list[bytes]) -> int:
    count = start = 0
    with path.open("r+b") as file:
        while lines := file.readlines(AT_ONCE):
            block = b"".join(lines)
            found = {line for name in names for line in _lines_with(block, name)}
            for first, last in found:
                file.seek(start + first)
                file.write(GONE[: last - first].ljust(last - first))
            count += len(found)
            start += len(block)
            file.seek(start)
    return count


def _lines_with(block: bytes, name: bytes) -> Iterator[tuple[int, int]]:
    """Where the lines begin and end that have the name; without their line breaks."""
    at = block.find(name)
    while at >= 0:
        end = at + len(name)
        around = block[at - 1 : at] + block[end : end + 1]
        if not _PART_OF_A_NAME.intersection(around):
            stop = block.find(b"\n", end)
            stop = len(block) if stop < 0 else stop
            yield block.rfind(b"\n", 0, at) + 1, stop
            end = stop
        at = block.find(name, end)
