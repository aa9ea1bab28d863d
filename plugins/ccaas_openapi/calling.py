"""One operation as a tool: what is asked, what an answer means, and what no answer means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ValidationError

from ccaas.declared import Declared, Keys, NotKnown
from ccaas.errors import ToolError
from ccaas.ports.tools import ToolContext
from ccaas_openapi.document import Operation

TRIES = 3
"""How often a write is sent that was not answered, where its key makes it once."""
PAUSE_S = 0.5
_LONGEST_SENTENCE = 200
_CODES = {404: "not_found", 409: "conflict", 401: "unavailable", 403: "unavailable", 429: "unavailable"}
_DOWN = "Our system cannot be reached at the moment."


class Calling:
    """Runs one operation."""

    def __init__(
        self,
        operation: Operation,
        declared: Declared,
        base: str,
        headers: Mapping[str, str],
        http: aiohttp.ClientSession,
        keys: Keys,
        answer: type[BaseModel],
    ) -> None:
        self._operation = operation
        self._declared = declared
        self._base = base.rstrip("/")
        self._headers = headers
        self._http = http
        self._keys = keys
        self._answer = answer

    async def run(self, asked: BaseModel, context: ToolContext) -> BaseModel:
        """See `Tool.run`."""
        arguments = asked.model_dump(mode="json")
        if self._declared.effect == "read":
            try:
                return self._valid(await self._send(arguments, ""))
            except (NotKnown, OSError, aiohttp.ClientError, TimeoutError) as error:
                raise ToolError("unavailable", _DOWN) from error

        async def send() -> dict[str, Any]:
            return (await self._write(arguments, context.key)).model_dump(mode="json")

        result = await self._keys.once(context, send, again=self._declared.idempotent)
        return self._answer.model_validate(result)

    async def _write(self, arguments: dict[str, Any], key: str) -> BaseModel:
        """Send it, and again where that is safe, until it is known what became of it. Raises NotKnown."""
        for left in reversed(range(TRIES if self._declared.idempotent else 1)):
            try:
                return self._valid(await self._send(arguments, key))
            except aiohttp.ClientConnectorError as error:
                raise ToolError("unavailable", _DOWN) from error  # nothing was sent
            except (NotKnown, OSError, aiohttp.ClientError, TimeoutError) as error:
                if not left:
                    raise NotKnown(f"{self._operation.name}: {type(error).__name__}") from error
                await asyncio.sleep(PAUSE_S * (TRIES - left))
        raise AssertionError

    async def _send(self, arguments: Mapping[str, Any], key: str) -> Any:
        """The answer's JSON. Raises ToolError for a refusal, NotKnown for what cannot be believed."""
        operation = self._operation
        parts: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "body": {}}
        for name, value in arguments.items():
            parts[operation.places[name]][name] = value
        path = operation.path
        for name, value in parts["path"].items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        headers = {**self._headers, **{name: str(value) for name, value in parts["header"].items()}}
        if key:
            headers["Idempotency-Key"] = key
        async with self._http.request(
            operation.method,
            self._base + path,
            params={name: _written(value) for name, value in parts["query"].items()},
            json=parts["body"] if "body" in operation.places.values() else None,
            headers=headers,
            timeout=aiohttp.ClientTimeout(self._declared.timeout_s),
            allow_redirects=False,
        ) as reply:
            body = await _json(reply)
            if 400 <= reply.status < 500 and reply.status != 408:
                raise ToolError(_CODES.get(reply.status, "not_allowed"), _sentence(body))
            if not 200 <= reply.status < 300:
                raise NotKnown(f"{operation.name}: HTTP {reply.status}")
            return body

    def _valid(self, body: Any) -> BaseModel:
        try:
            return self._answer.model_validate(body if self._operation.bare else {"value": body})
        except ValidationError as error:
            raise NotKnown(f"{self._operation.name}: the answer is not what its document says") from error


async def _json(reply: aiohttp.ClientResponse) -> Any:
    text = await reply.text()
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        return text


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sentence(body: Any) -> str:
    """What the other system says of a refusal (RFC 9457, or what is common), where it may be told to a customer."""
    for name in ("detail", "message", "title"):
        said = body.get(name) if isinstance(body, Mapping) else None
        if isinstance(said, str) and 0 < len(said) <= _LONGEST_SENTENCE:
            return said
    return "Our system does not allow that."
