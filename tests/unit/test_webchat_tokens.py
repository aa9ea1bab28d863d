"""Chat tokens: only one that the site's own secret signed, for the chat, and not too long ago, proves who somebody is."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from ccaas_webchat.tokens import AUDIENCE, TokenRefused, customer_of, make_token, read_secret

from ccaas.errors import SetupError

SECRET = b"0123456789abcdef0123456789abcdef"
OTHER = b"another secret of thirty-two byte"


def signed(claims: dict[str, object], secret: bytes = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(
        {"sub": "c-1", "exp": time.time() + 86_400, "aud": AUDIENCE, **claims}, secret, algorithm=algorithm
    )


def unsigned(header: dict[str, object]) -> str:
    parts = (header, {"sub": "c-1", "exp": time.time() + 86_400, "aud": AUDIENCE})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def test_a_token_names_its_customer() -> None:
    assert customer_of(make_token(SECRET, "gold-17"), SECRET) == "gold-17"
    assert customer_of(make_token(SECRET, "Müller/7"), SECRET) == "Müller/7"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (make_token(OTHER, "c-1"), "another secret"),
        (make_token(SECRET, "c-1", lasts_s=-60), "expired"),
        (make_token(SECRET, "c-1")[:-4] + "AAAA", "another secret"),
        (signed({"aud": "billing"}), "InvalidAudience"),
        (signed({"aud": None}), "no usable token"),
        (signed({}, SECRET * 2, "HS512"), "InvalidAlgorithm"),
        (unsigned({"alg": "none", "typ": "JWT"}), "no usable token"),
        (unsigned({"alg": "HS256"}), "another secret"),
        (signed({"sub": ""}), "no customer's id"),
        (signed({"sub": "a\nb"}), "no customer's id"),
        (signed({"sub": "x" * 201}), "no customer's id"),
        (jwt.encode({"sub": "c-1", "aud": AUDIENCE}, SECRET, algorithm="HS256"), "MissingRequiredClaim"),
        (jwt.encode({"exp": time.time() + 86_400, "aud": AUDIENCE}, SECRET, algorithm="HS256"), "MissingRequiredClaim"),
        ("not a token", "no usable token"),
        ("a.b.c", "no usable token"),
        ("ключ.\ud800.x", "no usable token"),
        ("x" * 5_000, "longer than"),
    ],
    ids=lambda value: value if " " in value else "",
)
def test_what_proves_nothing_is_refused(token: str, why: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        customer_of(token, SECRET)
    assert why in str(refused.value)
    assert token[:20] not in str(refused.value)


def test_a_clock_that_is_a_little_off_does_no_harm() -> None:
    assert customer_of(make_token(SECRET, "c-1", lasts_s=-3), SECRET) == "c-1"


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "chat.secret"
    file.write_bytes(SECRET + b"\n")
    assert read_secret(file) == SECRET
    file.write_text("short\n")
    with pytest.raises(SetupError, match="holds 5 bytes"):
        read_secret(file)
    with pytest.raises(SetupError, match="cannot be read"):
        read_secret(tmp_path / "nowhere")


def test_the_command_prints_a_token(tmp_path: Path) -> None:
    (tmp_path / "chat.secret").write_bytes(SECRET)
    command = [sys.executable, "-m", "ccaas_webchat.tokens", "c-9", "--secret-file"]
    done = subprocess.run([*command, tmp_path / "chat.secret"], text=True, capture_output=True, check=False)
    assert (done.returncode, customer_of(done.stdout.strip(), SECRET)) == (0, "c-9")
    done = subprocess.run([*command, tmp_path / "nowhere"], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be read" in done.stderr
