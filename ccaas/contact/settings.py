"""The YAML's `agents`, `queues` and `handoff` sections."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

BUTLER = "butler"
"""Where a way back to the AI leads; no queue, destination or agent may be called so."""
BROWSER = "browser"

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Login = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
Level = Annotated[int, Strict(), Field(ge=1, le=10)]
Seconds = Annotated[int, Strict(), Field(ge=1, le=86_400)]


def _span(value: str) -> str:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)", value)
    if match is None or value[:5] >= value[6:]:
        raise ValueError(f'"{value}" is no span of a day; write one such as "09:00-17:30"')
    return value


def _timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {value}; write one such as America/New_York") from None
    return value


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AgentSettings(_Section):
    """One person who takes conversations."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = Field(description="As it is shown and spoken.")
    skills: dict[Word, Level] = Field(default_factory=dict, description="What they can do, each from 1 to 10.")
    endpoint: Annotated[str, Field(pattern=r"^(browser|[A-Za-z0-9]+/[^\s,;&|]+)$")] = Field(
        default=BROWSER,
        description="Where it rings: `browser` (the desktop's softphone, which is `PJSIP/` and the login), a phone such as "
        "`PJSIP/6001`, or an outside number such as `PJSIP/+15550100@trunk`.",
    )

    texts: Annotated[int, Strict(), Field(ge=0, le=20)] = Field(
        default=3,
        description="Chats, SMS and e-mails that they have at once, at most; 0: none. Who has one gets no call meanwhile, and "
        "who has a call gets none. They need the desk.",
    )

    def dial(self, login: str) -> str:
        """Asterisk's name of where it rings."""
        return f"PJSIP/{login}" if self.endpoint == BROWSER else self.endpoint

    @property
    def needs_desktop(self) -> bool:
        """Whether nothing can ring before a desktop is there."""
        return self.endpoint == BROWSER


class Hours(_Section):
    """When a queue is open."""

    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        default="", description="The queue's own time zone; left out, the installation's."
    )
    days: dict[
        Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], tuple[Annotated[str, AfterValidator(_span)], ...]
    ] = Field(description='Spans by day: `{mon: ["09:00-12:30", "13:00-17:30"]}`; a day left out is closed.')
    holidays: tuple[date, ...] = Field(default=(), description="Days on which it is closed: `2026-12-25`.")


class Way(_Section):
    """Where a caller goes who is not to wait here."""

    to: str = Field(
        default=BUTLER, description="Another of `queues`, one of `destinations`, or `butler`: back to the AI."
    )
    say: str = Field(
        default="",
        description="What the caller is told before; left out, nothing, and on the way to the AI the sentence of `handoff`.",
    )


class Overflow(Way):
    """The same after some waiting."""

    after_s: Seconds = Field(description="Seconds of waiting after which it happens.")


class Priority(_Section):
    """Who is taken first: the highest sum, then who has waited longest."""

    tiers: dict[str, Annotated[float, Strict()]] = Field(
        default_factory=dict, description="Points by the customer's tier, as the system of record spells it."
    )
    upset: Annotated[float, Strict(), Field(ge=0)] = Field(
        default=10.0, description="Points of a caller whose score is +1; less in proportion, none below 0."
    )
    minute: Annotated[float, Strict(), Field(ge=0)] = Field(default=1.0, description="Points a minute of waiting.")


class ServiceLevel(_Section):
    """What the supervisor has promised."""

    seconds: Seconds = Field(default=20, description="Answered within this counts as in time.")
    target: Annotated[float, Strict(), Field(gt=0, le=1)] = Field(
        default=0.8, description="The share of calls that should be."
    )


class QueueSettings(_Section):
    """Callers who wait for somebody with certain skills."""

    skills: dict[Word, Level] = Field(
        default_factory=dict, description="What an agent must be able to do, and how well at least; left out, anybody."
    )
    strategy: Literal["longest-idle", "skills-first"] = Field(
        default="longest-idle", description="Who rings: whoever has been free longest, or whoever knows most of it."
    )
    ring_s: Annotated[int, Strict(), Field(ge=3, le=300)] = Field(
        default=20, description="Seconds at one agent; then the next one rings, and the first one is set away."
    )
    wrap_up_s: Annotated[int, Strict(), Field(ge=0, le=3600)] = Field(
        default=30, description="Seconds after a call, unless its disposition is given before."
    )
    hours: Hours | None = Field(default=None, description="When it is open; left out, always.")
    closed: Way = Field(default_factory=Way, description="What happens outside those hours.")
    nobody: Way | None = Field(
        default_factory=Way,
        description="What happens when nobody of it is signed in; `null`: the caller waits all the same.",
    )
    overflow: Overflow | None = Field(default=None, description="What happens after long waiting; left out, nothing.")
    priority: Priority = Field(default_factory=Priority, description="Who is taken first.")
    service_level: ServiceLevel = Field(default_factory=ServiceLevel, description="What should be reached.")
    announce_s: Annotated[int, Strict(), Field(ge=0, le=3600)] = Field(
        default=45, description="Position and waiting time are told as often as this (s), first after 10 s; 0: never."
    )
    callback_s: Annotated[int, Strict(), Field(ge=0, le=3600)] = Field(
        default=60, description="A call-back that keeps the place is offered after this (s); 0: never."
    )
    brief: bool = Field(
        default=False,
        description="Whether the agent hears who it is and what they want, in one sentence, before the caller.",
    )


