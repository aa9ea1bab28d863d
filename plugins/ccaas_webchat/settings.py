"""Settings beside `use: webchat`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ccaas.web.proxies import Network
from ccaas_webchat.words import WORDS

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?")


def _origin(value: str) -> str:
    if value == "*" or _ORIGIN.fullmatch(value):
        return value.lower()
    raise ValueError("an origin is a scheme and a host without a path, like https://www.example.com, or * for any")


def _known_words(value: dict[str, str]) -> dict[str, str]:
    for key in value:
        if key not in WORDS:
            raise ValueError(f"the widget has no text {key!r}; it has {', '.join(sorted(WORDS))}")
    return value


class WebChatSettings(BaseModel):
    """Settings of the channel "webchat"."""

    model_config = ConfigDict(extra="forbid")

    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        default=(),
        description="Web sites that may embed the widget: `https://www.example.com`; `*` for any. Pages of this server "
        "itself always may.",
    )
    anonymous: bool = Field(
        default=True, description="Whether people without a signed token may chat. If not, `data-token` is needed."
    )
    bad_token: Literal["refuse", "anonymous"] = Field(
        default="refuse",
        description="What becomes of somebody whose token is forged, expired or malformed: refused, or welcome as a "
        "stranger (where `anonymous` allows that).",
    )
    secret_file: str = Field(
        default="",
        description="File with the secret (32 bytes or more) with which your web site's backend signs tokens, relative "
        "to the YAML file's folder. Empty: the installation's own secret.",
    )
    history: int = Field(
        default=50, ge=1, le=500, description="Most messages that are sent to a page at once; earlier ones on request."
    )
    keep_days: int = Field(
        default=30, ge=1, le=3_650, description="Days after its last message for which a conversation can be resumed."
    )
    longest: int = Field(default=2_000, ge=50, le=20_000, description="Most characters of one message of a customer.")
    messages_per_minute: int = Field(
        default=30, ge=1, le=1_000, description="Most messages of one conversation in a minute; a third of it at once."
    )
    ip_messages_per_minute: int = Field(
        default=120, ge=1, le=100_000, description="Most messages from one IP address in a minute."
    )
    ip_connections_per_minute: int = Field(
        default=60, ge=1, le=100_000, description="Most new connections from one IP address in a minute."
    )
    ip_connections: int = Field(
        default=20, ge=1, le=100_000, description="Most connections from one IP address at a time."
    )
    connections: int = Field(default=2_000, ge=1, le=100_000, description="Most connections at a time.")
    trusted_proxies: tuple[Network, ...] = Field(
        default=(),
        description="Addresses or networks of your own reverse proxies: their `X-Forwarded-For` tells the customer's "
        "address.",
    )
    words: Annotated[dict[str, str], AfterValidator(_known_words)] = Field(
        default_factory=dict, description="Texts of the widget in another language, by their names in docs/channels.md."
    )
