"""An OpenAPI document, and what is needed of it to call one operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from jsonschema.protocols import Validator
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import validate
from openapi_spec_validator.exceptions import OpenAPISpecValidatorError
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from ccaas.errors import SetupError
from ccaas.spelling import nearest

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
_FETCH_S = 10.0


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    name: str
    summary: str
    method: str
    path: str
    """With parameters in braces."""
    places: Mapping[str, str]
    """Each argument's place: "path", "query", "header" or "body"."""
    arguments: Json
    """JSON schema of all arguments together."""
    answer: Json
    """JSON schema of the answer; what is no object stands under `value`."""
    bare: bool
    """Whether the answer is an object itself."""
    dialect: type[Validator]


async def fetch(where: str, folder: Path) -> Json:
    """Read and check the document at a path below `folder`, or at an address.

    Raises:
        SetupError: it cannot be read, or is no OpenAPI 3 document.
    """
    try:
        if where.startswith(("http://", "https://")):
            timeout = aiohttp.ClientTimeout(_FETCH_S)
            async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as http, http.get(where) as reply:
                text = await reply.text()
        else:
            text = (folder / where).read_text("utf-8")
        document = yaml.safe_load(text)
    except (OSError, aiohttp.ClientError, TimeoutError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SetupError(f"{where}: the OpenAPI document cannot be read ({error}); correct `document`") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise SetupError(f"{where}: this is no OpenAPI 3 document; correct `document`")
    try:
        validate(document)
    except (OpenAPISpecValidatorError, OpenAPIValidationError) as error:
        raise SetupError(f"{where}: the OpenAPI document is broken ({error}); have its system mended") from None
    return document


def operation(document: Json, name: str) -> Operation:
    """The operation of that `operationId`. Raises SetupError."""
    found = {
        str(item["operationId"]): (path, method, {**item, "parameters": [*shared, *item.get("parameters", ())]})
        for path, methods in document.get("paths", {}).items()
        for shared in (methods.get("parameters", []),)
        for method, item in methods.items()
        if method in METHODS and "operationId" in item
    }
    if name not in found:
        raise SetupError(f"the OpenAPI document has no operation {name}; {nearest(name, found)}")
    path, method, item = found[name]
    places: dict[str, str] = {}
    properties: Json = {}
    required: list[str] = []

    def add(argument: str, place: str, schema: Json, needed: bool) -> None:
        if argument in places:
            raise SetupError(f"operation {name} has two arguments called {argument}; it cannot be a tool")
        places[argument], properties[argument] = place, schema
        required.extend([argument] if needed else [])

    for parameter in (_resolved(document, one) for one in item["parameters"]):
        if parameter["in"] != "cookie":
            add(parameter["name"], parameter["in"], parameter.get("schema", {}), bool(parameter.get("required")))
    body = _resolved(document, item.get("requestBody", {}))
    inner = _resolved(document, _json_of(body))
    for argument, schema in inner.get("properties", {}).items():
        add(argument, "body", schema, bool(body.get("required")) and argument in inner.get("required", ()))
    answers = item.get("responses", {})
    good = next((_resolved(document, answers[code]) for code in sorted(answers, key=str) if str(code)[0] == "2"), {})
    answer = _resolved(document, _json_of(good))
    bare = answer.get("type") == "object" or "properties" in answer
    components = {"components": document.get("components", {})}
    return Operation(
        name,
        str(item.get("summary") or item.get("description") or ""),
        method.upper(),
        path,
        places,
        {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
            **components,
        },
        {**(answer if bare else {"type": "object", "properties": {"value": answer}}), **components},
        bare,
        OAS30Validator if str(document["openapi"]).startswith("3.0") else OAS31Validator,
    )


def _json_of(holder: Json) -> Json:
    content = holder.get("content", {})
    kind = next((kind for kind in content if "json" in kind), None)
    return dict(content[kind].get("schema", {})) if kind else {}


def _resolved(document: Json, value: Json) -> Json:
    """The value, or what its `$ref` within the document points to. Raises SetupError for another document's."""
    seen = set[str]()
    while "$ref" in value:
        pointer = str(value["$ref"])
        if not pointer.startswith("#/") or pointer in seen:
            raise SetupError(
                f"the OpenAPI document refers to {pointer}, which is not within it; bundle it into one file"
            )
        seen.add(pointer)
        value = document
        for step in pointer[2:].split("/"):
            value = value[step.replace("~1", "/").replace("~0", "~")]
    return value
