"""The one brain: who the customer is, what has happened between us, and what is still open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

Json = Mapping[str, object]
"""A JSON object."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody reaching us, before we know who."""

    call_id: str
    channel: str
    """"voice", "chat", "sms" or "email"."""
    address: str
    """The calling number, e-mail address or chat session, as it arrived; may be forged or empty."""
    dialled: str
    """The number or address that was reached."""
    customer_id: str = ""
    """Who the journey, or a signed token, says that it is; empty while nobody does."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A person that a system of record knows."""

    id: str
    """The system of record's own key."""
    first_name: str
    last_name: str
    tier: str = ""
    """The system of record's word ("gold"); empty when it has none."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What else it says, for flows to use; not for logs."""


class IdentityKind(Enum):
    """By what a customer can be recognised."""

    PHONE = "phone"
    """E.164: "+15550100"."""
    EMAIL = "email"
    """Lower case, without comment or name."""
    CHAT = "chat"
    """A chat session's own id."""
    SIP = "sip"
    """"user@host", lower-case host, without scheme and parameters."""
    RECORD = "record"
    """A system of record's key."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One address of one customer, already in its one spelling (`ccaas.journey.identity` makes it)."""

    kind: IdentityKind
    value: str


class Assurance(Enum):
    """How sure it is that the person is who the address says."""

    NONE = "none"
    """Nobody is known by this address."""
    CLAIMED = "claimed"
    """The address says so; a caller id or a sender can be forged."""
    VERIFIED = "verified"
    """A signed token, or an answer that only the customer knows."""


class FactKind(Enum):
    """What a line of the timeline says."""

    CONTACTED = "contacted"
    """A conversation began, in either direction."""
    SAID = "said"
    """Words of the customer, or of the agent (`source` tells)."""
    ASKED = "asked"
    """The customer wanted something: `text` is what."""
    OFFERED = "offered"
    PROMISED = "promised"
    """We owe something: `data["due"]` is when (Unix seconds), if that was said."""
    DONE = "done"
    """A write was made: `data["tool"]` and `data["key"]` tell which. `data["promise"]` is the id of a promise it keeps."""
    FELT = "felt"
    """`data["score"]`, −1…+1."""
    NOTED = "noted"
    """Anything else worth keeping: a receipt, an opt-out, a merge."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a customer's timeline."""

    id: str
    """Chosen by who appends it; the same id again changes nothing."""
    customer_id: str
    at: float
    """Unix seconds."""
    kind: FactKind
    channel: str
    """"voice", "chat", "sms", "email"; empty for what happened in none."""
    text: str
    source: str
    """Who says so: "customer", "agent", "tool:<name>", "import", a plug-in's name."""
    conversation_id: str = ""
    turn_id: str = ""
    thread_id: str = ""
    recording: str = ""
    """File below the state folder, with the second at which it was said behind a "#t=" ("recordings/….wav#t=12.4")."""
    data: Json = field(default_factory=dict)


class ThreadState(Enum):
    """Whether something is still to be done."""

    OPEN = "open"
    """The customer's next words matter to it."""
    WAITING = "waiting"
    """We, or somebody else, owe the next step."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Thread:
    """One thing that a customer wants, across channels and days."""

    id: str
    customer_id: str
    goal: str
    """The intent's name."""
    title: str
    """As it is spoken of: "the upgrade"."""
    state: ThreadState
    channel: str
    """Where it was last spoken of."""
    opened_at: float
    updated_at: float
    missing: tuple[str, ...] = ()
    """Slots that are still to be told."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Slots that are known."""
    outcome: str = ""
    """What came of it, in a sentence; empty while it is open."""
    reasoner: str = ""
    """The entry of `reasoners` whose snapshot it is."""
    snapshot: Json | None = None
    """Where the dialogue stands, for `Reasoner.open`; None when it cannot go on."""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that people work on: a complaint, a claim."""

    id: str
    customer_id: str
    title: str
    state: str
    """"open" or "closed"."""
    opened_at: float
    updated_at: float
    thread_id: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the customer allows or forbids; the newest of a channel and purpose counts."""

    channel: str
    purpose: str
    """"service", "marketing", …"""
    granted: bool
    at: float
    proof: str
    """How we know: the message's id, a recording, a form."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the journey itself knows of a person; systems of record may know more."""

    id: str
    """The journey's own key: `c-…`, or the system of record's where one named it first."""
    first_name: str = ""
    last_name: str = ""
    tier: str = ""
    lifetime_value_cents: int = 0
    timezone: str = ""
    """IANA name; empty when not known."""
    language: str = ""
    """BCP 47; empty when not known."""
    preferences: Mapping[str, str] = field(default_factory=dict)
    """"channel": "sms", "hours": "09:00-18:00", …"""


