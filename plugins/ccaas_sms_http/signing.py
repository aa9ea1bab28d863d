"""Whether a callback really comes from the gateway."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping

from ccaas.errors import CcaasError
from ccaas_sms_http.settings import Signature


class BadSignature(CcaasError):
    """The callback is not the gateway's, or is too old to be believed."""


def check(signature: Signature, secret: str, headers: Mapping[str, str], url: str, body: bytes) -> None:
    """Let a callback pass. Raises BadSignature, which says what is wrong and no secret."""
    given = headers.get(signature.header, "")
    if not given:
        raise BadSignature(f"the header {signature.header} is missing")
    stamp = ""
    if signature.timestamp_header is not None:
        stamp = headers.get(signature.timestamp_header, "")
        try:
            away = abs(time.time() - float(stamp))
        except ValueError:
            raise BadSignature(f"the header {signature.timestamp_header} holds no Unix seconds") from None
        if not away <= signature.window_s:
            raise BadSignature(f"it was signed {away:.0f} s from now; {signature.window_s} s are allowed")
    before, _, after = signature.over.partition("{body}")
    signed = _part(before, stamp, url) + body + _part(after, stamp, url)
    digest = hmac.new(secret.encode(), signed, signature.algorithm)
    wanted = digest.hexdigest() if signature.encoding == "hex" else base64.b64encode(digest.digest()).decode()
    found = given.removeprefix(signature.prefix)
    if signature.encoding == "hex":
        found = found.lower()
    if not hmac.compare_digest(found.encode("utf-8", "surrogateescape"), wanted.encode()):
        raise BadSignature("the signature is wrong")


def _part(template: str, stamp: str, url: str) -> bytes:
    return template.replace("{timestamp}", stamp).replace("{url}", url).encode()
