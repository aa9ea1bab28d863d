"""Settings beside `use: llm`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

Task = Literal["voice", "text", "after_tools"]
"""What a request is for: the first of a spoken turn, the first of a written one, or one that has tools' answers."""

Ms = Annotated[int, Strict(), Field(ge=50, le=120_000)]
Count = Annotated[int, Strict(), Field(ge=1)]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"this is no regular expression ({error}); correct it") from None
    return pattern


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NeverSettings(_Shape):
    """Something that the model must not say."""

    name: str = Field(min_length=1, description="What it is counted and logged by.")
    patterns: tuple[Annotated[str, AfterValidator(_compiles)], ...] = Field(
        min_length=1,
        description="Regular expressions, whatever the case; a reply that matches one is stopped before it is said.",
    )
    say: str = Field(default="", description="Said instead; left out: `words.refused`.")


class LimitSettings(_Shape):
    """The most that the model may take. Beyond it the flows answer."""

    first_clause_ms: Ms = Field(
        default=1500, description="From the caller's words to the model's first clause, on the phone (ms)."
    )
    text_reply_ms: Ms = Field(default=15_000, description="The same for a whole written reply: chat, SMS, e-mail (ms).")
    stall_ms: Ms = Field(default=3000, description="Between two pieces of a reply that has begun (ms).")
    turn_ms: Ms = Field(default=20_000, description="All of a turn, tools included (ms).")
    reply_tokens: Count = Field(default=300, description="Of one request's answer.")
    turn_tokens: Count = Field(default=20_000, description="In and out, of one turn.")
    call_tokens: Count = Field(default=200_000, description="In and out, of one conversation.")
    turn_cost: float | None = Field(default=None, gt=0, description="Of one turn, in the unit of `prices`.")
    call_cost: float | None = Field(default=None, gt=0, description="Of one conversation, in the unit of `prices`.")
    tool_rounds: Count = Field(default=5, description="How often in a turn the model may ask for tools.")


class PriceSettings(_Shape):
    """What a model costs, for a million tokens."""

    input: float = Field(ge=0, description="Of the prompt.")
    output: float = Field(ge=0, description="Of the answer.")


class WordSettings(_Shape):
    """Sentences of the core's own, which the model has no part in."""

    greeting: str = Field(default="Hello, how can I help you?", description="The first words.")
    thread: str = Field(
        default="Hello again. Is it about {title}?",
        description="The first words to somebody with an open thread; {title} is what it is about.",
    )
    confirm: str = Field(
        default="Just to be sure: {what}. Shall I do that?",
        description="Asked before a write; {what} is `readback` of the tool, or its description with the values.",
    )
    working: str = Field(default="One moment, please.", description="After the yes, while the write runs.")
    done: str = Field(default="That's done.", description="After a write, when the model has no words for it.")
    asked_colleague: str = Field(
        default="I have asked a colleague to approve that, and they will decide.",
        description="After a write that only a person may make was put before one.",
    )
    not_known: str = Field(
        default="I don't know yet whether that has worked. We'll find out and tell you.",
        description="After a write of which the system of record does not say what became of it.",
    )
    again: str = Field(default="Let me say that again.", description="Before a question whose end was not heard.")
    sorry: str = Field(default="Sorry, I didn't catch that.", description="When there were no words at all.")
    refused: str = Field(
        default="I'm sorry, I can't say anything about that. Is there something else I can do?",
        description="In place of what must not be said.",
    )
    lost: str = Field(default="Sorry, I lost my thread.", description="When a reply breaks off in the middle.")
    trouble: str = Field(
        default="I'm sorry, I can't answer that right now. Could you say it once more?",
        description="When the model fails and there are no flows.",
    )
    transfer: str = Field(default="I'll put you through to a colleague.", description="Before a transfer.")
    goodbye: str = Field(default="Goodbye.", description="When the model ends the conversation without a word.")
    silence: tuple[str, ...] = Field(
        default=("Are you still there?", "I can't hear you. Are you still there?"),
        description="After silences, in order.",
    )
    silence_goodbye: str = Field(
        default="I can't hear you, so I'll hang up now. Goodbye.", description="After the last of them."
    )


class LlmSettings(BaseModel):
    """Settings of the reasoner "llm"."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        pattern=r"^https?://", description="Of the OpenAI-compatible API, with its version: http://127.0.0.1:8080/v1"
    )
    model: str = Field(min_length=1, description="The model's name, as the server knows it.")
    models: dict[Task, str] = Field(
        default_factory=dict,
        description="Other models by task: `voice` and `text` (the first request of a turn), `after_tools` (the following).",
    )
    api_key_env: str = Field(
        default="", description="Name of the environment variable with the API key; left out: no key is sent."
    )
    temperature: float = Field(default=0.2, ge=0, le=2, description="Of the sampling.")
    instructions: str = Field(
        default="", description="Who the agent is and what the business does, in your words; the model reads it first."
    )
    tools: tuple[str, ...] = Field(
        default=(), description="The only tools that the model is offered; left out: all that are allowed here."
    )
    flows: str = Field(
        default="",
        description="The flows file that answers when the model is slow or wrong, relative to the YAML file's folder; "
        "left out: the caller is asked again, and put through when that fails too.",
    )
    flows_model: str = Field(default="minilm", description="Folder of the flows' language model.")
    thread_days: float = Field(
        default=14, gt=0, description="Open threads that were last spoken of longer ago are not brought up."
    )
    destination: str = Field(
        default="", description="Where a caller is put through to: a name under `destinations`; left out: nowhere."
    )
    patience: Count = Field(
        default=2, description="Turns in a row that fail, without flows, before the caller is put through."
    )
    rest_after: Count = Field(
        default=3,
        description="Failures in a row, over all conversations, after which the model is left alone for a while.",
    )
    rest_s: float = Field(default=15, ge=0, description="How long (s); the flows answer meanwhile.")
    readback: dict[str, str] = Field(
        default_factory=dict,
        description="By tool: how a write is put to the caller before it is made, with its values in braces.",
    )
    titles: dict[str, str] = Field(
        default_factory=dict,
        description='By tool: what a conversation with it is about, as it is spoken of ("the upgrade").',
    )
    never: tuple[NeverSettings, ...] = Field(default=(), description="Topics and promises that are not allowed.")
    prices: dict[str, PriceSettings] = Field(default_factory=dict, description="By model's name.")
    limits: LimitSettings = Field(default_factory=LimitSettings, description="Time, tokens and money.")
    words: WordSettings = Field(default_factory=WordSettings, description="The core's own sentences.")
