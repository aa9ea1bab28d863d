"""Campaigns in the YAML: who speaks, whom it may ring how often, and what is tried again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ccaas.dialler.dispositions import Disposition
from ccaas.outreach.settings import PurposeName

Endpoint = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[^\s,;&|]*\{number\}[^\s,;&|]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


RetriedName = Literal[
    "busy",
    "no_answer",
    "rejected",
    "congestion",
    "unreachable",
    "machine",
    "message_left",
    "silence",
    "hung_up",
    "abandoned",
    "failed",
    "taken_back",
    "unknown",
]
_RETRIES: Mapping[str, tuple[float, int]] = {
    "busy": (10, 3),
    "no_answer": (120, 3),
    "rejected": (1440, 0),
    "congestion": (5, 5),
    "unreachable": (60, 2),
    "machine": (240, 2),
    "message_left": (1440, 0),
    "silence": (60, 1),
    "hung_up": (1440, 0),
    "abandoned": (4320, 1),
    "failed": (5, 2),
    "taken_back": (0, 50),
    "unknown": (60, 1),
}
"""Minutes, and how often, where the YAML says nothing."""


def _telling(value: str) -> str:
    if len(re.findall(r"\w+", value)) < 2 and len(value) < 6:
        raise ValueError(f"{value!r} is too short to tell a machine from a person; write two words or more")
    return value


def _tag(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError(f"{value} is no language; write one such as de or pt-BR")
    return value


Phrase = Annotated[str, Field(max_length=80), AfterValidator(_telling)]


class AnswerWords(_Section):
    """What answering machines and people say in one language; to the words of `en` these are added. Small and capital
    letters and marks make no difference."""

    machine: tuple[Phrase, ...] = Field(
        default=(), description="Only machines greet so: `ist gerade nicht erreichbar`."
    )
    sure: tuple[Phrase, ...] = Field(
        default=(),
        description="Nor does a person say these later in a talk: `nach dem signalton`. They take the verdict back that it is a person.",
    )
    full: tuple[Phrase, ...] = Field(
        default=(), description="A machine that takes no message: `mailbox ist voll`. None is left."
    )
    human: tuple[Phrase, ...] = Field(
        default=(), description="A person who waits for an answer: `was kann ich für sie tun`."
    )
    offers: tuple[Phrase, ...] = Field(
        default=(), description="People who say these may say some of `sure` with them: `soll ich etwas ausrichten`."
    )


class AnswerLimits(_Section):
    """Seconds by which it is told what has answered."""

    pause_s: float | None = Field(
        default=None,
        ge=0.2,
        le=3,
        description="Who is silent for so long after a short greeting is a person. Left out, 0.38 where the AI takes the calls, and 0.45 with `queue`.",
    )
    machine_s: float = Field(
        default=4.5, ge=1.5, le=20, description="So much voice without such a pause is a machine's."
    )
    nobody_s: float = Field(default=5.0, ge=1, le=7.5, description="So long without any voice, and nobody is there.")
    doubt_s: float = Field(
        default=15.0,
        ge=0,
        le=60,
        description="For so long after it was told that it is a person the call is listened to for a beep and a machine's words.",
    )
    over_s: float = Field(
        default=3.0,
        ge=1,
        le=10,
        description="So long without a voice, and a machine's greeting is over without a beep.",
    )
    greeting_s: float = Field(
        default=60.0, ge=5, le=300, description="A machine whose greeting is not over by then is hung up on."
    )


class AnswerSettings(_Section):
    """How it is told what has answered the calls of campaigns with `listens`."""

    languages: dict[Annotated[str, AfterValidator(_tag)], AnswerWords] = Field(
        default_factory=dict, description="Words by language, for `language` of the campaigns."
    )
    limits: AnswerLimits = Field(default_factory=AnswerLimits, description="The seconds that decide.")


class Retry(_Section):
    """When and how often a number is tried again after one outcome; what is left out is as docs/campaigns.md lists it."""

    after_min: float | None = Field(default=None, ge=0, le=43_200, description="Minutes until it is due again.")
    most: int | None = Field(default=None, ge=0, le=50, description="How often, after this outcome.")


class CampaignSettings(_Section):
    """One campaign. The gate (`outreach`) stands before each of its calls: hours, holidays, consents, lists and caps are there."""

    entry: str = Field(description="The name of one of `entries`: whose reasoner speaks with who answers.")
    queue: str = Field(
        default="", description="The name of one of `queues`: people take the calls; left out, the AI does."
    )
    lines: int = Field(default=5, ge=1, le=5000, description="Without a queue: most conversations with the AI at once.")
    most_ringing: int = Field(default=50, ge=1, le=5000, description="Most calls that ring at once.")
    purpose: PurposeName = Field(default="marketing", description="What the calls are for; the gate asks.")
    endpoint: Endpoint | None = Field(
        default=None,
        description="Asterisk's name of a customer's phone, with `{number}`; left out, that of `outreach.voice`.",
    )
    caller_id: str = Field(default="", description="What the called phone shows; left out, that of `outreach.voice`.")
    caller_ids: dict[str, str] = Field(
        default_factory=dict,
        description='Other caller ids by the beginning of the number, the longest that fits: `"+1212": "+12125550100"`.',
    )
    ring_s: float = Field(default=25.0, ge=5, le=120, description="Seconds a phone may ring.")
    listens: bool = Field(
        default=False,
        description="Whether is listened to what has answered before anybody speaks: who is no person is hung up on.",
    )
    language: str = Field(
        default="en",
        description="In which language the called people's machines speak: `en`, or one of `dialler.answering.languages`.",
    )
    message: str = Field(
        default="",
        max_length=1000,
        description="Spoken to an answering machine after its beep, with columns of the record in braces; needs `listens`. Left out, machines are hung up on.",
    )
    opening: str = Field(
        default="",
        description="The AI's first sentence, with columns of the record in braces: `Hello {first_name}, …`. Left out, the reasoner's own.",
    )
    abandoned: str = Field(
        default="Sorry, nobody is free just now. We will not keep you waiting. Goodbye.",
        description="Said to who answered when no agent is there in time; name the caller and a number to call.",
    )
    grace_s: float = Field(
        default=2.0, ge=0.5, le=10, description="Seconds after the answer within which an agent must be there."
    )
    short_s: float = Field(
        default=6.0,
        ge=0,
        le=60,
        description="Who hangs up within so many seconds counts as `hung_up`, not as `answered`.",
    )
    retries: dict[RetriedName, Retry] = Field(
        default_factory=dict, description="What is tried again, by outcome: `busy: {after_min: 10, most: 3}`."
    )
    most_attempts: int = Field(
        default=6, ge=1, le=100, description="Most attempts of one record, over all its numbers."
    )
    most_per_number: int = Field(default=4, ge=1, le=100, description="Most attempts of one number of a record.")
    most_per_day: int = Field(default=3, ge=1, le=100, description="Most attempts of one record within 24 hours.")

    def retry(self, disposition: Disposition) -> tuple[float, int] | None:
        """After how many minutes a number is tried again, and how often, after this outcome; None: never."""
        found = _RETRIES.get(disposition.value)
        if found is None:
            return None
        said = next((one for name, one in self.retries.items() if name == disposition.value), Retry())
        return (
            found[0] if said.after_min is None else said.after_min,
            found[1] if said.most is None else said.most,
        )
