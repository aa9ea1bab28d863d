"""Records from a CSV file or from JSON: read row by row; a bad one is told with its line and its reason, and left out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ccaas.dialler.records import Row
from ccaas.errors import ConfigError, Place
from ccaas.journey.identity import phone

PHONE, CUSTOMER, PRIORITY = "phone", "customer", "priority"
"""Columns with a meaning; each that begins with `phone` is a further number. All others are the record's own."""
MOST_NUMBERS = 10


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that is left out."""

    line: int
    """Of the file, or the place in the list, from 1."""
    why: str


def read_csv(
    file: Path, region: str, extensions: Collection[str], progress: Callable[[int], None]
) -> Iterator[tuple[int, Row | Bad]]:
    """Each row with its line. `extensions`: see `row_of`. `progress` is told the bytes that are read. Raises ConfigError: it is no such file."""
    try:
        with file.open("rb") as raw:
            lines = _text(raw, progress)
            rows = csv.DictReader(lines, restkey="", strict=True)
            columns = rows.fieldnames or ()
            if PHONE not in columns:
                raise ConfigError(
                    Place(file, 1), "", f"there is no column {PHONE}", f"name the columns in the first line: {PHONE},…"
                )
            while True:
                try:
                    values = next(rows)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield rows.line_num, Bad(rows.line_num, f"it is no CSV ({error})")
                    continue
                if "" in values:
                    yield rows.line_num, Bad(rows.line_num, "it has more fields than the first line has columns")
                    continue
                given = {name: value or "" for name, value in values.items()}
                yield rows.line_num, row_of(given, rows.line_num, region, extensions)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(Place(file), "", f"cannot be read ({why})", "mend it") from None


def _text(raw: Iterable[bytes], progress: Callable[[int], None]) -> Iterator[str]:
    for number, line in enumerate(raw):
        progress(len(line))
        yield line.decode("utf-8-sig" if number == 0 else "utf-8")


def row_of(values: Mapping[str, str], line: int, region: str, extensions: Collection[str] = ()) -> Row | Bad:
    """One record from its columns. `extensions`: names of phones of this installation, which may be called too."""
    numbers: list[str] = []
    for name, value in values.items():
        if not name.startswith(PHONE) or not value.strip():
            continue
        given = value.strip()
        found = phone(given, region)
        if found is None and given not in extensions:
            return Bad(line, f"{name}: {given[:40]} is no telephone number")
        number = found.value if found is not None else given
        if number not in numbers:
            numbers.append(number)
    if not numbers:
        return Bad(line, "it has no telephone number")
    if len(numbers) > MOST_NUMBERS:
        return Bad(line, f"it has {len(numbers)} numbers, and {MOST_NUMBERS} are the most")
    priority = values.get(PRIORITY, "").strip() or "0"
    try:
        weight = int(priority)
    except ValueError:
        return Bad(line, f"{PRIORITY}: {priority[:40]} is no whole number")
    own = {
        name: value for name, value in values.items() if not name.startswith(PHONE) and name != PRIORITY and value != ""
    }
    return Row(values.get(CUSTOMER, "").strip() or numbers[0], tuple(numbers), own, weight)
