"""A flow as a list of operations with jumps: what runs, and what a snapshot can point into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class End:
    """Say goodbye and hang up."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The flow is over."""

    text: str


Op = Say | Ask | Listen | Read | Write | Branch | Jump | Choose | Confirm | Set | Forget | Transfer | End | Done


@dataclass(frozen=True, slots=True)
class Intent:
    """What callers may want, without its examples."""

    name: str
    flow: str = ""
    does: str = ""
    say: str = ""
    destination: str = ""
    label: str = ""


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


@dataclass(frozen=True, slots=True)
class Program:
    """A whole flows file, checked and compiled."""

    business: str
    greeting: str
    greeting_known: str
    start: str
    any_time: bool
    intents: Mapping[str, Intent]
    slots: Mapping[str, Slot]
    kept: frozenset[str]
    """Slots that outlive a flow."""
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