class When(_Section):
    """What must all hold; what is left out is not asked."""

    intents: tuple[str, ...] = Field(default=(), description="What it is about: one of these.")
    tiers: tuple[str, ...] = Field(default=(), description="The customer's tier: one of these.")
    value_from: float | None = Field(default=None, description="Lifetime value of at least this, in whole money.")
    value_below: float | None = Field(default=None, description="Lifetime value below this.")
    upset: bool | None = Field(default=None, description="Whether the caller is upset.")


class NextBest(_Section):
    """Something that is worth offering to certain customers."""

    title: Annotated[str, Field(min_length=1, max_length=120)] = Field(description='"Waive the change fee of $75".')
    why: str = Field(default="", description="A sentence for the agent.")
    when: When = Field(default_factory=When, description="For whom and in which case.")
    tool: str = Field(default="", description="The tool that does it; left out, the agent only says it.")
    arguments: dict[str, object] = Field(default_factory=dict, description="That tool's arguments.")


_SENTENCES = {
    "en": {
        "first": "You are next in line.",
        "position": "You are number {position} in line.",
        "soon": "It should take less than a minute.",
        "minutes": "It should take about {minutes} minutes.",
        "thanks": "Thank you for waiting.",
        "callback": "If you don't want to wait, I can call you back when it is your turn, and you keep your place. "
        "Press 1, or say yes, and we'll call you.",
        "called_back": "Good. We'll call you at this number when it is your turn. Goodbye.",
        "callback_here": "Hello, this is the call back that you asked for. I'm putting you through.",
        "closed": "I'm sorry, my colleagues are not at work at the moment. I'm still here to help you.",
        "nobody": "I'm sorry, none of my colleagues is there at the moment. I'm still here to help you.",
        "overflow": "I'm sorry that it takes so long. Let me see what else I can do.",
        "returned": "I'm back. How else can I help you?",
    }
}


Pattern = Annotated[str, Field(pattern=r"^\+[0-9]*\*?$")]


class NumbersSettings(_Section):
    """Outside numbers that callers may be sent to, and whom agents may ask."""

    endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[^\s,;&|]*\{number\}[^\s,;&|]*$")] = Field(
        description="The way there, as Asterisk has it: `PJSIP/{number}@trunk`."
    )
    allow: tuple[Pattern, ...] = Field(
        min_length=1, description='Numbers, or their beginnings with a star: `["+1555*", "+442079460000"]`.'
    )
    deny: tuple[Pattern, ...] = Field(default=(), description='Exceptions of these: `["+1900*"]`.')
    ring_s: Annotated[int, Strict(), Field(ge=3, le=300)] = Field(
        default=30, description="Seconds that it rings; then the caller is back."
    )
    caller_id: Annotated[str, Field(pattern=r"^(\+?[0-9]+)?$")] = Field(
        default="", description="The number that is shown there; left out, the customer's."
    )


class HandoffSettings(_Section):
    """What holds for all queues."""

    acknowledge_s: Annotated[float, Field(ge=0.2, le=10)] = Field(
        default=2.0,
        description="A desktop that has not said within this that it shows the customer does not ring: the next agent is tried.",
    )
    call_back: Annotated[str, Field(pattern=r"^([A-Za-z0-9]+/[^\s,;&|]+)?$")] = Field(
        default="",
        description="How customers are called back: `PJSIP/{number}@trunk`. Left out, no call-back is offered.",
    )
    numbers: NumbersSettings | None = Field(
        default=None, description="Outside numbers that calls may go on to; left out, none."
    )
    overhear: bool = Field(
        default=True,
        description="Whether what a customer and a person say to each other is written down (desk, timeline), and recorded "
        "where calls are.",
    )
    upset_at: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.3, description="From this score on a customer counts as upset in `next_best`."
    )
    next_best: tuple[NextBest, ...] = Field(
        default=(), description="What agents are advised to offer, the best first; at most three are shown."
    )
    sentences: dict[str, dict[str, str]] = Field(
        default=_SENTENCES,
        description="What callers hear while they wait, by language and name; what is left out is said in English. They are "
        "made at boot.",
    )

    def sentence(self, name: str, locale: str, **values: object) -> str:
        """One of them, in the language that is nearest."""
        ours = self.sentences.get(locale) or self.sentences.get(locale.partition("-")[0]) or {}
        text = ours.get(name) or self.sentences.get("en", {}).get(name) or _SENTENCES["en"][name]
        return text.format(**values)

    def phrases(self) -> Iterator[str]:
        """All that can be made before anybody waits: positions to 9 and waiting times to 20 minutes among them."""
        for ours in (*self.sentences.values(), _SENTENCES["en"]):
            for name, text in ours.items():
                counts = {"position": range(2, 10), "minutes": range(1, 21)}.get(name, range(1))
                yield from (text.format(position=number, minutes=number) for number in counts)
