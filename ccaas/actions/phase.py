"""How far the AI may go: decided here, by the core, never by a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from ccaas.errors import ToolError
from ccaas.ports.tools import Effect, Phase, Tool


@dataclass(frozen=True, slots=True)
class Limits:
    """What the YAML allows."""

    phase: Phase = Phase.INFORMATIONAL
    """Tools of this phase and below may run."""
    writes: frozenset[str] | None = None
    """Names of the writes that may run; None: all that the phase allows."""


def check(tool: Tool, wanted: Effect, limits: Limits) -> None:
    """Let the tool through, or refuse it.

    Raises:
        ToolError: "refused", when it does something else than was asked for, or more than the limits allow.
    """
    if tool.effect is not wanted:
        does = "changes things, and here only reading is allowed" if wanted is Effect.READ else "only reads"
        raise ToolError("refused", f"{tool.name} {does}")
    if tool.phase > limits.phase:
        raise ToolError(
            "refused", f"{tool.name} belongs to phase {int(tool.phase)}, and phase {int(limits.phase)} is allowed here"
        )
    if wanted is Effect.WRITE and limits.writes is not None and tool.name not in limits.writes:
        raise ToolError("refused", f"{tool.name} is not among the writes that are allowed here")
