"""What the agent says and does: the port behind which flows, menus and language models stand.

The split between `draft` and `commit` is what makes half a second possible. A draft is made while the caller may
still be speaking; it may read, and it may be thrown away. Only `commit` changes anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from ccaas.ports.journey import Assurance, Customer, JourneyContext, Json, ThreadState
from ccaas.ports.redaction import Redactor
from ccaas.ports.tools import Toolbox

NOT_KEPT = "[answer to a check]"
"""What is kept in place of words by which somebody proves who they are."""


class ExpectationKind(Enum):
    """What sort of answer the agent's last question asks for; decides how long a pause may be."""

    OPEN = "open"
    YES_NO = "yes_no"
    CODE = "code"
    DIGITS = "digits"
    DATE = "date"
    TIME = "time"
    NUMBER = "number"
    CHOICE = "choice"
    NAME = "name"
    SPELLING = "spelling"


@dataclass(frozen=True, slots=True)
class Expectation:
    """The answer that is expected next."""

    kind: ExpectationKind = ExpectationKind.OPEN
    length: tuple[int, int] | None = None
    """Fewest and most characters, for CODE and DIGITS."""
    options: tuple[str, ...] = ()
    """What may be chosen, for CHOICE."""
    keys: str = ""
    """The keys that mean something now ("123#"); empty: keys are collected as digits up to `length`."""
    private: bool = False
    """It answers a check of who the customer is, or is a payment card: nobody keeps it."""
    card: bool = False
    """A payment card is being keyed: the caller is not recorded meanwhile."""


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """What the caller said or keyed."""

    id: str
    """Unique within the call; the same for a draft and its commit."""
    text: str
    """The words; empty for a turn of keys alone."""
    keys: str = ""
    """DTMF digits, in order."""
    confidence: float | None = None
    """The recogniser's, 0…1."""
    final: bool = True
    """False while the caller may still be speaking: the draft is a speculation."""


class Ending(Enum):
    """What happens after the last words."""

    HANG_UP = "hang_up"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Reply:
    """Something to say, and what to expect then."""

    text: str
    """What is said; spoken clause by clause. May be empty when only `ending` counts."""
    expect: Expectation = field(default_factory=Expectation)
    ending: Ending | None = None
    destination: str = ""
    """For TRANSFER: the name of an entry under `destinations` in the YAML."""
    interruptible: bool = True
    """False: the caller cannot talk over it (a legal notice)."""
    kept: str = ""
    """What of it may be kept, where it repeats an answer to a check; empty: all of it."""

    @property
    def to_keep(self) -> str:
        """The text for journal, timeline and logs."""
        return self.kept or self.text


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be answered to a turn. Holding it has no effect; `Dialogue.commit` takes it."""

    turn: CallerTurn
    reply: Reply | None
    """The first words, when they are known without writing anything; None: ask again after the commit."""
    intent: str = ""
    """What was understood, for the ledger and the desktop."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Values understood in this turn, normalised."""
    plan: object = None
    """The reasoner's own; opaque to the core."""
    private: bool = False
    """The words are an answer to a check of who the customer is: nobody keeps them."""

    @property
    def text_to_keep(self) -> str:
        """The caller's words for journal, timeline and logs."""
        return NOT_KEPT if self.private else self.turn.text

    @property
    def keys_to_keep(self) -> str:
        """The caller's keys, likewise."""
        return "" if self.private else self.turn.keys


@dataclass(frozen=True, slots=True)
class Topic:
    """What a conversation is about: what the journey keeps as a thread."""

    goal: str
    """The intent's name."""
    title: str
    """As it is spoken of: "the upgrade"."""
    state: ThreadState
    missing: tuple[str, ...] = ()
    """Slots that are still to be told."""
    slots: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    """What came of it, in a sentence, once it is closed."""
    thread_id: str = ""
    """The thread that was taken up again; empty for a new one."""
    promise: str = ""
    """What we owe now, in a sentence: a promise to be kept. Empty when nothing is owed."""
    due: float | None = None
    """When it is owed (Unix seconds), if that was said."""


class Dialogue(Protocol):
    """One conversation's reasoning. Called by one task at a time; only `draft` may be cancelled."""

    @property
    def expectation(self) -> Expectation:
        """What the caller is expected to say now."""
        ...

    async def open(self) -> Reply:
        """The first words of the call."""
        ...

    async def draft(self, turn: CallerTurn) -> Draft:
        """Understand and prepare. Reads only; changes nothing in the dialogue; may be called again with more text."""
        ...

    def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        """Make the draft real: change the state, run writes, and yield every reply in order.

        Where `draft.reply` is set the first reply yielded equals it. Writes inside are shielded from cancellation.
        """
        ...

    async def silence(self, times: int) -> Reply:
        """The caller has said nothing for a while; `times` counts from 1 since their last words."""
        ...

    def heard(self, text: str, whole: bool) -> None:
        """What of the last reply was really played to the caller: all of it, or `text` of it."""
        ...

    def topic(self) -> Topic | None:
        """What it was about at the last commit; None while it is about nothing. A closed topic is told once, after the
        commit that closed it."""
        ...

    @property
    def assurance(self) -> Assurance:
        """How sure the dialogue is of who it speaks with: what the context said, or more once a check was answered."""
        ...

    def snapshot(self) -> Json:
        """The state after the last commit, as JSON, from which `Reasoner.open` can go on after a crash."""
        ...


@dataclass(frozen=True, slots=True)
class DialogueContext:
    """What a dialogue knows when it begins."""

    call_id: str
    channel: str
    """"voice", "chat", "sms" or "email"."""
    ani: str
    """The calling number as it arrived."""
    dnis: str
    """The dialled number."""
    customer: Customer | None
    tools: Toolbox
    now: datetime
    """The business's clock (aware)."""
    locale: str = "en-US"
    journey: JourneyContext | None = None
    """What is known of the customer, None when nobody is known or the store failed."""
    assurance: Assurance = Assurance.NONE
    """How sure it is that it is them."""
    redactor: Redactor | None = None
    """What finds private data in what would leave this machine; None where nothing is taken out."""


class Reasoner(Protocol):
    """Makes dialogues; shared by all calls."""

    async def start(self) -> None:
        """Load what is needed. Raises SetupError or ConfigError."""
        ...

    def open(self, context: DialogueContext, snapshot: Json | None = None) -> Dialogue:
        """A new dialogue, or one that goes on from a snapshot."""
        ...

    def phrases(self) -> tuple[str, ...]:
        """Fixed sentences that are likely to be said; they are synthesised at boot and kept."""
        ...

    async def close(self) -> None: ...
