"""Chat tokens: how a web site tells us, unforgeably, which of its customers is looking at the page.

A token is a JSON Web Token (RFC 7519) signed with HMAC-SHA256, so that any backend can make one:
`sub` the customer's id in the system of record, `exp` when it expires, `aud` always "ccaas-chat".

`python -m ccaas_webchat.tokens CUSTOMER --secret-file FILE` prints one.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import jwt

from ccaas.errors import CcaasError, SetupError

AUDIENCE = "ccaas-chat"
"""Marks a token as meant for the chat: one that the same secret signed for something else does not open it."""
SHORTEST_SECRET = 32
"""Bytes (RFC 7518, 3.2)."""
LEEWAY_S = 10
"""How far the clocks of two machines may differ."""
_MOST = 4_096
_LONGEST_ID = 200


class TokenRefused(CcaasError):
    """A token that proves nothing; the sentence says why and holds no part of it."""


def make_token(secret: bytes, customer_id: str, lasts_s: float = 3_600, now: float | None = None) -> str:
    """A token for `data-token`.

    Args:
        secret: the key that the channel checks with; at least 32 bytes.
        customer_id: as the system of record writes it.
        lasts_s: seconds until it expires.
        now: Unix seconds; left out, the real time.
    """
    expires = int((time.time() if now is None else now) + lasts_s)
    return jwt.encode({"sub": customer_id, "exp": expires, "aud": AUDIENCE}, secret, algorithm="HS256")


def customer_of(token: str, secret: bytes) -> str:
    """The customer's id that a token proves.

    Raises:
        TokenRefused: it is forged, expired, malformed, or meant for something else.
    """
    if len(token) > _MOST:
        raise TokenRefused(f"it is longer than {_MOST} characters")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=AUDIENCE,
            leeway=LEEWAY_S,
            options={"require": ["exp", "sub", "aud"]},
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("it has expired") from None
    except jwt.InvalidSignatureError:
        raise TokenRefused("it was signed with another secret, or changed") from None
    except (jwt.InvalidTokenError, UnicodeError, RecursionError) as error:
        raise TokenRefused(f"it is no usable token ({type(error).__name__})") from None
    customer: str = claims["sub"]  # PyJWT refuses a `sub` that is no text
    if not customer.strip() or len(customer) > _LONGEST_ID or not customer.isprintable():
        raise TokenRefused("its `sub` is no customer's id")
    return customer


def read_secret(path: Path) -> bytes:
    """The secret in a file, without white space around it.

    Raises:
        SetupError: it cannot be read, or is too short to be a secret.
    """
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SetupError(
            f"secret_file: {path} cannot be read ({error.strerror}); correct the path or its rights"
        ) from None
    if len(secret) < SHORTEST_SECRET:
        raise SetupError(
            f"secret_file: {path} holds {len(secret)} bytes; write at least {SHORTEST_SECRET}: "
            "`openssl rand -hex 32` makes a good one"
        )
    return secret


def main() -> int:
    """Print a token."""
    parser = argparse.ArgumentParser(prog="python -m ccaas_webchat.tokens", description="Make a chat token.")
    parser.add_argument("customer", help="the customer's id in the system of record")
    parser.add_argument("--secret-file", type=Path, required=True, help="the channel's secret_file")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long it lasts (default: 60)")
    options = parser.parse_args()
    try:
        print(make_token(read_secret(options.secret_file), options.customer, options.minutes * 60))  # noqa: T201
    except SetupError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
