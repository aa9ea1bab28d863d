"""What the YAML may say about a Piper voice."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PiperSettings(BaseModel):
    """`synthesizer: {use: piper, …}`."""

    model_config = ConfigDict(extra="forbid")

    voice: str = Field(default="joe", description="Name of the voice, for logs and for flows to choose by.")
    model: str = Field(
        default="", description="A Piper voice (`….onnx`, its `….onnx.json` beside it); empty: the one set up."
    )
    processes: int = Field(
        default=1, ge=1, le=8, description="Voice processes; each holds the model once (about 120 MB)."
    )
    threads: int = Field(default=1, ge=1, le=8, description="Threads of one process.")
    pace: float = Field(
        default=1.0, ge=0.5, le=2.0, description="How fast it speaks; 1.2 is a fifth faster than the voice's own."
    )
    liveliness: float = Field(default=0.667, ge=0.0, le=1.0, description="Variation of tone (Piper's noise scale).")
    rhythm: float = Field(
        default=0.8, ge=0.0, le=1.0, description="Variation of the sounds' lengths (Piper's noise W)."
    )
    gain_db: float = Field(
        default=0.0, ge=-20.0, le=20.0, description="Louder or quieter than the voice's own level (dB)."
    )
