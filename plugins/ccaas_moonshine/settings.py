"""What the YAML may say about recognition by Moonshine."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MoonshineSettings(BaseModel):
    """`recognizer: {use: moonshine, …}`."""

    model_config = ConfigDict(extra="forbid")

    final: Literal["base", "tiny"] = Field(
        default="base", description="Model of final results: base errs half as often."
    )
    interim: Literal["base", "tiny"] = Field(
        default="tiny", description="Model of interim results, three times as fast as base."
    )
    models: str = Field(
        default="", description="Folder with moonshine-base and moonshine-tiny; empty: where they are set up."
    )
    workers: int = Field(default=2, ge=1, le=32, description="Decodings at the same time; as many as there are cores.")
    threads: int = Field(
        default=1, ge=1, le=8, description="Threads of one decoding; more only helps while few calls are up."
    )
    longest_s: float = Field(
        default=30.0, ge=5.0, le=60.0, description="Of a longer utterance only the end is decoded (s)."
    )
