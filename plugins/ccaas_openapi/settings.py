"""What stands beside `use: openapi` in the YAML."""

from __future__ import annotations

from pydantic import BaseModel, Field, HttpUrl

from ccaas.declared import Declared


class OpenApiSettings(BaseModel):
    """Operations of a system that describes itself by OpenAPI 3."""

    document: str = Field(
        description="The OpenAPI document, JSON or YAML: a file beside the YAML, or an http(s) address."
    )
    url: HttpUrl | None = Field(
        default=None, description="Where the system is; by default the document's first server."
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Headers of each request, each with the NAME of the environment variable that holds its value.",
    )
    operations: dict[str, Declared] = Field(
        min_length=1, description="The operations that are tools, by `operationId`, each with what it does."
    )
