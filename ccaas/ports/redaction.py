"""The redaction port: what in a text tells who somebody is, so that it need not leave this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Private:
    """A stretch of a text that is private."""

    start: int
    """Offset of its first character."""
    end: int
    """Offset behind its last character."""
    kind: str
    """What it is, in capitals: "EMAIL", "PHONE", "NAME", …"""
    value: str
    """As a system writes it, where that is known ("ann@example.com" for "ann at example dot com"); else as it stands."""


class Redactor(Protocol):
    """Finds private data. Shared by all conversations, and by the log: on any thread, and it never raises."""

    def find(self, text: str, names: Sequence[str] = ()) -> tuple[Private, ...]:
        """What is private in `text`, in order, without overlaps. Cheap enough for the event loop (1 ms a sentence).

        Args:
            text: anything that somebody said, wrote or stored.
            names: what the customer is called, as far as it is known.
        """
        ...


def redacted(redactor: Redactor, text: str) -> str:
    """The text with the kind in place of what is private: "write to [EMAIL]"."""
    for found in reversed(redactor.find(text)):
        text = f"{text[: found.start]}[{found.kind}]{text[found.end :]}"
    return text
