"""Passwords are made once, kept to their owner, and found where the settings say."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from ccaas.asterisk.secrets import AriAccess, ari_access, keep_secrets
from ccaas.config.asterisk import AsteriskSettings
from ccaas.errors import AsteriskError


def test_made_once_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "state/secrets.json"
    first = keep_secrets(file, ("6001",))
    assert keep_secrets(file, ("6001",)) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first.ari) >= 24
    assert first.ari != first.phones["6001"]


def test_a_new_phone_leaves_the_others_alone(tmp_path: Path) -> None:
    first = keep_secrets(tmp_path / "secrets.json", ("6001",))
    both = keep_secrets(tmp_path / "secrets.json", ("6001", "6002"))
    assert both.phones["6001"] == first.phones["6001"]
    assert both.ari == first.ari


def test_a_broken_file_names_the_mend(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(AsteriskError, match="delete it, and new passwords are made"):
        keep_secrets(tmp_path / "secrets.json", ())


def test_no_password_is_shown_by_accident(tmp_path: Path) -> None:
    secrets = keep_secrets(tmp_path / "secrets.json", ("6001",))
    access = AriAccess("http://127.0.0.1:1", "ccaas", secrets.ari)
    assert secrets.ari not in f"{secrets!r} {access!r}"
    assert secrets.phones["6001"] not in repr(secrets)


def _external(**ari: Any) -> AsteriskSettings:
    return AsteriskSettings.model_validate({"mode": "external", "ari": {"url": "http://pbx.example:8088/ari/", **ari}})


def test_an_external_password_from_each_place(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-file\nrest\n")
    cases = [
        (_external(password="plain"), "plain"),
        (_external(password_env="ARI_PASSWORD"), "from-env"),
        (_external(password_file=tmp_path / "password"), "from-file"),
    ]
    for settings, password in cases:
        access = ari_access(settings, tmp_path / "unused.json", {"ARI_PASSWORD": "from-env"})
        assert (access.url, access.password) == ("http://pbx.example:8088", password)
    assert not (tmp_path / "unused.json").exists()


@pytest.mark.parametrize(
    ("ari", "words"),
    [
        ({}, "asterisk.ari: an external Asterisk needs a password"),
        ({"password_env": "ARI_PASSWORD"}, "asterisk.ari.password_env: ARI_PASSWORD is not set"),
        ({"password_file": "/nonexistent/password"}, "asterisk.ari.password_file: .* cannot be read"),
    ],
)
def test_a_missing_external_password_names_the_key(ari: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(AsteriskError, match=words):
        ari_access(_external(**ari), tmp_path / "unused.json", {})
