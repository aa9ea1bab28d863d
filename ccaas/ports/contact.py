"""People who take conversations: what the queues tell an agent's desktop, and what a desktop asks of the queues.

Two directions. `Desktop` is an agent's place of work: a handoff is put there, and acknowledged, before any phone rings.
`ContactCentre` is the queues and agents as desktops, boards and the command line see them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ccaas.ports.journey import Assurance, Customer, JourneyContext

WRITTEN = frozenset({"chat", "sms", "email"})
"""Channels whose conversations do not ring."""


class AgentState(Enum):
    """What an agent does at the moment."""

    OFFLINE = "offline"
    """Not signed in."""
    AVAILABLE = "available"
    RINGING = "ringing"
    """A handoff is on the desktop, or the phone rings."""
    ON_CALL = "on call"
    WRAP_UP = "wrap-up"
    """After a call, until the disposition is given or its time is over."""
    AWAY = "away"
    """With a reason."""


class Supervision(Enum):
    """How a supervisor takes part in a call."""

    LISTEN = "listen"
    """Hears both; nobody hears them."""
    WHISPER = "whisper"
    """The agent hears them, the customer does not."""
    BARGE = "barge"
    """Everybody hears them."""


@dataclass(frozen=True, slots=True)
class Recap:
    """Exactly three bullets, each a sentence."""

    wants: str
    tried: str
    stands: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said or written."""

    at: float
    """Unix seconds."""
    who: str
    """"customer", "butler" (the AI) or the login of a human."""
    text: str
    turn_id: str = ""
    """The turn's; of what a person wrote the message's, which `Sent` tells of."""
    score: float | None = None
    """How upset the customer seemed with it, −1…+1."""
    parts: Mapping[str, float | None] = field(default_factory=dict)
    """What the score is made of (`Mood.parts`); empty without one."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the human could do that the AI may not, or what would be best to offer now."""

    id: str
    title: str
    """"Waive the change fee of $75"."""
    why: str
    tool: str = ""
    """The tool that would run; empty when there is nothing to run."""
    arguments: Mapping[str, object] = field(default_factory=dict)
    approval_id: str = ""
    """The prepared request that a click approves; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that a human needs so as not to ask again."""

    handoff_id: str
    conversation_id: str
    """The call's, or the text conversation's."""
    channel: str
    queue: str
    why: str
    """"upset", "wish", "transfer", "callback", "message", "incident"."""
    customer: Customer | None
    assurance: Assurance
    context: JourneyContext | None
    """Tier, value, open threads, promises, consents."""
    recap: Recap
    transcript: tuple[Line, ...] = ()
    sentiment: tuple[tuple[float, float], ...] = ()
    """The curve: Unix seconds, score."""
    slots: Mapping[str, str] = field(default_factory=dict)
    only_you: tuple[Proposal, ...] = ()
    """What the AI may not do and the human can."""
    next_best: tuple[Proposal, ...] = ()
    """The best first."""
    waited_s: float = 0.0
    closed: str = ""
    """Of a written conversation: why nothing can be written to the customer; empty: it can."""

    @property
    def written(self) -> bool:
        """Whether it is a chat, SMS or e-mail: it does not ring, and one agent may have several."""
        return self.channel in WRITTEN


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent, as boards show them."""

    login: str
    name: str
    state: AgentState
    since: float
    """Unix seconds of the state's beginning."""
    reason: str = ""
    conversation_id: str = ""
    queues: tuple[str, ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict)
    until: float | None = None
    """When the state ends by itself (Unix seconds), as wrap-up does; None where it does not."""
    texts: tuple[str, ...] = ()
    """The written conversations that they have."""
    texts_most: int = 0
    """How many they may have at once."""


@dataclass(frozen=True, slots=True)
class WaitingView:
    """One customer who waits."""

    handoff_id: str
    conversation_id: str
    queue: str
    position: int
    since: float
    priority: float
    customer: str
    """Name, or the calling number."""
    ringing: str = ""
    """The login of whom it rings at."""
    callback: bool = False
    """They have hung up and keep their place."""
    channel: str = "voice"


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue."""

    name: str
    open: bool
    waiting: tuple[WaitingView, ...]
    available: int
    """Agents who could take one now."""
    expected_wait_s: float | None
    """For who joins now; None when nothing is known."""
    answered: int
    abandoned: int
    within_target: int
    """Answered within the service level's seconds, today."""
    service_level: float | None
    """0…1, today; None before the first call."""
    texts_waiting: int = 0
    """How many of `waiting` are written conversations."""
    texts_in_hand: int = 0
    """Written conversations of the queue that a person has."""


@dataclass(frozen=True, slots=True)
class CallView:
    """One conversation that is up."""

    conversation_id: str
    channel: str
    state: str
    since: float
    customer: str
    who: str
    """"butler", or the login of the human who has it."""
    queue: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """Everything at one moment."""

    at: float
    agents: tuple[AgentView, ...]
    queues: tuple[QueueView, ...]
    calls: tuple[CallView, ...]


