"""Settings of the pacers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ProgressiveSettings(BaseModel):
    """One call for each agent who is free; nothing is to be set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictiveSettings(BaseModel):
    """As many calls as the answers and the agents to come allow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    aim: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="Which part of the abandonment that is allowed it uses; the rest is for bad luck.",
    )
    half_life_s: float = Field(
        default=900.0,
        ge=60,
        le=86_400,
        description="After so long what was seen of answers, talk and wrap-up counts half: how fast it follows the day.",
    )
    answer_rate: float = Field(
        default=0.5, gt=0, le=1, description="Taken for the answer rate until it is known; high is careful."
    )
    handle_s: float = Field(
        default=180.0, gt=0, le=7200, description="Taken for talk and wrap-up together until they are known (seconds)."
    )
