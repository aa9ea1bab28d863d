"""What stands beside `use: mcp` in the YAML."""

from __future__ import annotations

from pydantic import BaseModel, Field, HttpUrl, model_validator

from ccaas.declared import Declared


class McpSettings(BaseModel):
    """Tools of an MCP server."""

    command: tuple[str, ...] = Field(
        default=(), description="The server's program and its arguments; it is started with us, and spoken to by pipes."
    )
    url: HttpUrl | None = Field(default=None, description="Or where the server is reached (Streamable HTTP).")
    environment: tuple[str, ...] = Field(
        default=(),
        description="NAMES of our environment variables that the program gets; it gets no others but PATH and the like.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Headers of each request, each with the NAME of the environment variable that holds its value.",
    )
    tools: dict[str, Declared] = Field(default_factory=dict, description="What its tools do, by their names there.")
    unlisted: bool = Field(
        default=False,
        description="Whether its other tools are offered too: as writes that a customer confirms and only a person may make.",
    )
    start_s: float = Field(default=20.0, gt=0, le=120, description="Seconds until it must have answered at the start.")

    @model_validator(mode="after")
    def _one_way(self) -> McpSettings:
        if bool(self.command) is bool(self.url):
            raise ValueError("a server is started by `command` or reached by `url`; write one of the two")
        return self
