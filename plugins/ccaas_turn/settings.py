"""What the YAML may say about the detectors."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SileroSettings(BaseModel):
    """`voice_detector: {use: silero, …}`."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(default="", description="Silero's ONNX file; empty: the one set up.")
    gate_db: float = Field(
        default=30.0,
        ge=0.0,
        le=60.0,
        description="A window this far below the caller's speech is silence; 0: off (dB).",
    )


class SmartTurnSettings(BaseModel):
    """`turn_detector: {use: smart_turn, …}`."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(default="", description="smart-turn's ONNX file; empty: the one set up.")
    threads: int = Field(default=1, ge=1, le=8, description="How many calls are judged at the same time.")
