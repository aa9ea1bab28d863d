"""Events and plays in the YAML: what may come from outside, and what is done then, step by step."""

from __future__ import annotations

from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import jsonschema
from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ccaas.outreach.settings import ChannelName, PurposeName

Values = dict[str, str | int | float | bool]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class EventType(_Section):
    """One type of event, and which play it starts."""

    play: str = Field(description="The name of one of `plays`.")
    json_schema: dict[str, Any] = Field(
        alias="schema", description="JSON Schema of the event's `data`; an event that is not valid is refused."
    )

    @field_validator("json_schema")
    @classmethod
    def _sound(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            jsonschema.Draft202012Validator.check_schema(value)
        except jsonschema.SchemaError as error:
            raise ValueError(f"this is no JSON Schema: {error.message}") from None
        return value


class Webhook(_Section):
    """Who may POST events to `/events/<name>` of the public web server, signed with a secret."""

    secret_file: str = Field(description="File with the secret, relative to this one; readable by its owner alone.")
    window_s: float = Field(default=300, ge=1, le=86_400, description="How old a signature may be.")
    types: tuple[str, ...] = Field(min_length=1, description="The types of events that may come this way.")


class NatsStream(_Section):
    """A stream of NATS JetStream from which events are taken."""

    servers: tuple[Annotated[str, Field(pattern=r"^(nats|tls)://[^\s/@]+$")], ...] = Field(
        min_length=1, description="Its servers: `nats://host:4222`, or `tls://host:4222`; any of them will do."
    )
    stream: str = Field(pattern=r"^[^\s.*>/\\]+$", description="The stream's name. It is made by who sends.")
    subject: str = Field(
        pattern=r"^[^\s]+$", description="The subject within the stream: `flights.cancelled`, or `flights.>`."
    )
    durable: str = Field(
        default="ccaas",
        pattern=r"^[^\s.*>/\\]+$",
        description="The consumer's name: it knows what was taken. Made where there is none of this name.",
    )
    types: tuple[str, ...] = Field(min_length=1, description="The types of events that may come this way.")
    user: str = Field(default="", description="Who we are there, with `password_file`.")
    password_file: str = Field(default="", description="File with the password, relative to this one.")
    credentials_file: str = Field(default="", description="A `.creds` file (JWT and key) instead of user and password.")
    ca_file: str = Field(default="", description="File of the authority that has signed the servers' certificates.")

    @model_validator(mode="after")
    def _who(self) -> NatsStream:
        if bool(self.user) != bool(self.password_file):
            raise ValueError("user and password_file are given together")
        if self.user and self.credentials_file:
            raise ValueError("give either user and password_file, or credentials_file")
        return self


class Scheduled(_Section):
    """An event that comes by the clock."""

    cron: str = Field(description="When, in the business's time zone: `30 7 * * mon-fri`.")
    type: str = Field(description="The name of one of `events`.")
    data: dict[str, Any] = Field(default_factory=dict, description="The event's data.")

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str) -> str:
        if not croniter.is_valid(value):
            raise ValueError(f"{value} is no cron expression; write one such as 30 7 * * mon-fri")
        return value


class ToolStep(_Section):
    """Running one tool. `{event.…}` and `{<as>.…}` of earlier steps may stand in its arguments."""

    tool: str = Field(description="The tool's name.")
    arguments: Values = Field(default_factory=dict, alias="with", description="Its arguments.")


