"""The whole of ccaas.yaml but what the plug-ins add: their settings stand beside `use` and are checked by their models."""

from __future__ import annotations

import ipaddress
import zoneinfo
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from ccaas.actions.settings import CheckSettings, RuleSettings
from ccaas.config.asterisk import AsteriskSettings
from ccaas.contact.settings import AgentSettings, HandoffSettings, Login, QueueSettings
from ccaas.conversation.settings import ConversationSettings, EscalationSettings
from ccaas.dialler.settings import AnswerSettings, CampaignSettings
from ccaas.guarding.settings import GuardSettings
from ccaas.journey.settings import JourneySettings
from ccaas.messaging.settings import MessagingSettings
from ccaas.outreach.play_settings import ProactiveSettings
from ccaas.outreach.settings import OutreachSettings
from ccaas.ports.tools import Phase
from ccaas.scorecard.settings import ScorecardSettings
from ccaas.web.settings import DeskWeb


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {value}; write one such as America/New_York") from None
    return value


def _moment(value: object) -> object:
    if isinstance(value, int | float):  # 12:30 is 750 to YAML, which counts in sixties
        raise ValueError(  # noqa: TRY004  (pydantic takes no TypeError for a complaint)
            'YAML reads this as a number, not as a time; write date and time, in quotes: "2024-05-15T15:00:00"'
        )
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


class ChannelUse(Use):
    """One text channel; the keys beside `use` and `entry` are that plug-in's own settings."""

    entry: str = Field(description="The name of one of `entries`: whose reasoner answers what is written here.")


class SentimentUse(Use):
    """What judges how callers feel; the keys beside `use` and `escalation` are that plug-in's own settings."""

    escalation: EscalationSettings | None = Field(
        default=None, description="Who takes callers that are upset; left out, feelings are only noted."
    )


class RedactionUse(Use):
    """What finds private data; the keys beside `use` and `log` are that plug-in's own settings."""

    log: bool = Field(default=False, description="Whether private data is taken out of the log too, for good.")


class Campaign(CampaignSettings):
    """A campaign; the keys beside `use` of its pacing are that plug-in's own settings."""

    pacing: Use = Field(
        description="How many calls are begun at a moment: `use: preview`, `progressive` or `predictive`."
    )


class Dialler(Section):
    """Campaigns: lists of people who are called."""

    campaigns: dict[Word, Campaign] = Field(default_factory=dict, description="The campaigns; the names are yours.")
    answering: AnswerSettings = Field(
        default_factory=AnswerSettings, description="How it is told whether a person or a machine has answered."
    )


class Proactive(ProactiveSettings):
    """What comes from outside and what is done then."""

    steps: dict[Word, Use] = Field(
        default_factory=dict,
        description="Steps of plays that plug-ins give, for `query` and `choose`; the names are yours.",
    )

    @model_validator(mode="after")
    def _steps_named(self) -> Self:
        for name, play in self.plays.items():
            for one in (play.query, *play.choose):
                if one.step and one.step not in self.steps:
                    raise ValueError(f"plays.{name}: there is no step {one.step}")
        return self


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
        default=250,
        description="Lag above which no new call is taken: of the event loop for half of two seconds, or of the recogniser.",
    )


class PublicWeb(Section):
    """HTTP for text channels, on a port of its own: it may be reached from outside, behind a proxy with TLS."""

    bind: Annotated[str, AfterValidator(_bindable)] = Field(default="127.0.0.1", description="Address it listens on.")
    port: Annotated[Whole, Field(ge=1, le=65535)] = Field(
        default=8091, description="TCP port; nothing listens while no channel wants HTTP."
    )
    body_kb: Annotated[Whole, Field(ge=1, le=100_000)] = Field(
        default=256, description="Most kilobytes of one request; a bigger one is refused."
    )


class Web(Section):
    """Metrics and health, over HTTP."""

    bind: Annotated[str, AfterValidator(_bindable)] = Field(default="127.0.0.1", description="Address it listens on.")
    port: Annotated[Whole, Field(ge=1, le=65535)] = Field(default=8090, description="TCP port.")
    public: PublicWeb = Field(default_factory=PublicWeb, description="HTTP for text channels.")
    desk: DeskWeb | None = Field(
        default=None, description="The site on which agents and supervisors work; left out, there is none."
    )


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
    clock: Annotated[datetime | None, BeforeValidator(_moment)] = Field(
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
    checks: CheckSettings = Field(
        default_factory=CheckSettings, description="How often a check of who a customer is may be answered wrongly."
    )
    policy: tuple[RuleSettings, ...] = Field(
        default=(), description="Rules that allow less in certain places: docs/actions.md."
    )
    guard: tuple[GuardSettings, ...] = Field(
        default=(), description="What is not talked about and never promised: docs/actions.md."
    )
    reasoners: dict[Word, Use] = Field(min_length=1, description="What decides what is said; the names are yours.")
    entries: dict[Word, Entry] = Field(min_length=1, description="Who takes which number; the names are yours.")
    channels: dict[Word, ChannelUse] = Field(
        default_factory=dict, description="Where customers write to us; the names are yours, and stand in the URLs."
    )
    destinations: dict[Word, Destination] = Field(
        default_factory=dict, description="Where calls may be transferred to; the names are yours."
    )
    agents: dict[Login, AgentSettings] = Field(
        default_factory=dict, description="The people who take conversations, by the login of each: docs/handoff.md."
    )
    queues: dict[Word, QueueSettings] = Field(
        default_factory=dict,
        description="Where callers wait for people; a queue's name can stand wherever a destination's can.",
    )
    handoff: HandoffSettings = Field(
        default_factory=HandoffSettings, description="What holds for all queues: sentences, offers, limits."
    )
    sentiment: SentimentUse | None = Field(
        default=None, description="What judges how callers feel; left out, nothing does."
    )
    redaction: RedactionUse | None = Field(
        default=None,
        description="What finds private data, so that a language model elsewhere is not told it; left out, nothing is hidden.",
    )
    conversation: ConversationSettings = Field(
        default_factory=ConversationSettings, description="When to speak and when to stop."
    )
    messaging: MessagingSettings = Field(
        default_factory=MessagingSettings, description="Conversations by text: pauses, ends, limits, sentences."
    )
    journey: JourneySettings = Field(
        default_factory=JourneySettings, description="Who customers are and what has happened, across channels."
    )
    outreach: OutreachSettings = Field(
        default_factory=OutreachSettings, description="Contacts that we begin: whom, when, how often, with which words."
    )
    scorecard: ScorecardSettings = Field(
        default_factory=ScorecardSettings, description="What completed journeys are worth: docs/scorecard.md."
    )
    proactive: Proactive = Field(
        default_factory=Proactive, description="Events from outside, and what is done then: docs/outreach.md."
    )
    dialler: Dialler = Field(default_factory=Dialler, description="Campaigns of calls: docs/campaigns.md.")
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
