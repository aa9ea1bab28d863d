"""What the YAML may say about a mailbox."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ccaas.errors import SetupError
from ccaas.ports.site import Site

Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Security = Literal["tls", "starttls", "none"]


class Server(BaseModel):
    """A mail server and how we are known there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Host = Field(description="Its host.")
    port: Port = Field(description="Its port: 993 or 143 for IMAP, 465 or 587 for SMTP.")
    security: Security = Field(
        default="tls", description="`tls` from the first byte, `starttls`, or `none` (this machine alone)."
    )
    user: str = Field(default="", description="User name; left out, none is given.")
    password_env: str | None = Field(default=None, description="Environment variable that holds the password.")
    password_file: Path | None = Field(default=None, description="File whose first line is the password.")

    @model_validator(mode="after")
    def _safe(self) -> Server:
        if self.security == "none" and self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("security none sends the password in clear text; it is for this machine alone")
        if self.user and (self.password_env is None) is (self.password_file is None):
            raise ValueError("say where the user's password is: one of password_env and password_file")
        return self

    def password(self, site: Site) -> str:
        """The password; empty without a user. Raises SetupError."""
        if not self.user:
            return ""
        if self.password_env is not None:
            if value := os.environ.get(self.password_env):
                return value
            raise SetupError(f"the environment variable {self.password_env} is empty; it must hold the mail password")
        path = site.path(str(self.password_file))
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise SetupError(f"{path}: the mail password cannot be read ({error.strerror})") from error
        if not lines or not lines[0]:
            raise SetupError(f"{path} is empty; its first line must be the mail password")
        return lines[0]


class EmailSettings(BaseModel):
    """Settings beside `use: email`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] = Field(description="Our address.")
    name: str = Field(default="", pattern=r"^[^\r\n]*$", description="Our name, shown beside it.")
    imap: Server = Field(description="Where mail is read.")
    smtp: Server = Field(description="Where mail is handed over.")
    folder: str = Field(default="INBOX", description="Mailbox folder that is read.")
    poll_s: Annotated[float, Field(ge=0.2, le=3600)] = Field(
        default=30.0, description="Seconds between looks where the server does not tell by itself (IMAP IDLE)."
    )
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = Field(
        default=("en", "de", "fr", "es"), description="Languages in which quoted mail is recognised."
    )
    signature: str = Field(default="", description="Put below each answer.")
