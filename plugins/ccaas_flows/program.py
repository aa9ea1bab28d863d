"""A flow as a list of operations with jumps: what runs, and what a snapshot can point into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ccaas.ports.reasoning import Expectation
from ccaas_flows.understanding.slots import Slot

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Say:
    """Say a sentence."""

    text: str
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """Wait for a slot's value, unless it is known."""

    slot: str
    question: str
    reask: tuple[str, ...]
    unsure: int | None
    """Where to go when the caller does not know it."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Say something and take any turn."""

    text: str
    expect: Expectation
    name: str
    """Where the words are kept; empty: nowhere."""
    slot: str
    """The slot that is asked for; empty: none."""


@dataclass(frozen=True, slots=True)
class Read:
    """Run a reading tool."""

    tool: str
    arguments: Mapping[str, Value]
    name: str
    errors: Mapping[str, int]
    """Error code (or "any") → where to go."""


@dataclass(frozen=True, slots=True)
class Write:
    """Run a writing tool; never before a commit."""

    tool: str
    arguments: Mapping[str, Value]
    name: str
    errors: Mapping[str, int]
    meanwhile: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """Ask a person for a writing tool; never before a commit."""

    tool: str
    arguments: Mapping[str, Value]
    reason: str
    name: str
    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class UndoWrite:
    """Take back the newest write with a tool; never before a commit."""

    tool: str
    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Branch:
    """Go on when the test holds, else jump."""

    value: str
    equals: Value | None
    above: float | None
    below: float | None
    known: bool | None
    one_of: tuple[str, ...] | None
    otherwise: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on elsewhere: at an index of this flow, or at the beginning of another."""

    target: int = 0
    flow: str = ""


@dataclass(frozen=True, slots=True)
class Choose:
    """Offer a list's items one by one."""

    path: str
    name: str
    offer: str
    more: str
    by: Mapping[str, str]
    none: int
    confirms: bool
    """A yes to an offer is a yes to the write that follows."""
    change: tuple[str, ...]
    """Slots that may be corrected in the answer."""
    changed: int | None
    """Where to go after a correction."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Wait for a yes."""

    text: str
    change: tuple[str, ...]
    """Slots that may be corrected in the answer."""
    changed: int | None
    """Where to go after a correction."""
    declined: int | None
    """Where to go after a no; None: the flow is given up."""


@dataclass(frozen=True, slots=True)
class Set:
    """Keep values."""

    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop values."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Connect the caller to a destination."""

    destination: str
    text: str
    stays_open: bool
    """What it is about is brought up at the next contact."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Promise something: when the flow ends, we owe it."""

    text: str
    within_s: float | None
    """Time until it is owed (s); None: that is not said."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Keep in a sentence what came of it."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """Say goodbye and hang up."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The flow is over."""

    text: str


Op = (
    Say
    | Ask
    | Listen
    | Read
    | Write
    | Prepare
    | UndoWrite
    | Branch
    | Jump
    | Choose
    | Confirm
    | Set
    | Forget
    | Transfer
    | Promise
    | Outcome
    | End
    | Done
)

VERIFY = "(verify)"
"""The name, among the flows, of the steps that check who the customer is."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What callers may want, without its examples."""

    name: str
    flow: str = ""
    does: str = ""
    say: str = ""
    destination: str = ""
    label: str = ""
    title: tuple[str, ...] = ()
    """How the thread is spoken of; the first whose values are all known."""
    opening: str = ""
    """The first words to who has such a thread; empty: the greeting of all threads."""
    declined: str = ""
    """The flow after a no to that."""
    person: str = ""
    """The flow after the wish for a person."""


@dataclass(frozen=True, slots=True)
class Words:
    """The small sentences of every conversation; see the schema for when each is said."""

    ask_again: tuple[str, ...]
    clarify: str
    what_then: str
    anything_else: str
    goodbye: str
    stopped: str
    cancelled: str
    cannot: str
    help: str
    hello: str
    again: str
    trouble: str
    confirm_again: str
    first_heard: str
    what_change: str
    later: str
    left: str
    passed_on: str
    unverified: str
    overdue: str
    not_mine: str
    limit: str
    not_known: str


@dataclass(frozen=True, slots=True)
class Program:
    """A whole flows file, checked and compiled."""

    business: str
    greeting: str
    greeting_known: str
    greeting_thread: str
    greeting_waiting: str
    start: str
    any_time: bool
    intents: Mapping[str, Intent]
    slots: Mapping[str, Slot]
    kept: frozenset[str]
    """Slots that outlive a flow."""
    secrets: frozenset[str]
    """Slots that the check of who the customer is asks for: forgotten after it, and never taken from a thread."""
    flows: Mapping[str, tuple[Op, ...]]
    reasks: int
    give_up: str
    give_up_to: str
    silence: tuple[str, ...]
    silence_goodbye: str
    words: Words
    accept: float
    ask: float
    keys: Mapping[str, str]
    examples: Mapping[str, tuple[str, ...]] = field(repr=False)
    fingerprint: str
    """Changes whenever the flows change: a snapshot of other flows is not pointed into."""
    written: Mapping[str, str] = field(default_factory=dict)
    """What is said otherwise where it is read, by the name of the sentence."""

    def owner(self, flow: str) -> str:
        """The intent whose flow it is; empty when it is nobody's, or several ones'."""
        owners = [name for name, intent in self.intents.items() if intent.flow == flow]
        return owners[0] if len(owners) == 1 else ""

    def for_text(self) -> Program:
        """The program for channels whose sentences are read."""
        said = self.written
        return replace(
            self,
            greeting=said.get("greeting", self.greeting),
            greeting_known=said.get("greeting_known", said.get("greeting", self.greeting_known)),
            greeting_thread=said.get("greeting_thread", self.greeting_thread),
            greeting_waiting=said.get("greeting_waiting", self.greeting_waiting),
            words=replace(self.words, goodbye=said.get("goodbye", self.words.goodbye)),
        )
