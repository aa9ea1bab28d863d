"""The YAML's `scorecard` section."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

from ccaas.errors import CcaasError


class ScorecardError(CcaasError):
    """The scorecard cannot be computed as it was asked for."""

    exit_code = 2


class ScorecardSettings(BaseModel):
    """What completed journeys are worth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    values: dict[str, Annotated[float, Strict(), Field(ge=0)]] = Field(
        default_factory=dict,
        description="What one completed journey is worth, by its intent, in your currency: `{flight_change: 75.0}`.",
    )
    default_value: Annotated[float, Strict(), Field(ge=0)] = Field(
        default=0.0, description="The same for intents that `values` does not name."
    )
    not_counted: tuple[str, ...] = Field(
        default=("send_text",), description="Tools whose writes complete no journey, such as confirmations by text."
    )
