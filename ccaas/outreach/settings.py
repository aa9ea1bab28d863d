"""The `outreach` section of the YAML: whom we may contact, when, how often, and with which words."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")

PurposeName = Literal["service", "transactional", "marketing"]
ChannelName = Literal["sms", "email", "chat", "voice"]


def minutes_of(hours: str) -> tuple[int, int]:
    """ "08:00-21:00" → (480, 1260), minutes of the day. Raises ValueError."""
    match = _HOURS.fullmatch(hours)
    if match is None:
        raise ValueError(f'{hours} is no stretch of a day; write one such as "08:00-21:00", in quotes')
    begin, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if not begin < end <= 1440:
        raise ValueError(f"{hours} ends before it begins; a night is written as the day around it")
    return begin, end


def _hours(value: str) -> str:
    minutes_of(value)
    return value


def _day(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return value


def _holiday(value: str) -> str:
    text = value if len(value) > 5 else f"2000-{value}"
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{value} is no day; write "12-25" for every year, or "2026-11-26"') from None
    return value


def _zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise ValueError(f"there is no time zone {value}; write one such as America/New_York")
    return value


Hours = Annotated[str, AfterValidator(_hours)]
Holiday = Annotated[str, BeforeValidator(_day), AfterValidator(_holiday)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cap(_Section):
    """Most contacts of one customer within some days, of a channel and a purpose or of all."""

    most: int = Field(ge=0, le=1000, description="Contacts of one customer.")
    days: float = Field(gt=0, le=3660, description="The time within which they are counted.")
    channel: ChannelName | None = Field(default=None, description="Counted on this channel alone; left out, on all.")
    purpose: PurposeName | None = Field(default=None, description="Counted for this purpose alone; left out, for all.")


class Disclosure(_Section):
    """Words that say that a machine contacts them: a contact without them gets them, or is refused where there is no
    room. Empty words: none are demanded there."""

    voice: str = Field(default="This is an automated assistant calling.", description="Said first in a call.")
    sms: str = Field(default="", description="Added to a text.")
    email: str = Field(default="", description="Added to an e-mail.")
    chat: str = Field(default="", description="Added to a chat message.")


class OptOut(_Section):
    """Words that say how to get no more, demanded likewise. In a conversation by voice they are the agent's to say."""

    voicemail: str = Field(
        default="", description="Said at the end of a message on an answering machine: the number to call for it."
    )

    sms: str = Field(default="Reply STOP to opt out.", description="Added to a text.")
    email: str = Field(default="", description="Added to an e-mail.")
    chat: str = Field(default="", description="Added to a chat message.")


class Abandonment(_Section):
    """How many of a campaign's calls that people answer may find nobody. Over it, no call is begun ahead of a free agent."""

    limit: float = Field(default=0.03, gt=0, le=0.1, description="The share, 0…1.")
    days: float = Field(default=30, gt=0, le=366, description="The time within which they are counted.")


class NoMore(_Section):
    """What is said to who wants no more contacts, in a call or a conversation by text."""

    confirmed: str = Field(
        default="Of course. I have taken you off our list, and we will not call or write to you any more.",
        min_length=1,
        description="Said when it is kept.",
    )
    goodbye: str = Field(default="Goodbye.", description="Said then in a call that we began, which ends with it.")
    failed: str = Field(
        default="I am sorry, I could not note that just now. Please tell me once more.",
        min_length=1,
        description="Said when it could not be kept.",
    )
    phrases: tuple[Annotated[str, Field(min_length=4)], ...] = Field(
        default=(), description="Further words that mean it, in your customers' languages, anywhere in what they say."
    )


class VoiceLine(_Section):
    """How customers are called."""

    endpoint: str = Field(
        pattern=r"^[A-Za-z0-9]+/[^\s,;&|]*\{number\}[^\s,;&|]*$",
        description="Asterisk's name of a customer's phone, with their number: `PJSIP/{number}@carrier`.",
    )
    entry: str = Field(description="The name of one of `entries`: whose reasoner speaks.")
    caller_id: str = Field(default="", description="What the called phone shows.")


class OutreachSettings(_Section):
    """Contacts that we begin. The gate stands before every one of them, on every channel."""

    hours: Hours = Field(
        default="08:00-21:00",
        description="When customers may be contacted, by their own time zone, in quotes. A customer's `preferred_hours` narrow it.",
    )
    hours_for: dict[PurposeName, Hours] = Field(
        default_factory=dict, description='Other hours for a purpose: `marketing: "10:00-19:00"`.'
    )
    zone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None,
        description="Time zone of customers of whom nothing tells it. Left out, all zones of `journey.region` must allow it.",
    )
    holidays: tuple[Holiday, ...] = Field(
        default=(), description='Days without contacts for `holidays_for`: `"12-25"` each year, or `"2026-11-26"`.'
    )
    holidays_for: tuple[PurposeName, ...] = Field(default=("marketing",), description="Purposes that rest on holidays.")
    consent_for: tuple[PurposeName, ...] = Field(
        default=("marketing",), description="Purposes that need a consent for the channel, with its proof."
    )
    unknown: Literal["refuse", "allow"] = Field(
        default="refuse", description="Whether somebody whom the journey does not know may be contacted."
    )
    caps: tuple[Cap, ...] = Field(
        default=(
            Cap(most=6, days=1),
            Cap(most=3, days=1, channel="voice"),
            Cap(most=1, days=1, purpose="marketing"),
            Cap(most=4, days=30, purpose="marketing"),
        ),
        description="How often one customer may be contacted; each of them counts.",
    )
    do_not_contact: tuple[str, ...] = Field(
        default=(),
        description="Files of addresses that are never contacted, one a line: a national register, your own list.",
    )
    disclosure: Disclosure = Field(
        default_factory=Disclosure, description="Words that say that a machine contacts them, by channel."
    )
    opt_out: OptOut = Field(default_factory=OptOut, description="Words that say how to get no more, by channel.")
    opt_out_for: tuple[PurposeName, ...] = Field(
        default=("service", "marketing"), description="Purposes whose contacts offer the way out."
    )
    abandonment: Abandonment = Field(
        default_factory=Abandonment, description="How many calls that people answer may find nobody."
    )
    no_more: NoMore = Field(
        default_factory=NoMore,
        description="What is said to who wants no more contacts, and by which words they say it.",
    )
    reply_days: float = Field(
        default=7.0, gt=0, le=90, description="For so long an answer to a customer's own message is no contact of ours."
    )
    conversation_hours: float = Field(
        default=24.0,
        gt=0,
        le=720,
        description="For so long a text that belongs to a conversation which the customer began is no contact of ours.",
    )
    voice: VoiceLine | None = Field(default=None, description="How customers are called; left out, plays call nobody.")

    def must_say(self, channel: str, purpose: str) -> tuple[str, ...]:
        """What a contact on this channel for this purpose must contain."""
        said = [self.disclosure.model_dump().get(channel, "")]
        if purpose in self.opt_out_for:
            said.append(self.opt_out.model_dump().get(channel, ""))
        return tuple(words for words in said if words)

    def must_leave(self, purpose: str) -> tuple[str, str]:
        """What is said first, and what last, in a message on an answering machine; empty where nothing is demanded."""
        return self.disclosure.voice, self.opt_out.voicemail if purpose in self.opt_out_for else ""

    def hours_of(self, purpose: str) -> tuple[int, int]:
        """When customers may be contacted for it, in minutes of the day."""
        return minutes_of(next((hours for name, hours in self.hours_for.items() if name == purpose), self.hours))
