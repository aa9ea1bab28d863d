"""`guard` of the YAML."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Phrases = Annotated[
    tuple[Annotated[str, Field(min_length=2)], ...],
    Field(description="Words or phrases, in any case; `*` stands for up to three words."),
]


class GuardSettings(BaseModel):
    """One thing that the agent does not talk about, or does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$", description="What it is known by: in the log and the figures."
    )
    asked: Phrases = Field(
        default=(), description="A turn with one of these is answered by `instead`, and goes to no reasoner."
    )
    said: Phrases = Field(
        default=(), description="A sentence of the agent's with one of these is not said; `instead` is. For promises."
    )
    instead: str = Field(min_length=1, description="The kind words that are said then.")

    @model_validator(mode="after")
    def _guards_something(self) -> GuardSettings:
        if not (self.asked or self.said):
            raise ValueError("it guards against nothing; add phrases under `asked` or `said`")
        return self