@dataclass(frozen=True, slots=True)
class JourneyContext:
    """Everything that is worth knowing before the first sentence; one indexed read."""

    profile: Profile
    identities: tuple[Identity, ...] = ()
    threads: tuple[Thread, ...] = ()
    """Open and waiting ones, the newest first; at most 8."""
    last_outcome: str = ""
    """What came of the newest closed thread."""
    last_contact_at: float | None = None
    last_channel: str = ""
    promises: tuple[Fact, ...] = ()
    """Not yet kept, the earliest due first."""
    cases: tuple[Case, ...] = ()
    """Open ones."""
    consents: tuple[Consent, ...] = ()
    records: Mapping[str, Json] = field(default_factory=dict)
    """What plug-ins add (`ccaas_context`), by plug-in; not stored."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Under what names others may have kept something of a person."""

    customers: tuple[str, ...]
    """The customer's id, and those that were merged into it."""
    identities: tuple[Identity, ...] = ()
    recordings: tuple[str, ...] = ()
    """Files below the state folder."""
    conversations: tuple[str, ...] = ()
    """Ids of conversations and calls."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone for good."""

    receipt: str
    """`e-…`: under this the audit knows the erasure, and nothing else of the person."""
    facts: int
    recordings: tuple[str, ...] = ()
    """Files below the state folder; the store has deleted those that it found there."""


class Journey(Protocol):
    """The store of the one brain. All methods raise JourneyError when the store fails; nothing is half done then.

    Ids of customers that were merged into another keep working: they lead to the other. What needs a customer and
    names one that is not there raises JourneyError, unless it says otherwise.

    `by` says who asked for what is audited: a login, a plug-in's name.
    """

    async def find(self, identity: Identity) -> str | None:
        """The customer's id, or None."""
        ...

    async def recognise(self, identity: Identity, profile: Profile | None = None) -> str:
        """The customer of an identity, made when there is none yet (with `profile`, and under its id when it has one)."""
        ...

    async def register(
        self, profile: Profile, identities: Sequence[Identity] = (), consents: Sequence[Consent] = ()
    ) -> str:
        """A customer with all that is given, in one transaction: known by the profile's id (where it is not empty) or
        by any of the identities, else made. Doing it again changes nothing.

        Raises JourneyError when the identities are of different customers; nothing is stored then."""
        ...

    async def attach(self, customer_id: str, identity: Identity) -> None:
        """Give a customer another identity. Raises JourneyError when it is somebody else's: merge them."""
        ...

    async def describe(self, profile: Profile) -> None:
        """Set what is known of a customer: fields that are empty leave what was there. Makes the customer when new."""
        ...

    async def append(self, *facts: Fact) -> None:
        """Store facts in one transaction, durably. An id that is there already is left as it is."""
        ...

    async def thread(self, thread: Thread) -> None:
        """Store a thread, new or changed."""
        ...

    async def case(self, case: Case) -> None:
        """Store a case, new or changed."""
        ...

    async def consent(self, customer_id: str, consent: Consent) -> None:
        """Store a consent or its withdrawal."""
        ...

    async def context(self, customer_id: str) -> JourneyContext | None:
        """What is worth knowing, without `records`; None when there is no such customer."""
        ...

    async def timeline(self, customer_id: str, limit: int = 200, before: float | None = None) -> tuple[Fact, ...]:
        """The newest facts, oldest of them first; `before` (Unix seconds) pages back. Facts of the oldest moment come
        together, so that there may be a few more than `limit`. Empty when there is no such customer."""
        ...

    async def threads(self, customer_id: str) -> tuple[Thread, ...]:
        """All threads, closed ones too, the newest first. Empty when there is no such customer."""
        ...

    async def merge(self, kept: str, gone: str, why: str, by: str = "") -> None:
        """Make two customers one; audited. What belonged to `gone` is `kept`'s, until `unmerge`."""
        ...

    async def unmerge(self, gone: str, why: str, by: str = "") -> None:
        """Undo a merge: what belonged to `gone` before is its own again; what came since stays. Audited."""
        ...

    async def traces(self, customer_id: str) -> Traces:
        """What else must be looked for before a customer is forgotten."""
        ...

    async def forget(self, customer_id: str, why: str, by: str = "") -> Erased:
        """Erase a customer, and all that were merged into them, with everything below and the recordings' files. Only
        the audit row remains, without names; earlier rows about the customer lose them too."""
        ...

    async def retain(self, older_than: float, by: str = "") -> Erased:
        """Erase facts, closed threads and closed cases older than that (Unix seconds), but no promise that is not
        kept; recordings that no fact names any more go with them. Audited."""
        ...

    def export(self, customer_id: str, by: str = "") -> AsyncIterator[Json]:
        """Everything that is kept of a customer, as JSON objects with a "type". Audited."""
        ...

    async def audit(self, limit: int = 100) -> Sequence[Json]:
        """The newest rows of the audit (merge, unmerge, forget, export, retain), newest first: "at", "what", "customer",
        "other", "why", "by", "facts"."""
        ...

    async def close(self) -> None: ...
