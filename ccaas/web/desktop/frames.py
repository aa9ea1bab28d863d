"""What pages say over their socket, checked; and how what they are told is written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Id = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=4000)]


class Frame(BaseModel):
    """Base: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(Frame):
    """The first one: who asks, and what they have seen already."""

    type: Literal["hello"]
    csrf: str
    instance: str = ""
    """Of the feed whose news were seen."""
    seq: int = 0
    """The newest that was seen."""


class Shown(Frame):
    """The bundle is on the page."""

    type: Literal["shown"]
    handoff: Id


class Read(Frame):
    """The agent looks at a written conversation."""

    type: Literal["read"]
    conversation: Id


class Types(Frame):
    """The agent is writing in one, or has stopped."""

    type: Literal["typing"]
    conversation: Id
    on: bool


class Order(Frame):
    """Something to be done; answered under its `id`."""

    id: int


class SetState(Order):
    """Be available, or away."""

    type: Literal["state"]
    state: Literal["available", "away"]
    reason: Annotated[str, Field(max_length=60)] = ""


class WrapUp(Order):
    """The conversation has come to this."""

    type: Literal["wrap_up"]
    conversation: Id
    disposition: Annotated[str, Field(min_length=1, max_length=60)]
    note: Text = ""


class Transfer(Order):
    """To a queue, an agent, a destination, or the butler."""

    type: Literal["transfer", "consult"]
    conversation: Id
    to: Id


class Join(Order):
    """The customer to who was consulted."""

    type: Literal["join"]
    conversation: Id
    leave: bool


class Drop(Order):
    """Back to the customer."""

    type: Literal["drop"]
    conversation: Id


class Decide(Order):
    """A prepared request."""

    type: Literal["approve", "decline"]
    conversation: Id
    approval: Id


class Take(Order):
    """The written conversation that was offered, or not."""

    type: Literal["accept", "refuse"]
    conversation: Id


class Write(Order):
    """Words to its customer."""

    type: Literal["write"]
    conversation: Id
    text: Annotated[str, Field(max_length=50_000)]


class Again(Order):
    """A message that was not sent, once more."""

    type: Literal["again"]
    conversation: Id
    message: Id


class Supervise(Order):
    """Take part in a call; no mode ends it."""

    type: Literal["supervise"]
    conversation: Id
    mode: Literal["listen", "whisper", "barge"] | None


class Force(Order):
    """Another agent's state."""

    type: Literal["force"]
    login: Id
    state: Literal["available", "away", "offline"]
    reason: Annotated[str, Field(max_length=60)] = ""


class Reroute(Order):
    """Who waits waits elsewhere, or is sent to an outside number."""

    type: Literal["reroute"]
    handoff: Id
    queue: Annotated[str, Field(max_length=200)] = ""
    number: Annotated[str, Field(max_length=200)] = ""


class Follow(Order):
    """Be told what is said in a conversation; empty: of none."""

    type: Literal["follow"]
    conversation: Annotated[str, Field(max_length=200)]


DeskOrder = SetState | WrapUp | Transfer | Join | Drop | Decide | Take | Write | Again
Sign = Shown | Read | Types
"""What a page says without asking for anything."""
BoardOrder = Supervise | Force | Reroute | Follow

DESK_FRAME: TypeAdapter[Hello | Sign | DeskOrder] = TypeAdapter(
    Annotated[Hello | Sign | DeskOrder, Field(discriminator="type")]
)
BOARD_FRAME: TypeAdapter[Hello | BoardOrder] = TypeAdapter(Annotated[Hello | BoardOrder, Field(discriminator="type")])


def encode(kind: str, **fields: Any) -> str:
    """A frame for a page; dataclasses become objects."""
    return msgspec.json.encode({"type": kind, **fields}, enc_hook=str).decode()
