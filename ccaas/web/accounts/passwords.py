"""Passwords are kept as argon2id hashes, and nowhere else."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from ccaas.errors import AccountError

SHORTEST = 10
LONGEST = 200
"""Characters. Longer ones would only cost time."""

_hasher = PasswordHasher()
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without those that look alike."""


def hashed(password: str) -> str:
    """The hash that is kept; takes some 50 ms and 64 MB. Raises AccountError when the password is too short or long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(f"a password has {SHORTEST} to {LONGEST} characters; choose another one")
    return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password. Without a hash it takes as long and is False."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(kept or _nobodys(), password) and kept is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def generated() -> str:
    """A new password: 80 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_hex())
