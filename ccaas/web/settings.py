"""The settings of the site on which agents and supervisors work: `web.desk` of the YAML."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from ccaas.web.call.settings import CallPage
from ccaas.web.proxies import Network

Whole = Annotated[int, Strict()]
"""A whole number; not `yes`."""


def _bindable(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value} is not an IP address; write one such as 127.0.0.1") from None


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{value} is no address of a site; write one such as https://desk.example.com")
    return f"{parts.scheme}://{parts.netloc}".lower()


class Section(BaseModel):
    """Base: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tls(Section):
    """A certificate of the desk's own; browsers allow a microphone without one on localhost only."""

    certificate: Path = Field(description="PEM file with the certificate and those that it builds on.")
    key: Path = Field(description="PEM file with its private key.")


class DeskWeb(Section):
    """The site on which agents and supervisors work."""

    bind: Annotated[str, AfterValidator(_bindable)] = Field(default="127.0.0.1", description="Address it listens on.")
    port: Annotated[Whole, Field(ge=1, le=65535)] = Field(default=8092, description="TCP port.")
    tls: Tls | None = Field(default=None, description="Its certificate; left out, it speaks HTTP.")
    address: Annotated[str, AfterValidator(_origin)] | None = Field(
        default=None,
        description="What browsers call it, where a proxy stands before it: `https://desk.example.com`. The proxy must set "
        "X-Forwarded-For.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Addresses or networks of your own reverse proxies: their `X-Forwarded-For` tells where a browser is.",
    )
    call: CallPage = Field(
        default_factory=CallPage, description="The page /call, on which anybody who reaches the site can call."
    )
    session_hours: Annotated[Whole, Field(ge=1, le=168)] = Field(
        default=12, description="Hours after which everybody signs in again."
    )
    lost_s: Annotated[Whole, Field(ge=2, le=300)] = Field(
        default=10, description="Seconds after which an agent whose desktop is not reached is signed out."
    )
    silent_s: Annotated[Whole, Field(ge=3, le=300)] = Field(
        default=6,
        description="Seconds without any audio packet from an agent's browser (a muted one sends silence) after which its caller "
        "is back with the AI.",
    )
    dispositions: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(
        default=("solved", "promised", "passed on", "not solved", "wrong number"),
        min_length=1,
        description="What a conversation can come to, in the agent's wrap-up.",
    )
    reasons: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(
        default=("break", "lunch", "meeting", "training"), min_length=1, description="Why an agent may be away."
    )
    demo_accounts: bool = Field(
        default=False,
        description="For rehearsals: make accounts of the agents anna and sam and a supervisor when there are no accounts "
        "yet. `ccaas up` shows their passwords once.",
    )
