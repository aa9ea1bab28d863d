"""The YAML's `asterisk:` section."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator

CODECS = ("ulaw", "alaw", "g722", "opus", "slin")
"""What the managed Asterisk speaks (its own format names)."""

RESERVED_NAMES = frozenset({"anonymous", "global", "system", "transport-udp", "transport-tcp", "transport-ws", "ccaas"})


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", value):
        raise ValueError(
            f'"{value}" cannot be a name here; use at most 40 letters, digits, dots, hyphens and underscores'
        )
    if value in RESERVED_NAMES:
        raise ValueError(f'"{value}" is used inside Asterisk; choose another name')
    return value


def _one_line(value: str) -> str:
    if not value.isprintable() or ";" in value:
        raise ValueError("it contains a line break or a semicolon; remove that")
    return value


def _secret(value: str) -> str:
    if not value.isprintable() or re.search(r"[\s;]", value):
        raise ValueError("it contains a space or a semicolon; choose another one")
    return value


def _address(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError(f"{value} is not an IPv4 address; write one such as 127.0.0.1") from None


def _network(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError:
        raise ValueError(f"{value} is no IPv4 address or network; write 192.0.2.10 or 192.0.2.0/24") from None


Name = Annotated[str, AfterValidator(_name)]
Line = Annotated[str, AfterValidator(_one_line)]
Secret = Annotated[str, AfterValidator(_secret)]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
CodecName = Literal["ulaw", "alaw", "g722", "opus", "slin"]


class Section(BaseModel):
    """Base: an unknown key is an error, and a number is never taken for a phone number."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sip(Section):
    """Where SIP is spoken. SIP over WebSocket is on the HTTP port, path /ws."""

    udp: Port = Field(default=5060, description="UDP port for SIP.")
    tcp: Port = Field(default=5060, description="TCP port for SIP.")
    websocket: bool = Field(default=True, description="SIP over WebSocket (for browsers) on `http_port`, path /ws.")
    anonymous: bool = Field(
        default=True, description="Take calls from this machine (127.0.0.0/8) without a registration, to any number."
    )


class Rtp(Section):
    """UDP ports of the calls' audio: two for each leg."""

    first: Port = Field(default=10000, description="First UDP port for audio.")
    last: Port = Field(default=10999, description="Last UDP port for audio; four a call are plenty.")


class Tls(Section):
    """Encrypted SIP (TLS) and SIP over secure WebSocket."""

    sip: Port = Field(default=5061, description="TCP port for SIP over TLS.")
    https: Port = Field(default=8089, description="TCP port for secure WebSocket, path /ws.")
    certificate: Path = Field(description="PEM file with the certificate (and its chain).")
    key: Path = Field(description="PEM file with its private key.")


class Ari(Section):
    """How an external Asterisk is controlled (ari.conf and http.conf of that Asterisk)."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/.*)?$")] = Field(
        default="http://127.0.0.1:8088", description="Its HTTP address, without /ari."
    )
    user: Name = Field(default="ccaas-controller", description="User in ari.conf.")
    password: Secret | None = Field(default=None, description="That user's password.")
    password_env: str | None = Field(
        default=None, description="Name of the environment variable that holds the password."
    )
    password_file: Path | None = Field(default=None, description="File whose first line is the password.")

    @model_validator(mode="after")
    def _one_password(self) -> Ari:
        if sum(x is not None for x in (self.password, self.password_env, self.password_file)) > 1:
            raise ValueError("there are several passwords; keep one of password, password_env and password_file")
        return self


class Phone(Section):
    """A SIP phone that registers here."""

    name: Name = Field(description='Its user name, quoted: "6001".')
    password: Secret | None = Field(
        default=None, description="Its password; left out, one is made and kept per installation."
    )
    codecs: tuple[CodecName, ...] = Field(
        default=("ulaw", "alaw", "g722"), min_length=1, description="In order of preference."
    )
    caller_id: Line = Field(default="", description='What is shown to whom it calls: "Alice <+15550100>".')
    webrtc: bool = Field(default=False, description="A softphone in a browser: WebSocket, encryption, Opus.")


class Trunk(Section):
    """A SIP line to a carrier or another switch, known by its address."""

    name: Name = Field(description="Its name, used in `PJSIP/number@name`.")
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:\d{1,5})?$")] = Field(
        description="Host and optional port to which its calls go."
    )
    from_addresses: tuple[Network, ...] = Field(min_length=1, description="Addresses that its calls come from.")
    codecs: tuple[CodecName, ...] = Field(default=("alaw", "ulaw"), min_length=1, description="In order of preference.")
    user: Name | None = Field(default=None, description="User name that the carrier asks for on outgoing calls.")
    password: Secret | None = Field(default=None, description="Password to that user name.")


class Fallback(Section):
    """Who takes a call when the controller is not there."""

    ring: tuple[Name, ...] = Field(default=(), description="Names of phones that ring, all at once.")
    wait_s: Annotated[int, Strict(), Field(ge=5, le=3600)] = Field(
        default=60, description="Seconds in that queue before voicemail."
    )
    message_s: Annotated[int, Strict(), Field(ge=5, le=600)] = Field(
        default=180, description="Longest voicemail, in seconds."
    )


class AsteriskSettings(Section):
    """Asterisk: started and kept by us (`managed`), or one of your own (`external`), of which only `ari` is used."""

    mode: Literal["managed", "external"] = Field(default="managed", description="Who runs Asterisk.")
    prefix: Path = Field(default=Path(".cache/asterisk"), description="Folder into which Asterisk was unpacked.")
    bind: Address = Field(default="127.0.0.1", description="Address for SIP and audio; ARI stays on loopback.")
    public_address: Address | None = Field(
        default=None,
        description="The address under which `bind` is reached from outside, where a router translates between them.",
    )
    http_port: Port = Field(default=8088, description="TCP port for ARI, media and SIP over WebSocket.")
    sip: Sip = Sip()
    rtp: Rtp = Rtp()
    tls: Tls | None = Field(default=None, description="Encrypted SIP; left out, there is none.")
    ari: Ari = Ari()
    phones: tuple[Phone, ...] = Field(default=(), description="SIP phones.")
    trunks: tuple[Trunk, ...] = Field(default=(), description="SIP lines.")
    fallback: Fallback = Fallback()
    dialplan_files: tuple[Path, ...] = Field(
        default=(), description="Your own dialplan fragments (extensions.conf syntax)."
    )
    test_extensions: bool = Field(default=False, description="Let callers dial echo, milliwatt and silence.")
    max_calls: Annotated[int, Strict(), Field(ge=1, le=5000)] = Field(
        default=500, description="Sizes limits for sockets and sessions."
    )
    cdr: bool = Field(default=True, description="Write call detail records (CSV).")
    cel: bool = Field(default=False, description="Write channel event logging (CSV).")
