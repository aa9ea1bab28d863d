"""What a conversation did before its controller was killed: the same wish again is then the same write."""

from __future__ import annotations

from collections.abc import Iterable

from ccaas.actions.audit import MADE, Outcome, ToolRun, canonical
from ccaas.ports.tools import Effect

UNDOES = "undo:"
"""Before the key of the write in `confirmed_by` of the one that takes it back."""


class Earlier:
    """Writes by what they asked for. Each is given out once: the caller may want the same thing a second time after that."""

    def __init__(self, runs: Iterable[ToolRun]) -> None:
        writes = [run for run in runs if run.key and run.effect is Effect.WRITE]
        undoing = {run.confirmed_by.removeprefix(UNDOES): run for run in writes if _undoes(run)}
        self.undoing = {key: run for key, run in undoing.items() if run.outcome is not Outcome.DONE}
        """Undoings that were begun, by the key of what they take back: whether they were done is not known."""
        self._writes = {
            (run.tool, canonical(run.arguments)): run
            for run in writes
            if run.outcome in MADE and not _undoes(run) and (run.key not in undoing or run.key in self.undoing)
        }
        self._prepared = {
            (run.tool, canonical(run.arguments)): run.turn_id for run in writes if run.outcome is Outcome.PREPARED
        }

    @property
    def done(self) -> list[ToolRun]:
        """Writes that were made and not taken back, in order."""
        return [run for run in self._writes.values() if run.outcome is Outcome.DONE]

    def take(self, tool: str, spelling: str) -> ToolRun | None:
        """The write of this tool and these arguments."""
        return self._writes.pop((tool, spelling), None)

    def prepared(self, tool: str, spelling: str) -> str:
        """The turn that asked a person for this; empty when none did."""
        return self._prepared.pop((tool, spelling), "")


def _undoes(run: ToolRun) -> bool:
    return run.confirmed_by.startswith(UNDOES)
