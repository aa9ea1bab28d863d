"""What goes over the WebSocket: JSON objects with a `type`.

Each line of a conversation has a number, 1, 2, 3 … without gaps, given when it is stored. A page says which number it
has seen last and gets what came after; each line of a customer carries an id of the page's own, so that one that is
sent again changes nothing, and the line itself, coming back, is its acknowledgement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from ccaas_webchat.lines import Line

Number = Annotated[int, Field(ge=0, le=2**53 - 1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Closed(IntEnum):
    """Why we closed the socket (RFC 6455, 7.4.2: 4000 and above are an application's own)."""

    BAD_FRAME = 4400
    TOKEN = 4401
    """The token proves nothing."""
    SIGN_IN = 4403
    """There was none, and strangers may not chat."""
    GONE = 4410
    """The conversation was erased: the page begins anew."""
    SLOW = 4408
    """The page did not read, or did not say hello."""
    OFTEN = 4429
    """One conversation is open in too many pages."""


class _Frame(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class Hello(_Frame):
    """The first frame of a page. `session` and `resume` come from an earlier welcome."""

    type: Literal["hello"]
    session: Annotated[str, StringConstraints(max_length=64)] = ""
    resume: Annotated[str, StringConstraints(max_length=128)] = ""
    token: str = ""
    entry: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,64}$")] = ""
    """Which of the site's widgets it is: `data-entry`."""
    after: Number = 0
    """The number of the last line that the page has."""


class Say(_Frame):
    """The customer wrote something; `id` is the page's own."""

    type: Literal["say"]
    id: Name
    text: str


class Open(_Frame):
    """The customer opened the panel."""

    type: Literal["open"]


class Typing(_Frame):
    """The customer began or stopped writing."""

    type: Literal["typing"]
    on: bool


class Seen(_Frame):
    """The page has every line up to this number."""

    type: Literal["seen"]
    seq: Number


class Earlier(_Frame):
    """The page wants lines before this number."""

    type: Literal["earlier"]
    before: Number


class Ping(_Frame):
    """The page asks whether the connection still lives."""

    type: Literal["ping"]


Frame = Hello | Say | Open | Typing | Seen | Earlier | Ping
_FRAMES: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse(text: str) -> Frame | None:
    """A frame of a page; None when it is not one."""
    try:
        return _FRAMES.validate_json(text)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a page needs after its hello."""

    session: str
    resume: str
    lines: Sequence[Line]
    earlier: bool
    """There are lines before these."""
    reset: bool
    """These do not follow what the page has: it begins anew with them."""
    typing: bool
    longest: int
    verified: bool

    def encode(self) -> str:
        """As JSON."""
        return _json(
            type="welcome",
            session=self.session,
            resume=self.resume,
            lines=[_line(line) for line in self.lines],
            earlier=self.earlier,
            reset=self.reset,
            typing=self.typing,
            longest=self.longest,
            verified=self.verified,
        )


def line_frame(line: Line) -> str:
    """A new line of the conversation, of either side."""
    return _json(type="line", **_line(line))


def earlier_frame(lines: Sequence[Line], earlier: bool) -> str:
    """Older lines."""
    return _json(type="earlier", lines=[_line(line) for line in lines], earlier=earlier)


def typing_frame(on: bool) -> str:
    """The agent began or stopped writing."""
    return _json(type="typing", on=on)


def refused_frame(line_id: str, why: Literal["long", "empty", "flood", "rate", "later"], retry_s: float = 0.0) -> str:
    """A line was not taken: under this id for good ("long", "empty", "flood": the customer may send it again), or until
    `retry_s` seconds have passed."""
    return _json(type="refused", id=line_id, why=why, retry_s=retry_s)


PONG = '{"type":"pong"}'


def _line(line: Line) -> dict[str, object]:
    return {"seq": line.seq, "id": line.id, "side": line.side, "text": line.text, "at": line.at}


def _json(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
