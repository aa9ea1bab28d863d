"""What the YAML may say about recognition by Vosk."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class VoskSettings(BaseModel):
    """`recognizer: {use: vosk, …}`."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="Folder of an unpacked Vosk model.")
    language: str = Field(description='What the model speaks, as a BCP 47 tag ("ko").')
    workers: int = Field(default=2, ge=1, le=32, description="Decodings at the same time; as many as there are cores.")
    phrases: tuple[str, ...] = Field(
        default=(), description="Only these are understood; empty: all words of the model."
    )
