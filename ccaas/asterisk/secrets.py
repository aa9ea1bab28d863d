"""Passwords: made once per installation for a managed Asterisk, looked up for an external one."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ccaas.config.asterisk import AsteriskSettings
from ccaas.errors import AsteriskError

MANAGED_USER = "ccaas"


@dataclass(frozen=True, slots=True)
class AriAccess:
    """Where and as whom ARI is used."""

    url: str
    """HTTP address without a slash at the end and without "/ari"."""
    user: str
    password: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What a request to ARI must carry (RFC 7617)."""
        credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}"}


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords of one installation."""

    ari: str = field(repr=False)
    phones: Mapping[str, str] = field(repr=False)
    """Phone's name → password, for the phones whose settings give none."""


def keep_secrets(file: Path, phones: tuple[str, ...]) -> Secrets:
    """Read the installation's passwords, making those that are missing. The file is readable by its owner alone.

    Raises:
        AsteriskError: the file is there but broken.
    """
    stored: dict[str, str] = {}
    if file.exists():
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            raise AsteriskError(f"{file} cannot be read as JSON; delete it, and new passwords are made") from None
    wanted = {"ari": stored.get("ari", ""), **{f"phone {name}": stored.get(f"phone {name}", "") for name in phones}}
    complete = {key: value or secrets.token_urlsafe(18) for key, value in wanted.items()}
    if any(stored.get(key) != value for key, value in complete.items()):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump({**stored, **complete}, out, indent=1)
        partial.replace(file)
    return Secrets(complete["ari"], {name: complete[f"phone {name}"] for name in phones})


def made_for(settings: AsteriskSettings) -> tuple[str, ...]:
    """Names of the phones whose settings give no password."""
    return tuple(phone.name for phone in settings.phones if phone.password is None)


def ari_access(settings: AsteriskSettings, secrets_file: Path, environment: Mapping[str, str]) -> AriAccess:
    """How to reach ARI, in either mode.

    Raises:
        AsteriskError: the password of an external Asterisk is not where the settings say.
    """
    if settings.mode == "managed":
        password = keep_secrets(secrets_file, made_for(settings)).ari
        return AriAccess(f"http://127.0.0.1:{settings.http_port}", MANAGED_USER, password)
    ari = settings.ari
    return AriAccess(ari.url.rstrip("/").removesuffix("/ari"), ari.user, _external_password(settings, environment))


def _external_password(settings: AsteriskSettings, environment: Mapping[str, str]) -> str:
    ari = settings.ari
    if ari.password is not None:
        return ari.password
    if ari.password_env is not None:
        if not environment.get(ari.password_env):
            raise AsteriskError(f"asterisk.ari.password_env: {ari.password_env} is not set; export it before the start")
        return environment[ari.password_env]
    if ari.password_file is None:
        raise AsteriskError("asterisk.ari: an external Asterisk needs a password; add password_file or password_env")
    try:
        lines = ari.password_file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AsteriskError(
            f"asterisk.ari.password_file: {ari.password_file} cannot be read ({error.strerror}); create it"
        ) from None
    if not lines or not lines[0].strip():
        raise AsteriskError(
            f"asterisk.ari.password_file: {ari.password_file} is empty; put the password in its first line"
        )
    return lines[0].strip()
