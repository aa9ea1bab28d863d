"""Settings of the redactor "pii"."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Kind = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]{1,30}$")]

KINDS = ("EMAIL", "IBAN", "CARD", "NATIONAL_ID", "PHONE", "BIRTH_DATE", "NUMBER", "ADDRESS", "NAME")
"""What is recognised; where two overlap, the first of these."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return pattern


class RedactionSettings(BaseModel):
    """Settings of the redactor "pii"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(
        default="US", description="The country (ISO 3166) whose telephone numbers are written without a `+`."
    )
    allow: tuple[Kind, ...] = Field(default=(), description="Kinds that are not taken out, e.g. [NUMBER].")
    patterns: dict[Kind, Annotated[str, AfterValidator(_compiles)]] = Field(
        default_factory=dict,
        description="Further kinds, by regular expressions; the case of letters does not matter. E.g. MEMBER: 'AC\\d{8}'.",
    )
