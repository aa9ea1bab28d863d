"""The settings of the turn: the `conversation` section of the YAML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ccaas.ports.reasoning import ExpectationKind


class Budget(BaseModel):
    """How long a caller may pause before the turn is taken, for one kind of expected answer. Milliseconds after the
    caller's last voiced frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    complete_ms: int = Field(default=175, ge=0, le=10_000, description="Everything says that the caller has finished.")
    likely_ms: int = Field(
        default=460,
        ge=0,
        le=10_000,
        description="The words are whole; the voice sounds unfinished, or more may follow after so little.",
    )
    unsure_ms: int = Field(default=600, ge=0, le=10_000, description="Nothing says whether more is to come.")
    incomplete_ms: int = Field(default=1_600, ge=0, le=10_000, description="The words plainly want more.")


def _budgets() -> dict[ExpectationKind, Budget]:
    quick = Budget(complete_ms=250, likely_ms=350)
    spelled = Budget(complete_ms=280, likely_ms=600, unsure_ms=1_000, incomplete_ms=2_200)
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

    yield_ms: int = Field(
        default=112,
        ge=40,
        le=2_000,
        description="Speech over the agent this long silences it, unless it sounds like a sign of listening.",
    )
    speak_on_at: float = Field(
        default=0.85,
        ge=0.0,
        le=1.0,
        description="From this probability of being a sign of listening (or no speech) on, the agent speaks on; 1: never.",
    )
    resume_at: float = Field(
        default=0.8,
        ge=0.0,
        le=1.0,
        description="From this probability on, an agent that has fallen silent goes on while the caller still makes the sound.",
    )
    yield_below: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Below this probability the agent falls silent without waiting for yield_ms.",
    )
    first_words_ms: int = Field(
        default=230,
        ge=0,
        le=2_000,
        description="When the voice over the agent is this old its first words are looked at, and again every 160 ms; 0: never.",
    )
    longest_listening_ms: int = Field(
        default=800, ge=100, le=5_000, description="A voice over the agent this long is no sign of listening."
    )
    again_ms: int = Field(
        default=400,
        ge=0,
        le=600,
        description="An agent that goes on begins again with the word it was in the middle of, if that began within this.",
    )
    duck_db: float = Field(default=-12.0, ge=-60, le=0, description="The agent's level as soon as the caller is heard.")
    echo_correlation: float = Field(
        default=0.55, ge=0.1, le=1.0, description="Above this likeness to our own voice, what is heard is its echo."
    )


_LINES = {
    "en": {
        "upset": "I'm so sorry about this. You shouldn't have to deal with it any longer. I'm getting a senior colleague for you.",
        "wish": "Of course. I'm getting a colleague for you.",
    }
}


class EscalationSettings(BaseModel):
    """When a caller goes to a person because of how they feel, to whom, and what is said then."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    destination: str = Field(description="The name of one of `destinations`: whoever takes upset callers.")
    human_destination: str = Field(
        default="",
        description="The same for callers who calmly ask for a person, where the reasoner does not put them through "
        "itself; left out, it is `destination`.",
    )
    at: float = Field(default=0.55, ge=0.3, le=1.0, description="The score from which a caller is upset (−1…+1).")
    words_at: float = Field(
        default=0.3,
        ge=0.1,
        le=1.0,
        description="What the words alone must reach for that: a raised voice by itself is no reason.",
    )
    grace_ms: int = Field(
        default=20,
        ge=0,
        le=200,
        description="An answer that is ready waits at most so long for the score, where that is about to come (ms): nobody "
        "should hear the first syllable of an answer before the line. 0: never.",
    )
    most: int = Field(
        default=2, ge=1, le=10, description="As often in one call: nobody may have taken the transfer before."
    )
    lines: dict[str, dict[str, str]] = Field(
        default=_LINES,
        description="What is said, by language (`en`) and then by intent: `upset` where the intent has no line, `wish` "
        "for a calm wish for a person. They are made at boot, so that they come at once.",
    )

    def line(self, kind: str, intents: tuple[str, ...], locale: str) -> str:
        """The sentence for "upset" or "wish", when it is about one of `intents`, in the language that is nearest."""
        ours = self.lines.get(locale) or self.lines.get(locale.partition("-")[0]) or self.lines.get("en")
        lines = ours or next(iter(self.lines.values()), {})
        wanted = (*intents, "upset") if kind == "upset" else (kind, "upset")
        return next((lines[name] for name in wanted if name in lines), "")

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(line for lines in self.lines.values() for line in lines.values())


class OutcomeWords(BaseModel):
    """What became of something, said first at the next contact when it was not known at the last one; {what} is what it was
    about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    done: str = Field(default="I have news about {what}: that has been done.", description="It was done.")
    not_done: str = Field(
        default="I'm sorry, I have news about {what}: that could not be done.", description="It was not done."
    )
    declined: str = Field(
        default="I have news about {what}: my colleague has looked at that, and it cannot be done.",
        description="A person was asked, and said no.",
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
    hints_per_core: float = Field(
        default=2.0,
        ge=0,
        le=100,
        description="With more conversations than this for each core, what only hints at the end of a turn is left out: its "
        "melody, and quick texts in short dips.",
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
    texted: str = Field(
        default="I see you've just sent me a message.",
        description="Said before the answer to a text that the caller sends during the call.",
    )
    unanswered: str = Field(
        default="I'm sorry, nobody is free to take your call right now. How else can I help?",
        description="Said when a transfer was not answered and the caller is back.",
    )
    outcomes: OutcomeWords = Field(
        default_factory=OutcomeWords, description="News of what was asked for earlier, on every channel."
    )

    def budget(self, kind: ExpectationKind) -> Budget:
        """The budget for one kind; kinds that the YAML leaves out have the open question's."""
        return self.budgets.get(kind) or self.budgets.get(ExpectationKind.OPEN) or Budget()
