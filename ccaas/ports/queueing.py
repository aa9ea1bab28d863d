"""Between a call, or a written conversation, whose customer wants a person and the queues that find one.

The queues decide, the call does: `Order`s go to the call, and through its `Place` the call tells what came of them. Of a
written conversation the queues know its `TextSide`, through which the person who has it writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Announce:
    """Say something to the caller who waits; then the music goes on."""

    text: str
    asks: bool = False
    """It is a question: listen for a yes (or the key 1)."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring an agent; music for the caller meanwhile. Answered, they are joined."""

    endpoint: str
    timeout_s: float
    caller_id: str
    briefing: str = ""
    """Said to the agent alone, before the caller is joined; empty: nothing."""


@dataclass(frozen=True, slots=True)
class StopRinging:
    """What rings is to ring no longer."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The caller goes elsewhere; an agent whom they have is let go."""

    to: str
    """The name of a queue, a destination or an agent; empty: back to the AI."""
    say: str = ""
    """What the caller hears before; the AI says it itself."""


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Say this, and hang up: they will be called back."""

    text: str


@dataclass(frozen=True, slots=True)
class Consult:
    """Music for the caller, while the agent speaks with somebody else."""

    endpoint: str
    timeout_s: float
    caller_id: str


@dataclass(frozen=True, slots=True)
class JoinConsulted:
    """The caller, and who was consulted; the agent stays unless they `leave`."""

    leave: bool


@dataclass(frozen=True, slots=True)
class DropConsulted:
    """The consulted one is let go, and the caller is with the agent again."""


Order = Announce | Ring | StopRinging | Leave | Dismiss | Consult | JoinConsulted | DropConsulted


class Place(Protocol):
    """A caller's place in a queue, and afterwards their time with a person. Nothing of it waits or raises."""

    def follow(self, tell: Callable[[Order], None]) -> None:
        """Orders come to `tell` from now on; it never waits."""
        ...

    def announced(self, *, wanted: bool) -> None:
        """What was to be said was said; `wanted`: a question was answered with yes."""
        ...

    def key(self, digit: str) -> None:
        """The caller pressed a key while waiting."""
        ...

    def rings(self) -> None:
        """The agent's phone rings."""
        ...

    def answered(self) -> None:
        """The agent has answered and is joined to the caller."""
        ...

    def missed(self, why: str) -> None:
        """The agent did not answer; `why` in words ("no answer", "busy", …)."""
        ...

    def consulting(self, state: str) -> None:
        """What came of `Consult` and of what followed: "consulting", "failed", "held" (the agent's phone holds the caller),
        "talking" (with the caller alone again), "conference", "transferred" (the caller is with the consulted one)."""
        ...

    def let_go(self) -> None:
        """The agent's part is over; the caller may go on elsewhere."""
        ...

    def no_person(self, why: str) -> None:
        """Who was called is no person after all: the place is given up, and the agent is free at once; `why` in words, for
        them."""
        ...

    def over(self, *, hung_up: bool) -> None:
        """The caller's call has ended; `hung_up`: by themselves."""
        ...


class With(Enum):
    """Who has a written conversation."""

    AI = "ai"
    LINE = "line"
    """It waits for a person who is at work."""
    NOBODY = "nobody"
    """It waits until somebody is at work again; meanwhile the AI answers."""
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Stands:
    """How a written conversation stands in the queues."""

    who: With
    position: int = 0
    """From 1; 0 where it does not wait."""
    opens: datetime | None = None
    """When the queue opens again, where it is closed and that is known."""


class TextSide(Protocol):
    """A written conversation, as the queues and the person who has it see it."""

    @property
    def closed(self) -> str:
        """Why nothing can be written to the customer; empty: it can."""
        ...

    async def write(self, text: str, by: str) -> None:
        """Send the words of a person, whose login is `by`, to the customer on the channel that they write on.

        Raises:
            ContactError: they cannot be sent; nothing was.
        """
        ...

    async def again(self, message_id: str, by: str) -> None:
        """Send words once more that were not sent. Raises ContactError."""
        ...

    def typing(self, on: bool) -> None:
        """The person is writing, or has stopped; shown where the channel can. Never waits."""
        ...

    def back(self, by: str) -> None:
        """The AI has it again. Never waits."""
        ...

    def finish(self, by: str, disposition: str, note: str) -> None:
        """The person has finished with it. Never waits."""
        ...
