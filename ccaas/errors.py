"""The exception tree.

Every error that a person can meet is one sentence: what is wrong, where, and how to mend it. `str(error)` is that
sentence; the command line prints it and ends with `exit_code`, never with a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class CcaasError(Exception):
    """Base of all errors that this project raises on purpose."""

    exit_code = 1


class SetupError(CcaasError):
    """Something that the set-up step provides is missing, or the set-up step itself failed."""

    exit_code = 2


class AsteriskError(CcaasError):
    """Asterisk could not be installed, started, reached or used."""

    exit_code = 2


class PluginError(CcaasError):
    """A plug-in could not be loaded, or offered something that its port does not allow."""

    exit_code = 2


class TransitionError(CcaasError):
    """An event that the current state does not allow. Nothing was changed."""


class SpeechError(CcaasError):
    """A recogniser, synthesiser or detector failed on this input; the call goes on."""


class MediaError(CcaasError):
    """A media stream could not be opened or was lost."""


class JourneyError(CcaasError):
    """The store of journeys could not be opened, read or written, or was asked for what cannot be; nothing was changed."""

    exit_code = 2


class ContactError(CcaasError):
    """The queues were asked for what cannot be: an unknown agent, a call that is over. Nothing was changed."""


class AccountError(CcaasError):
    """The accounts could not be opened, read or written, or were asked for what cannot be; nothing was changed."""

    exit_code = 2


class MessageFailed(CcaasError):
    """A text message could not be handed over. `again`: the same may go through later."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class ToolError(CcaasError):
    """A tool refused or failed.

    `code` is a stable word for flows to branch on ("not_found", "not_allowed", "unavailable", …); `str(error)` may be
    told to the customer. `rule` names what the gate refused by; empty when it was the tool itself.
    """

    def __init__(self, code: str, message: str, *, rule: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands. `line` counts from 1; 0 means the file as a whole."""

    file: Path
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)


class ConfigError(CcaasError):
    """A setting that cannot be used: names file, line and key, and says how to mend it."""

    exit_code = 2

    def __init__(self, place: Place, key: str, problem: str, mend: str) -> None:
        where = f"{place}: {key}: " if key else f"{place}: "
        super().__init__(f"{where}{problem}; {mend}")
        self.place = place
        self.key = key
        self.problem = problem
        self.mend = mend
