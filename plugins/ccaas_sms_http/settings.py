"""What the YAML may say about an SMS gateway: how it is asked to send, and how what it tells us is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Number = Annotated[str, Field(pattern=r"^[+0-9A-Za-z][0-9A-Za-z._-]{0,39}$")]
Path_ = Annotated[str, Field(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
"""Where a value stands in a callback: "message.id", "messages.0.text", or a form's field."""


class Section(BaseModel):
    """Base: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Section):
    """A secret that is not in the YAML."""

    env: str | None = Field(default=None, description="Name of the environment variable that holds it.")
    file: Path | None = Field(default=None, description="File whose first line it is.")

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if (self.env is None) is (self.file is None):
            raise ValueError("say where the secret is: one of env and file")
        return self


class Send(Section):
    """How the gateway is asked to send. `{address}`, `{sender}`, `{text}`, `{id}` and `{secret}` stand for their values."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] = Field(description="Where to.")
    method: Literal["POST", "PUT", "GET"] = Field(default="POST", description="HTTP method.")
    headers: dict[str, str] = Field(default_factory=dict, description="HTTP headers.")
    query: dict[str, str] = Field(default_factory=dict, description="Query parameters.")
    json_body: dict[str, Any] | None = Field(default=None, alias="json", description="Body as JSON.")
    form: dict[str, str] | None = Field(default=None, description="Body as a form.")
    secret: Secret | None = Field(default=None, description="What `{secret}` stands for.")
    its_id: Path_ | None = Field(
        default=None,
        description="Where its own id stands in the JSON of its answer, when its receipts name that one instead of ours.",
    )
    timeout_s: Annotated[float, Field(gt=0, le=60)] = Field(default=10.0, description="Seconds that it may take.")

    @model_validator(mode="after")
    def _one_body(self) -> Send:
        if self.json_body is not None and self.form is not None:
            raise ValueError("there are two bodies; keep one of json and form")
        return self


class Signature(Section):
    """How the gateway signs what it tells us (HMAC)."""

    header: str = Field(description="Header that holds the signature.")
    secret: Secret = Field(description="The shared secret.")
    algorithm: Literal["sha1", "sha256", "sha512"] = Field(default="sha256", description="Hash.")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written.")
    prefix: str = Field(default="", description='What stands in front of it, for example "sha256=".')
    over: str = Field(
        default="{body}",
        description="What is signed, from `{body}`, `{timestamp}` and `{url}`.",
    )
    timestamp_header: str | None = Field(
        default=None, description="Header with the Unix seconds of signing; older and newer ones are refused."
    )
    window_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=300, description="How far that may be from our own clock (s)."
    )

    @model_validator(mode="after")
    def _timestamp_named(self) -> Signature:
        if "{timestamp}" in self.over and self.timestamp_header is None:
            raise ValueError("`over` holds {timestamp}, so timestamp_header must say where that stands")
        if "{body}" not in self.over:
            raise ValueError("`over` must hold {body}, or anybody could change what is said")
        return self


class Message(Section):
    """Where the parts of a customer's message stand in a callback."""

    id: Path_ = Field(description="The gateway's id of the message.")
    address: Path_ = Field(description="Who wrote.")
    to: Path_ = Field(description="Our number.")
    text: Path_ = Field(description="What was written.")
    at: Path_ | None = Field(default=None, description="When: Unix seconds or ISO 8601; left out, when it arrived.")


class Receipt(Section):
    """Where the parts of a delivery receipt stand in a callback."""

    id: Path_ = Field(description="The message: our `{id}`, or with `send.its_id` the gateway's own.")
    status: Path_ = Field(description="What became of it.")
    delivered: tuple[str, ...] = Field(default=("delivered",), description="Words that mean that it has arrived.")
    failed: tuple[str, ...] = Field(
        default=("failed", "undelivered", "rejected", "expired"), description="Words that mean that it never will."
    )
    detail: Path_ | None = Field(default=None, description="Its reason, for the timeline.")


class HttpSmsSettings(Section):
    """Settings beside `use: sms_http`."""

    numbers: tuple[Number, ...] = Field(
        min_length=1, description="Numbers of ours, quoted; the first one is what we write from."
    )
    send: Send = Field(description="How the gateway is asked to send.")
    signature: Signature | None = Field(
        default=None, description="How its callbacks are signed; left out, they are taken from this machine alone."
    )
    each: Path_ | None = Field(default=None, description="The list in a callback that holds several messages.")
    message: Message = Field(description="How a customer's message is read.")
    receipt: Receipt | None = Field(default=None, description="How a delivery receipt is read.")
    longest: int = Field(
        default=459, ge=40, le=2000, description="Most characters of one message; three SMS by default."
    )
