"""Asks the running controller of an installation, over its control server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from ccaas.config.configuration import Configuration
from ccaas.errors import CcaasError
from ccaas.web.control import TOKEN_FILE, TOKEN_HEADER

TIMEOUT_S = 10.0


def ask(
    configuration: Configuration, method: str, path: str, body: object = None, *, timeout_s: float = TIMEOUT_S
) -> Any:
    """The controller's JSON answer.

    Raises:
        CcaasError: no controller runs, or it refused; with its own sentence.
    """
    web = configuration.settings.web
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(web.bind, web.bind)  # noqa: S104  (that is what is replaced)
    where = f"[{host}]:{web.port}" if ":" in host else f"{host}:{web.port}"
    try:
        token = (configuration.site.state_dir / TOKEN_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CcaasError(f"no controller has run with {configuration.file}; start one with `ccaas up`") from None
    except OSError as error:
        raise CcaasError(f"{error.filename} cannot be read ({error.strerror}); be the user who runs ccaas") from None
    request = urllib.request.Request(
        f"http://{where}{path}",
        method=method,
        headers={TOKEN_HEADER: token},
        data=None if body is None else json.dumps(body).encode(),
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout_s) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sentence = error.read().decode("utf-8", "replace").strip() or error.reason
        raise CcaasError(f"the controller refused: {sentence}") from None
    except (OSError, ValueError):
        raise CcaasError(f"no controller answers at {where}; start one with `ccaas up {configuration.file}`") from None
