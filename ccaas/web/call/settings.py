"""The settings of the caller's page: `web.desk.call` of the YAML."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

Whole = Annotated[int, Strict()]


class CallPage(BaseModel):
    """The page /call, on which anybody who reaches the site can call from the browser."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="Whether there is such a page.")
    number: Annotated[str, Field(pattern=r"^([+0-9A-Za-z][0-9A-Za-z._-]*)?$")] = Field(
        default="",
        description="The number that its callers reach, quoted; left out, the first one of the first of `entries`. They can dial no other.",
    )
    at_once: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        default=20, description="Most such telephones at once; further callers are asked to try again later."
    )
    per_minute: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        default=6, description="Calls that one address may begin within a minute."
    )
