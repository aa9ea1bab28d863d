"""`policy` of the YAML: rules that allow the agent less in certain places."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from ccaas.ports.tools import Phase

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]


class CheckSettings(BaseModel):
    """Checks of who a customer is: how often the answer may be wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wrong_answers: Annotated[int, Strict(), Field(ge=1, le=20)] = Field(
        default=3,
        description="After so many wrong answers for one customer, in whatever conversations and on whatever channels, checks of that "
        "customer are refused for a while, and a person is offered. So they are in a conversation whose customer is not known.",
    )
    within_minutes: float = Field(default=60.0, ge=1, le=100_000, description="The time within which they are counted.")
    refused_minutes: float = Field(default=60.0, ge=1, le=100_000, description="For how long checks are refused then.")


class RuleSettings(BaseModel):
    """One rule. It holds where everything that it names fits; of several rules all hold, so the strictest counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="What a refusal is known by: in the audit, the figures and the log.")
    entries: tuple[str, ...] = Field(default=(), description="Only for these `entries`; left out, for all.")
    channels: tuple[Literal["voice", "chat", "sms", "email"], ...] = Field(
        default=(), description="Only on these channels; left out, on all."
    )
    intents: tuple[str, ...] = Field(
        default=(),
        description="Only while the conversation is about one of these, or does not say what it is about; left out, always.",
    )
    tools: tuple[str, ...] = Field(default=(), description="Only for these tools; left out, for all.")
    phase: Literal["informational", "transactional", "proactive"] | None = Field(
        default=None, description="How far the agent may go there, where that is less than `phase`."
    )
    allow: bool = Field(default=True, description="False: the agent may not use the tools there at all.")
    amount: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="Most money of one write, whoever makes it; every tool of `tools` must say its amount.",
    )
    per_day: Annotated[int, Strict(), Field(ge=0)] | None = Field(
        default=None, description="Most writes for one customer in a day, counted over all tools of the rule together."
    )

    @property
    def limit(self) -> Phase | None:
        """`phase` as the gate knows it."""
        return None if self.phase is None else Phase[self.phase.upper()]
