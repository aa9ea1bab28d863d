"""Settings beside `use: sentiment`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SentimentSettings(BaseModel):
    """Settings of the sentiment "sentiment"."""

    model_config = ConfigDict(extra="forbid")

    examples: str = Field(
        default="",
        description="A file of example sentences (`upset`, `calm`, `pleased`, `human`, `no_human`), in any language, "
        "relative to the YAML file's folder; they are added to those that it brings along.",
    )
    built_in: bool = Field(default=True, description="Whether the English examples that it brings along are learnt.")
    model: str = Field(default="minilm", description="Folder of the language model within the models folder.")
    baseline_turns: int = Field(
        default=3, ge=1, le=20, description="So many of a caller's first turns say how they speak when they are calm."
    )
    prosody_weight: float = Field(
        default=0.35,
        ge=0.0,
        le=0.45,
        description="The most that the voice adds to the score, or takes from it.",
    )
