"""What the YAML may say about the book."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CallbackSettings(BaseModel):
    """`tools: [{use: callbacks, …}]`."""

    model_config = ConfigDict(extra="forbid")

    database: str = Field(default="callbacks.db", description="The SQLite file, in the state folder.")
    most: int = Field(default=3, ge=1, le=100, description="Most call-backs that one customer may be waiting for.")
