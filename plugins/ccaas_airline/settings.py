"""What the YAML may say about the airline."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AirlineSettings(BaseModel):
    """Settings beside `use: airline`."""

    model_config = ConfigDict(extra="forbid")

    database: str = Field(
        default="airline.db", description="The SQLite file, in the state folder; made when it is not there."
    )
    data: str = Field(
        default="", description="Folder with the published db.json; empty: `tau2-airline` in the models folder."
    )
    now: datetime | None = Field(
        default=datetime.fromisoformat("2024-05-15T15:00:00"),
        description="Where the airline's clock stands (its own local time): the data ends in May 2024. Empty: the call's clock.",
    )
    policy: Literal["enforced", "left_to_agent"] = Field(
        default="enforced",
        description="Whether the tools of the published airline refuse what its written policy forbids, or, as published, leave that to the agent.",
    )
    colleagues: dict[str, str] = Field(
        default_factory=dict,
        description="Who takes upset callers of a membership level, instead of `sentiment.escalation.destination`: a name "
        "under `destinations` for each level, such as `gold`.",
    )
    region: str = Field(
        default="US", description="Country of calling numbers that come without a country code (ISO 3166)."
    )
