"""The shape of a file of scripted customers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Texts = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class TurnShape(_Shape):
    """What the customer does, and what the answer must be like."""

    say: str = Field(default="", description="The words.")
    keys: str = Field(default="", description="Keys of the telephone.")
    hears: Texts = Field(default=(), description="All of these are in the answer, in any case; `a|b` is one of them.")
    never: Texts = Field(default=(), description="None of these is.")


class StateShape(_Shape):
    """What a database holds at the end."""

    database: str = Field(description="Its file within the state folder.")
    query: str = Field(description="One SELECT.")
    rows: list[list[Any]] = Field(description="All rows that it gives, in order.")


class ScenarioShape(_Shape):
    """One customer."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Short, and its own.")
    journey: str = Field(description="What it is about, for the table.")
    channel: Literal["voice", "chat", "sms", "email"] = Field(default="voice", description="How they reach us.")
    caller: str = Field(default="", alias="from", description="Their number or e-mail address; left out: withheld.")
    verified: bool = Field(default=False, description="Whether a signed token proves who they are.")
    entry: str = Field(default="", description="One of `entries`; left out, the one that takes `dial`.")
    dial: str = Field(default="1000", description="The number that they dial.")
    turns: list[TurnShape] = Field(min_length=1, description="In order.")
    never: Texts = Field(default=(), description="What no answer of the whole conversation may have in it.")
    ends: Literal["open", "hang_up", "transfer"] = Field(
        default="open", description="How it stands after the last turn."
    )
    destination: str = Field(default="", description="For `transfer`: where to.")
    tools: Texts = Field(default=(), description="Tools that succeeded, in this order, others perhaps between them.")
    refused: Texts = Field(default=(), description="Tools that were refused, by the gate or by themselves.")
    asks_for: Texts = Field(default=(), description="Tools for which a person is asked.")
    state: list[StateShape] = Field(default_factory=list, description="What databases hold at the end.")
    unchanged: bool = Field(default=False, description="Whether no database may hold anything else than before.")


class ScenariosFile(_Shape):
    """The file."""

    installation: str = Field(description="The installation's YAML, from here.")
    scenarios: list[ScenarioShape] = Field(min_length=1, description="The customers.")
