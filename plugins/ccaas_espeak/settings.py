"""What the YAML may say about espeak-ng."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EspeakSettings(BaseModel):
    """`synthesizer: {use: espeak, …}`."""

    model_config = ConfigDict(extra="forbid")

    program: str = Field(
        default="", description="The espeak-ng program; empty: the machine's own, else the one set up."
    )
    voice: str = Field(default="en-us", description="Voice or language, as `espeak-ng --voices` names it.")
    words_a_minute: int = Field(default=165, ge=80, le=400, description="Speed (words a minute).")
    pitch: int = Field(default=45, ge=0, le=99, description="Height of the voice.")