@dataclass(frozen=True, slots=True)
class BoardChanged:
    """Something of the board is other than before."""

    board: Board


@dataclass(frozen=True, slots=True)
class Said:
    """A new line of a conversation."""

    conversation_id: str
    line: Line


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the newest line will begin with: its speaker may go on. The line itself takes its place."""

    conversation_id: str
    who: str
    """As a line's."""
    text: str


@dataclass(frozen=True, slots=True)
class CallChanged:
    """What became of the conversation that an agent has, or had: its `state` is "ringing", "talking", "held",
    "consulting", "conference" or "ended"; of a written one "talking" or "ended"."""

    conversation_id: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Typing:
    """The customer of a written conversation is writing, or has stopped."""

    conversation_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message that a person wrote: "waiting", "sent", "delivered", "failed" or "refused"."""

    conversation_id: str
    message_id: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing can be written to the customer any more, and why; empty: it can again."""

    conversation_id: str
    why: str


News = BoardChanged | Said | Drafted | CallChanged | Typing | Sent | Closed


class Desktop(Protocol):
    """Where one agent works. An agent without one (an outside number) gets no bundle and needs no acknowledgement."""

    async def offer(self, bundle: Bundle) -> bool:
        """Put the bundle before the agent; True once their desktop has said that it shows it. May take as long as it
        likes: who asks has a time limit, and cancels."""
        ...

    def withdraw(self, handoff_id: str, why: str) -> None:
        """What was offered is no longer theirs. Never waits."""
        ...

    def tell(self, news: News) -> None:
        """Something has changed. Never waits."""
        ...


class ContactCentre(Protocol):
    """Queues and agents. `by` is the login of who asks; all that changes something is audited.

    Raises ContactError (a CcaasError, one line) for what cannot be done: an unknown agent, a call that is over.
    """

    def board(self) -> Board: ...

    def subscribe(self, tell: Callable[[News], None]) -> Callable[[], None]:
        """All news from now on, at most ten boards a second; what is answered ends it. `tell` never waits."""
        ...

    async def sign_in(self, login: str, desktop: Desktop) -> None:
        """The agent is there, and away until they say otherwise. A second desktop takes the first one's place."""
        ...

    async def sign_out(self, login: str, desktop: Desktop) -> None:
        """The desktop is gone: what rang there rings elsewhere; a call that is being had goes on; written conversations wait
        again."""
        ...

    async def set_state(self, login: str, state: AgentState, reason: str = "", *, by: str) -> None:
        """AVAILABLE, AWAY or OFFLINE."""
        ...

    async def wrap_up(self, login: str, conversation_id: str, disposition: str, note: str) -> None:
        """The agent has finished with it. A written conversation is over with it."""
        ...

    async def transfer(self, conversation_id: str, to: str, *, by: str) -> None:
        """Blind: to a queue, a destination, an agent's login, or back to "butler"."""
        ...

    async def consult(self, conversation_id: str, to: str, *, by: str) -> None:
        """Attended: the customer hears music, the agent speaks with `to`."""
        ...

    async def accept(self, conversation_id: str, *, by: str) -> None:
        """Take the written conversation that was offered."""
        ...

    async def refuse(self, conversation_id: str, *, by: str) -> None:
        """Do not take it: the next one is offered it, and who refused is away."""
        ...

    async def write(self, conversation_id: str, text: str, *, by: str) -> None:
        """Write to the customer of a written conversation that `by` has."""
        ...

    async def write_again(self, conversation_id: str, message_id: str, *, by: str) -> None:
        """Send a message of a person's once more that was not sent."""
        ...

    def typing(self, conversation_id: str, on: bool, *, by: str) -> None:
        """Who has it is writing, or has stopped. Never waits, and changes nothing where it is not theirs."""
        ...

    async def join_consulted(self, conversation_id: str, *, leave: bool, by: str) -> None:
        """Bring the customer to who was consulted: `leave` ends the agent's part (a transfer), else all three talk."""
        ...

    async def drop_consulted(self, conversation_id: str, *, by: str) -> None:
        """Back to the customer alone."""
        ...

    async def supervise(self, conversation_id: str, mode: Supervision | None, *, by: str) -> None:
        """Ring the supervisor's own phone and let them take part; None ends it."""
        ...

    async def look(self, conversation_id: str, *, by: str) -> Bundle:
        """What is known of a conversation that is under way, whoever has it. Changes nothing."""
        ...

    async def reroute(self, handoff_id: str, queue: str, *, by: str) -> None:
        """Who waits waits elsewhere (a queue's name, or of callers an outside number); the waiting time counts."""
        ...

    async def reload(self) -> tuple[str, ...]:
        """Read queues and agents of the YAML anew, without touching a call; what has changed, a line each."""
        ...
