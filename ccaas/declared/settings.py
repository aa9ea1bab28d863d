"""What the YAML says of a tool that another system describes. What it does not say is taken for the worst."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ccaas.errors import SetupError
from ccaas.ports.tools import Caps, Confirmation, Effect, Party, Phase, Tool, ToolContext, Undo

_VALUE = re.compile(r"\{(arguments|result)\.([\w.]+)\}")


class UndoDeclared(BaseModel):
    """What takes a write back."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    tool: str = Field(description="The name, here, of the tool that does it.")
    arguments: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        alias="with",
        description='Its arguments: `"{result.id}"`, `"{arguments.order}"`, or a value.',
    )

    def made(self, arguments: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, object]:
        """The arguments for one write."""
        known = {"arguments": arguments, "result": result}
        return {name: _filled(value, known) for name, value in self.arguments.items()}


class Declared(BaseModel):
    """One tool. Left out, it is taken for a write that a customer must confirm and only a person may make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        default="", pattern=r"^([a-z][a-z0-9_]*)?$", description="Its name here; by default the other system's own."
    )
    description: str = Field(default="", description="One sentence; by default the other system's own.")
    effect: Literal["read", "write"] = Field(default="write", description="Whether it changes anything.")
    phase: Literal["informational", "transactional", "proactive"] | None = Field(
        default=None,
        description="The phase it belongs to; by default transactional for a write, informational for a read.",
    )
    callers: tuple[Literal["butler", "concierge"], ...] | None = Field(
        default=None, description="Who may use it; by default everybody a read, the concierge alone a write."
    )
    confirmation: Literal["none", "spoken", "second_factor"] | None = Field(
        default=None, description="What must come before; by default a spoken yes for a write."
    )
    private: bool = Field(default=True, description="Whether it runs for verified customers alone.")
    money: bool = Field(default=False, description="Whether it commits money.")
    amount: str = Field(default="", description="The argument that says how much money.")
    most: float | None = Field(default=None, gt=0, description="Most money of one run.")
    per_day: int | None = Field(default=None, ge=1, description="Most runs for one customer in a day.")
    timeout_s: float = Field(default=5.0, gt=0, le=60, description="Seconds that a conversation waits for it.")
    undo: UndoDeclared | None = Field(default=None, description="The tool that takes it back.")
    idempotent: bool = Field(
        default=False,
        description="Whether the other system makes a write with the same `Idempotency-Key` once: it is then asked again when"
        " it did not answer. Otherwise it never is, and a person has to look.",
    )

    @model_validator(mode="after")
    def _reads_change_nothing(self) -> Declared:
        only_writes = {"confirmation", "money", "amount", "most", "per_day", "undo", "idempotent"}
        if self.effect == "read" and (wrong := sorted(only_writes & self.model_fields_set)):
            raise ValueError(f"a tool that only reads has no {wrong[0]}; remove it, or say `effect: write`")
        return self


def declare(
    declared: Declared,
    name: str,
    description: str,
    models: tuple[type[BaseModel], type[BaseModel]],
    run: Callable[[Any, ToolContext], Awaitable[BaseModel]],
    close: Callable[[], Awaitable[None]],
) -> Tool:
    """The tool, as the YAML declares it; `name` and `description` are the other system's.

    Raises:
        SetupError: its name cannot be one here.
    """
    writes = declared.effect == "write"
    phase = declared.phase or ("transactional" if writes else "informational")
    callers = declared.callers or (("concierge",) if writes else ("butler", "concierge"))
    called = declared.name or re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip(
        "_"
    )
    if not called[:1].isalpha():
        raise SetupError(f"{name!r} cannot be a tool's name here; give it a `name`")
    return Tool(
        called,
        declared.description or description.strip() or called.replace("_", " "),
        *models,
        run,
        Effect(declared.effect),
        Phase[phase.upper()],
        Confirmation(declared.confirmation or ("spoken" if writes else "none")),
        declared.timeout_s,
        private=declared.private,
        money=declared.money or bool(declared.amount),
        amount=declared.amount,
        callers=frozenset(Party(one) for one in callers),
        caps=Caps(declared.most, declared.per_day),
        undo=None if declared.undo is None else Undo(declared.undo.tool, declared.undo.made),
        close=close,
    )


def _filled(value: object, known: Mapping[str, Any]) -> object:
    if not isinstance(value, str):
        return value
    whole = _VALUE.fullmatch(value)
    if whole is not None:
        return _at(known[whole[1]], whole[2])
    return _VALUE.sub(lambda match: str(_at(known[match[1]], match[2])), value)


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
