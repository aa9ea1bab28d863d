"""The whole of ccaas.yaml but what the plug-ins add: their settings stand beside `use` and are checked by their models."""

from __future__ import annotations

import ipaddress
import zoneinfo
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from ccaas.config.asterisk import AsteriskSettings
from ccaas.conversation.settings import ConversationSettings
from ccaas.ports.tools import Phase


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {value}; write one such as America/New_York") from None
    return value


def _bindable(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value} is not an IP address; write one such as 127.0.0.1") from None


Whole = Annotated[int, Strict()]
"""A whole number; not `yes`, which YAML reads as true and Python as 1."""
Number = Annotated[float, Strict()]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
"""A name that the YAML itself gives to something."""


class Section(BaseModel):
    """Base: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Use(BaseModel):
    """What a plug-in offers, by name; the keys beside `use` are that plug-in's own settings."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Any]

    use: str = Field(description="The name under which a plug-in of `plugins` offers it.")


class Speech(Section):
    """Ears and voice."""

    recognizer: Use = Field(description="What turns speech into text.")
    voice: Use = Field(description="What tells speech from silence, frame by frame.")
    turn: Use = Field(description="What hears whether a caller has finished.")
    synthesizer: Use = Field(description="What speaks.")
    fallback_synthesizer: Use | None = Field(
        default=None, description="What speaks while the first one fails; left out, there is none."
    )


class Entry(Section):
    """Who takes which dialled numbers."""

    numbers: tuple[Annotated[str, Field(pattern=r"^(\*|[+0-9A-Za-z][0-9A-Za-z._-]*)$")], ...] = Field(
        min_length=1, description='Dialled numbers, quoted: `["1000", "+15550100"]`; `"*"` takes all the others.'
    )
    reasoner: str = Field(description="The name of one of `reasoners`.")


class Destination(Section):
    """Where a call may be transferred to."""

    endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[^\s,;&|]+$")] = Field(
        description="Asterisk's name of it: `PJSIP/6001`, or `PJSIP/number@trunk`."
    )
    timeout_s: Annotated[Whole, Field(ge=5, le=600)] = Field(
        default=20, description="Seconds it may ring before the call comes back."
    )
    blind: bool = Field(
        default=False, description="Send the caller there at once, whether or not anybody answers; they leave us."
    )


class Recording(Section):
    """Stereo recordings, the caller on the left and the agent on the right, under `state`/recordings."""

    enabled: bool = Field(default=True, description="Whether calls are recorded.")


class Limits(Section):
    """When a new call is told that we are busy, so that the others stay fast."""

    calls: Annotated[Whole, Field(ge=1, le=5000)] = Field(default=40, description="Most calls with the agent at once.")
    drain_s: Annotated[Whole, Field(ge=0, le=86_400)] = Field(
        default=30, description="Seconds that calls may go on when the controller is told to stop."
    )
    lag_ms: Annotated[Number, Field(ge=5, le=5000)] = Field(
        default=250, description="Event loop's lag above which no new call is taken."
    )


class Web(Section):
    """Metrics and health, over HTTP."""

    bind: Annotated[str, AfterValidator(_bindable)] = Field(default="127.0.0.1", description="Address it listens on.")
    port: Annotated[Whole, Field(ge=1, le=65535)] = Field(default=8090, description="TCP port.")


class Log(Section):
    """What is written to the terminal; the file under `state`/log is always JSON."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least that is shown.")
    format: Literal["console", "json"] = Field(default="console", description="For people, or one JSON object a line.")


class CcaasSettings(Section):
    """The top of the file."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="What this installation is called.")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        description="The business's own time zone: `America/New_York`."
    )
    clock: datetime | None = Field(
        default=None,
        description='For rehearsals: the business\'s time when the controller starts, quoted: `"2024-05-15T15:00:00"`. '
        "Left out, it is the real time.",
    )
    state: Path = Field(default=Path("var"), description="Folder for the journal, recordings, logs and databases.")
    models: Path = Field(default=Path(".cache/models"), description="Folder of the models that `make setup` fetched.")
    cache: Path | None = Field(
        default=None, description="Folder for what can be made again; left out, `cache` under `state`."
    )
    asterisk: AsteriskSettings = Field(default_factory=AsteriskSettings, description="The switch.")
    plugins: tuple[str, ...] = Field(
        description="The plug-ins that may be loaded, in the order in which they are asked; no other one is."
    )
    speech: Speech = Field(description="Ears and voice.")
    tools: tuple[Use, ...] = Field(default=(), description="What the agent can do.")
    phase: Literal["informational", "transactional", "proactive"] = Field(
        default="informational",
        description="How far the agent may go: only read, also write what its tools allow, also begin by itself.",
    )
    reasoners: dict[Word, Use] = Field(min_length=1, description="What decides what is said; the names are yours.")
    entries: dict[Word, Entry] = Field(min_length=1, description="Who takes which number; the names are yours.")
    destinations: dict[Word, Destination] = Field(
        default_factory=dict, description="Where calls may be transferred to; the names are yours."
    )
    conversation: ConversationSettings = Field(
        default_factory=ConversationSettings, description="When to speak and when to stop."
    )
    recording: Recording = Field(default_factory=Recording, description="Recordings of calls.")
    limits: Limits = Field(default_factory=Limits, description="Admission of new calls.")
    web: Web = Field(default_factory=Web, description="Metrics and health.")
    log: Log = Field(default_factory=Log, description="Logs.")

    @property
    def allowed_phase(self) -> Phase:
        """`phase` as the tools' gate knows it."""
        return Phase[self.phase.upper()]

    def entry_for(self, dialled: str) -> str | None:
        """The name of the entry that takes a dialled number; None when nobody does."""
        for wanted in (dialled, "*"):
            for name, entry in self.entries.items():
                if wanted in entry.numbers:
                    return name
        return None
