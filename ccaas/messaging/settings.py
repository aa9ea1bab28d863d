"""The `messaging` section of the YAML: how conversations by text go on and end, and the core's own sentences in them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Flood(BaseModel):
    """How much one address may write. Who writes more is told so once, and not heard until they have paused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: int = Field(default=20, ge=1, le=10_000, description="Most messages of one address within `seconds`.")
    seconds: float = Field(default=60.0, ge=1, le=86_400, description="The time within which they are counted.")


class MessagingSettings(BaseModel):
    """Conversations by text: chat, SMS, e-mail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settle_ms: int = Field(
        default=600,
        ge=0,
        le=10_000,
        description="While somebody is still writing, or their messages come in a burst, the answer waits until nothing "
        "has come for this long; what came meanwhile is one turn.",
    )
    longest_settle_s: float = Field(default=15.0, ge=0, le=120, description="It waits no longer than this.")
    idle_minutes: float = Field(
        default=30.0,
        ge=0.1,
        le=100_000,
        description="A conversation in which nobody has written for this long ends; what it was about stays open.",
    )
    longest_message: int = Field(
        default=4_000, ge=100, le=100_000, description="Characters of one message that are read; the rest is cut."
    )
    flood: Flood = Field(default_factory=Flood, description="Limits for one address.")
    longest_turn_s: float = Field(default=60.0, ge=1, le=600, description="A reasoner slower than this has failed.")
    give_up_minutes: float = Field(
        default=1_440.0, ge=0.1, le=100_000, description="A message that cannot be sent for this long has failed."
    )
    help: str = Field(
        default="You are writing with our assistant. Reply STOP to get no more messages.",
        description="The answer to HELP, where that is the network's word (SMS): who you are and how to reach you.",
    )
    stopped: str = Field(
        default="You will get no more messages from us here. Reply START to get them again.",
        description="The one answer to STOP.",
    )
    started: str = Field(
        default="You will get messages from us again. Reply STOP to end them.", description="The answer to START."
    )
    flooded: str = Field(
        default="That was a lot at once. Please wait a minute, then write again.",
        description="Told once to who writes more than `flood` allows.",
    )
    unreadable: str = Field(
        default="I can read only text, and there was none in your message.",
        description="The answer to a message without text.",
    )
    cut: str = Field(
        default="Your message was long; I have read the first {longest} characters of it.",
        description="Stands before the answer to a message that was cut.",
    )
    colleague: str = Field(
        default="A colleague will get back to you here.",
        description="Said when a person has to go on, and when the answer failed; it is kept as a promise.",
    )
    queue: str = Field(
        default="",
        description="Who takes what is written when a person has to go on and nothing names one of `queues`; left out, the "
        "first of `queues`.",
    )
    joins: str = Field(
        default="A colleague of mine will take over here.", description="Said to who is going to write with a person."
    )
    position: str = Field(
        default="You are number {position} in line.", description="Said behind it, and when they write while they wait."
    )
    away: str = Field(
        default="None of my colleagues is at work at the moment. What you wrote is kept, and one of them will answer you "
        "here. Until then I do what I can.",
        description="Said instead when the queue is closed or nobody of it is signed in.",
    )
    opens: str = Field(default="They are back on {when}.", description="Said behind it, where the queue has hours.")
    returned: str = Field(
        default="I'm back. How else can I help you?", description="The AI's first words when a person has handed back."
    )
    failed: str = Field(default="Something went wrong on our side.", description="Stands before it when it failed.")
