"""The settings of the one brain: the `journey` section of the YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SCHEMES = ("postgresql", "postgres")
PASSWORD_ENV = "CCAAS_JOURNEY_PASSWORD"
"""Environment variable with PostgreSQL's password."""


def _store(value: str) -> str:
    if "://" not in value:
        if not value.strip():
            raise ValueError("the store needs a name; write journey.sqlite, or postgresql://user@host/database")
        return value
    try:
        parts = urlsplit(value)
        has_password = parts.password is not None or "password=" in parts.query
    except ValueError as error:
        raise ValueError(f"this is no address of a database ({error})") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(
            f"{parts.scheme} is no database of ours; write a file's name or postgresql://user@host/database"
        )
    if has_password:
        raise ValueError(
            f"a password does not belong here; set {PASSWORD_ENV}, or name a file in journey.password_file"
        )
    return value


def _region(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"there is no region {value} with telephone numbers; write two capital letters such as US")
    return value


class JourneySettings(BaseModel):
    """The one brain: who customers are and what has happened, across calls and channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    store: Annotated[str, AfterValidator(_store)] = Field(
        default="journey.sqlite",
        description="A SQLite file below `state`, or `postgresql://user@host/database` for several machines.",
    )
    password_file: Path | None = Field(
        default=None,
        description=f"File whose first line is PostgreSQL's password; left out, the environment's {PASSWORD_ENV} is taken.",
    )
    region: Annotated[str, AfterValidator(_region)] = Field(
        default="US", description="Country of telephone numbers that come without one: two capital letters."
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Days after which facts and closed threads are erased; left out, they are kept.",
    )

    @property
    def is_postgres(self) -> bool:
        """Whether the store is a server."""
        return "://" in self.store
