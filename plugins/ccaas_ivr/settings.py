"""Settings beside `use: ivr`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class IvrSettings(BaseModel):
    """Settings of the reasoner "ivr"."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(description="The menu file, relative to the YAML file's folder.")
    thread_days: float = Field(
        default=14, gt=0, description="Open threads that were last spoken of longer ago are not brought up."
    )
    model: str = Field(default="minilm", description="Folder of the language model within the models folder.")
