"""The settings of the turn: the `conversation` section of the YAML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ccaas.ports.reasoning import ExpectationKind


class Budget(BaseModel):
    """How long a caller may pause before the turn is taken, for one kind of expected answer. Milliseconds after the
    caller's last voiced frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    complete_ms: int = Field(default=280, ge=0, le=10_000, description="The words and the voice both sound finished.")
    likely_ms: int = Field(
        default=450, ge=0, le=10_000, description="The words are whole; the voice sounds unfinished."
    )
    unsure_ms: int = Field(default=600, ge=0, le=10_000, description="Nothing says whether more is to come.")
    incomplete_ms: int = Field(default=1_600, ge=0, le=10_000, description="The words plainly want more.")


def _budgets() -> dict[ExpectationKind, Budget]:
    quick = Budget(complete_ms=150, likely_ms=300)
    spelled = Budget(complete_ms=280, likely_ms=650, unsure_ms=1_000, incomplete_ms=2_200)
    return {
        ExpectationKind.OPEN: Budget(),
        ExpectationKind.YES_NO: quick,
        ExpectationKind.CHOICE: quick,
        ExpectationKind.CODE: spelled,
        ExpectationKind.DIGITS: spelled,
        ExpectationKind.SPELLING: spelled,
        ExpectationKind.DATE: Budget(complete_ms=220, likely_ms=350),
        ExpectationKind.TIME: Budget(complete_ms=220, likely_ms=350),
        ExpectationKind.NUMBER: Budget(complete_ms=220, likely_ms=350),
        ExpectationKind.NAME: Budget(complete_ms=220, likely_ms=400),
    }


class BargeIn(BaseModel):
    """What happens when the caller speaks over the agent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    yield_ms: int = Field(default=160, ge=40, le=2_000, description="Speech over the agent this long silences it.")
    duck_db: float = Field(default=-12.0, ge=-60, le=0, description="The agent's level as soon as the caller is heard.")
    echo_correlation: float = Field(
        default=0.55, ge=0.1, le=1.0, description="Above this likeness to our own voice, what is heard is its echo."
    )


class ConversationSettings(BaseModel):
    """When the caller has finished, when to prompt, when to stop."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speech_threshold: float = Field(default=0.5, ge=0.05, le=0.99, description="Voice probability that begins speech.")
    silence_threshold: float = Field(default=0.45, ge=0.01, le=0.95, description="Voice probability that ends it.")
    onset_ms: int = Field(default=64, ge=20, le=500, description="Voice this long begins speech.")
    pause_ms: int = Field(default=64, ge=20, le=1_000, description="Silence this long begins preparing the answer.")
    finished_threshold: float = Field(
        default=0.5, ge=0.0, le=1.0, description="Turn model's probability above which a voice sounds finished."
    )
    budgets: dict[ExpectationKind, Budget] = Field(
        default_factory=_budgets, description="Pause budgets by kind of expected answer."
    )
    barge_in: BargeIn = Field(default_factory=BargeIn, description="Speaking over the agent.")
    acknowledge_ms: int = Field(
        default=900, ge=100, le=10_000, description="An answer later than this is covered by a short acknowledgement."
    )
    acknowledgements: tuple[str, ...] = Field(
        default=("One moment.", "Let me see."), min_length=1, description="What covers a slow answer."
    )
    retake_ms: int = Field(
        default=900,
        ge=0,
        le=5_000,
        description="A caller who goes on within this much of the answer's first sound had not finished: the turn is "
        "taken again as a whole.",
    )
    longest_draft_s: float = Field(default=15.0, ge=1, le=120, description="A reasoner slower than this has failed.")
    silence_s: float = Field(default=6.0, ge=1, le=120, description="Silence after which the caller is prompted.")
    longest_turn_s: float = Field(
        default=40.0, ge=5, le=300, description="A turn is taken after this, finished or not."
    )
    key_gap_ms: int = Field(default=2_500, ge=300, le=20_000, description="A key pressed later begins a new entry.")
    longest_call_s: float = Field(default=3_600.0, ge=10, description="The call is ended politely after this.")
    returned: str = Field(
        default="Sorry, I lost you for a moment.", description="Said when a call is picked up again after a fault."
    )
    unanswered: str = Field(
        default="I'm sorry, nobody is free to take your call right now. How else can I help?",
        description="Said when a transfer was not answered and the caller is back.",
    )

    def budget(self, kind: ExpectationKind) -> Budget:
        """The budget for one kind; kinds that the YAML leaves out have the open question's."""
        return self.budgets.get(kind) or self.budgets.get(ExpectationKind.OPEN) or Budget()
