"""How far the AI may go: decided here, by the core, never by a prompt."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import BaseModel

from ccaas.actions.settings import RuleSettings
from ccaas.errors import ToolError
from ccaas.ports.tools import Effect, Party, Phase, Tool
from ccaas.spelling import nearest

PHASE, WRITES, CALLERS, EFFECT = "phase", "writes", "callers", "effect"
"""Names of the core's own rules; a tool's caps are "amount:<tool>" and "per_day:<tool>"."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the YAML allows, for one conversation."""

    phase: Phase = Phase.INFORMATIONAL
    """Tools of this phase and below may run."""
    writes: frozenset[str] | None = None
    """Names of the writes that may run; None: all that the phase allows."""
    rules: tuple[RuleSettings, ...] = ()
    entry: str = ""
    channel: str = ""

    def rules_for(self, tool: Tool, intent: str) -> list[RuleSettings]:
        """The rules that hold here. One for certain intents holds too while nobody says what it is about."""
        return [
            rule
            for rule in self.rules
            if _fits(self.entry, rule.entries)
            and _fits(self.channel, rule.channels)
            and (not intent or _fits(intent, rule.intents))
            and _fits(tool.name, rule.tools)
        ]


@dataclass(frozen=True, slots=True)
class Quota:
    """How often something may be done for one customer in a day."""

    name: str
    """The rule's."""
    most: int


def check(tool: Tool, wanted: Effect, limits: Limits, party: Party = Party.BUTLER, intent: str = "") -> None:
    """Let the tool through, or refuse it. Phases and rules bind the AI; a person may do what the tool lets them do.

    Raises:
        ToolError: "refused", when it does something else than was asked for, or more than the limits allow;
            "needs_approval", when only a person may do it.
    """
    if tool.effect is not wanted:
        does = "changes things, and here only reading is allowed" if wanted is Effect.READ else "only reads"
        raise ToolError("refused", f"{tool.name} {does}", rule=EFFECT)
    if party not in tool.callers:
        if party is Party.BUTLER:
            raise ToolError("needs_approval", "Only a colleague can decide that.", rule=CALLERS)
        raise ToolError("refused", f"{tool.name} is for the agent alone", rule=CALLERS)
    if party is not Party.BUTLER:
        return
    allowed = [(limits.phase, PHASE)]
    for rule in limits.rules_for(tool, intent):
        if not rule.allow:
            raise ToolError("refused", f"{tool.name} is not allowed here ({rule.name})", rule=rule.name)
        if rule.limit is not None:
            allowed.append((rule.limit, rule.name))
    phase, name = min(allowed, key=lambda one: one[0])
    if tool.phase > phase:
        raise ToolError(
            "refused",
            f"{tool.name} belongs to phase {int(tool.phase)}, and phase {int(phase)} is allowed here",
            rule=name,
        )
    if wanted is Effect.WRITE and limits.writes is not None and tool.name not in limits.writes:
        raise ToolError("refused", f"{tool.name} is not among the writes that are allowed here", rule=WRITES)


def offered(tool: Tool, limits: Limits, party: Party = Party.BUTLER) -> bool:
    """Whether asking for the tool can come to anything: it may run here, or be put before a person."""
    try:
        check(tool, tool.effect, limits, party)
    except ToolError as refusal:
        return refusal.code == "needs_approval"
    return True


def check_amount(tool: Tool, values: BaseModel, limits: Limits, intent: str) -> None:
    """Let the amount of money through. Raises ToolError "limit"."""
    if not tool.amount:
        return
    amount = float(getattr(values, tool.amount) or 0)
    caps = [(tool.caps.amount, f"amount:{tool.name}")]
    caps += [(rule.amount, rule.name) for rule in limits.rules_for(tool, intent)]
    for most, name in caps:
        if most is not None and abs(amount) > most:
            raise ToolError("limit", f"That is more than the {most:g} that may be decided here.", rule=name)


def quotas(tool: Tool, limits: Limits, intent: str) -> list[Quota]:
    """What a write with this tool counts against."""
    found = [] if tool.caps.per_day is None else [Quota(f"per_day:{tool.name}", tool.caps.per_day)]
    found += [Quota(rule.name, rule.per_day) for rule in limits.rules_for(tool, intent) if rule.per_day is not None]
    return found


def problems(rules: Iterable[RuleSettings], tools: Collection[Tool]) -> list[tuple[int, str, str, str]]:
    """What is wrong with the YAML's rules: number of the rule, its key, the problem, the mend."""
    found: list[tuple[int, str, str, str]] = []
    by_name = {tool.name: tool for tool in tools}
    for number, rule in enumerate(rules):
        found += [
            (number, "tools", f"there is no tool {name}", nearest(name, by_name))
            for name in rule.tools
            if name not in by_name
        ]
        silent = [name for name in rule.tools if name in by_name and not by_name[name].amount]
        if rule.amount is not None and (silent or not rule.tools):
            which = f"{silent[0]} does not say" if silent else "not every tool says"
            found.append(
                (number, "amount", f"{which} how much money it commits", "name tools that do, or set `per_day`")
            )
    return found


def _fits(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted
