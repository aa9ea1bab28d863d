"""JSON Schema as a pydantic model: what the other system says is valid, is; nothing is translated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from pydantic import BaseModel, ConfigDict, create_model, model_validator

from ccaas.errors import SetupError


def json_model(name: str, schema: Mapping[str, Any], dialect: type[Validator] | None = None) -> type[BaseModel]:
    """A model whose instances hold any JSON object that `schema` allows; properties are its fields.

    `dialect` says how the schema is meant; by default as its `$schema` says.

    Raises:
        SetupError: this is no JSON schema of an object.
    """
    if schema.get("type", "object") != "object":
        raise SetupError(f"{name}: its schema is no object's, so it has no named arguments; leave the tool out")
    kind = dialect or validator_for(schema)
    try:
        kind.check_schema(dict(schema))
    except SchemaError as error:
        raise SetupError(f"{name}: its JSON schema is none ({error.message}); have its system mended") from None
    base = _based(dict(schema), kind(schema))
    fields: dict[str, Any] = {
        field: (Any, None)
        for field in schema.get("properties", {})
        if field.isidentifier() and not field.startswith("_")
    }
    return create_model(
        name, __base__=base, **{field: kept for field, kept in fields.items() if not hasattr(base, field)}
    )


def _based(schema: dict[str, Any], validator: Validator) -> type[BaseModel]:
    class JsonObject(BaseModel):
        """An object of the other system."""

        model_config = ConfigDict(extra="allow", protected_namespaces=())

        @model_validator(mode="before")
        @classmethod
        def _valid(cls, value: Any) -> Any:
            error = next(iter(validator.iter_errors(value)), None)
            if error is not None:
                where = ".".join(str(part) for part in error.absolute_path)
                raise ValueError(f"{where}: {error.message}" if where else error.message)
            return value

        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            """The schema as it was given: its references are within itself."""
            return {"type": "object", "title": cls.__name__, **schema}

        def model_dump(self, **options: Any) -> dict[str, Any]:
            """Only what was given: an absent field is not null."""
            return super().model_dump(**{**options, "exclude_unset": True})

    return JsonObject
