"""Settings beside `use: knowledge`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

from ccaas.ports.site import ExistingFolder

THRESHOLD = 0.35
"""Where answers and questions that nothing answers part best on our own set: `make bench-llm`."""


class KnowledgeSettings(BaseModel):
    """Settings of the tool "knowledge"."""

    model_config = ConfigDict(extra="forbid")

    folder: ExistingFolder = Field(
        description="Of the pages (.md, .html, .pdf, in folders of any depth), relative to the YAML file's folder."
    )
    tool: str = Field(
        default="look_up", pattern=r"^[a-z][a-z0-9_]*$", description="The tool's name, for flows and models."
    )
    about: str = Field(
        default="the business's rules, services and prices",
        description="What the pages are about, in the tool's description: models choose the tool by it.",
    )
    passages: Annotated[int, Strict(), Field(ge=1, le=10)] = Field(
        default=3, description="Most passages in an answer, the best first."
    )
    threshold: float = Field(
        default=THRESHOLD,
        ge=0,
        le=1,
        description="A passage that fits less well is no answer; higher: more honest ignorance, lower: more wrong answers.",
    )
    answer_words: Annotated[int, Strict(), Field(ge=10, le=200)] = Field(
        default=40,
        description="Longest `answer`: the sentences of the best passage that fit the question, to be said as they are.",
    )
    model: str = Field(default="minilm", description="Folder of the language model within the models folder.")