class ListStep(_Section):
    """A list, by a tool that reads or by a step of a plug-in's. `{event.…}` and `{<as>.…}` of earlier steps may stand in its
    arguments."""

    tool: str = Field(default="", description="The tool's name.")
    step: str = Field(default="", description="The name of one of `steps`, instead of a tool.")
    arguments: Values = Field(default_factory=dict, alias="with", description="Its arguments.")
    items: str = Field(default="", alias="list", description="The field of the tool's result that is the list.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.tool) == bool(self.step):
            raise ValueError("give either tool or step")
        if bool(self.tool) != bool(self.items):
            raise ValueError("list belongs to a tool: the field of its result; a step gives the list itself")
        return self


class QueryStep(ListStep):
    """Who is affected: each item of the list becomes one customer's part of the play."""

    name: str = Field(alias="as", description="The name of one item in later steps.")
    customer: str = Field(description="The system of record's key of the customer: `{booking.customer_id}`.")
    tier: str = Field(default="", description="Their tier: `{booking.tier}`.")
    phone: str = Field(default="", description="Their number, where the journey knows none: `{booking.phone}`.")
    first_name: str = Field(default="", description="Their name, likewise.")


class ChooseStep(ListStep):
    """The first item of the list is taken. Where there is none, the customer's part ends: there is nothing to offer."""

    name: str = Field(alias="as", description="The name of the item in later steps.")


class HoldStep(ToolStep):
    """Hold what was chosen. The three tools keep to `ccaas.ports.holds`."""

    name: str = Field(default="hold", alias="as", description="The name of the hold in later steps.")
    confirm: str = Field(description="The tool that confirms a hold.")
    release: str = Field(description="The tool that releases one.")


class OfferStep(_Section):
    """Offer it, in the customer's preferred channel first; where that does not reach them, in the next one."""

    channels: tuple[ChannelName, ...] = Field(default=("sms", "voice"), description="Those that may be used.")
    text: str = Field(description="What is written.")
    said: str = Field(description="What is said in a call, theirs or ours: it ends in a question for yes or no.")
    goal: str = Field(description="The intent of the flows that takes the answer; see docs/outreach.md.")
    title: str = Field(description="As it is spoken of: `your cancelled flight`.")


class WaitStep(_Section):
    """Wait for the answer, and what is said then."""

    minutes: float = Field(gt=0, le=43_200, description="How long an answer is waited for.")
    confirmed: str = Field(description="Said after a yes, when it is confirmed.")
    already: str = Field(default="That is done already.", description="Said to a second yes.")
    declined: str = Field(default="All right, I have let it go.", description="Said after a no.")
    too_late: str = Field(
        default="I'm sorry, that has run out meanwhile.", description="Said to a yes that comes after the time."
    )
    person: str = Field(default="A colleague will help you.", description="Said when they want a person.")
    escalate: str = Field(default="", description="Where who wants a person goes: one of `destinations`.")


class Play(_Section):
    """What an event sets off."""

    purpose: PurposeName = Field(default="service", description="What the gate is told.")
    tiers: tuple[str, ...] = Field(default=(), description="Tiers, the highest first; others come last.")
    query: QueryStep
    choose: tuple[ChooseStep, ...] = Field(default=(), description="In order.")
    hold: HoldStep | None = Field(default=None, description="Left out, nothing is held.")
    offer: OfferStep
    wait: WaitStep


PASSWORD_ENV = "CCAAS_PLAYS_PASSWORD"
"""Environment variable with PostgreSQL's password."""


def _store(value: str) -> str:
    if "://" not in value:
        if not value.strip() or "/" in value:
            raise ValueError("the store is a file's name such as plays.sqlite, or postgresql://user@host/database")
        return value
    try:
        parts = urlsplit(value)
        has_password = parts.password is not None or "password=" in parts.query
    except ValueError as error:
        raise ValueError(f"this is no address of a database ({error})") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"{parts.scheme} is no database of ours; write postgresql://user@host/database")
    if has_password:
        raise ValueError(f"a password does not belong here; set {PASSWORD_ENV}, or name a file in password_file")
    return value


class ProactiveSettings(_Section):
    """What comes from outside and what is done then."""

    store: Annotated[str, AfterValidator(_store)] = Field(
        default="plays.sqlite",
        description="Where workflows are kept: a file in the state folder, or `postgresql://user@host/database`.",
    )
    password_file: str = Field(
        default="",
        description=f"File whose first line is PostgreSQL's password; left out, the environment's {PASSWORD_ENV} is taken.",
    )
    events: dict[str, EventType] = Field(default_factory=dict, description="Types of events; the names are yours.")
    webhooks: dict[str, Webhook] = Field(default_factory=dict, description="Who may send them; the names are yours.")
    nats: dict[str, NatsStream] = Field(
        default_factory=dict, description="Streams of a message bus that bring them; the names are yours."
    )
    schedule: dict[str, Scheduled] = Field(
        default_factory=dict, description="Events by the clock; the names are yours."
    )
    plays: dict[str, Play] = Field(default_factory=dict, description="What is done; the names are yours.")

    @property
    def is_postgres(self) -> bool:
        """Whether the workflows are kept by a server."""
        return "://" in self.store

    @model_validator(mode="after")
    def _named(self) -> ProactiveSettings:
        for name, event in self.events.items():
            if event.play not in self.plays:
                raise ValueError(f"events.{name}.play: there is no play {event.play}")
        wanted = [(f"webhooks.{name}", one) for name, hook in self.webhooks.items() for one in hook.types]
        wanted += [(f"nats.{name}", one) for name, bus in self.nats.items() for one in bus.types]
        wanted += [(f"schedule.{name}", one.type) for name, one in self.schedule.items()]
        for where, kind in wanted:
            if kind not in self.events:
                raise ValueError(f"{where}: there is no event {kind}")
        return self
