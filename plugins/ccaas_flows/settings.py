"""Settings beside `use: flows`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FlowsSettings(BaseModel):
    """Settings of the reasoner "flows"."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(description="The flows file, relative to the YAML file's folder.")
    model: str = Field(default="minilm", description="Folder of the language model within the models folder.")
