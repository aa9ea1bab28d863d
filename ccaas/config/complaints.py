"""From pydantic's complaints to ours: file, line, dotted key, what is wrong in plain words, and how to mend it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ccaas.config.document import STRING, Document, Steps, dotted
from ccaas.errors import ConfigError
from ccaas.spelling import nearest

WRITE = {
    "int": "write a whole number",
    "float": "write a number",
    "bool": "write true or false",
    "string": "write text",
    "list": "write a list: [first, second]",
    "tuple": "write a list: [first, second]",
    "set": "write a list: [first, second]",
    "frozen": "write a list: [first, second]",
    "dict": "write keys and values below it",
    "model": "write keys and values below it",
    "dataclass": "write keys and values below it",
    "path": "write a path",
    "time": "write a time in quotes",
    "date": "write a date",
}
"""The mend by the first word of pydantic's error type (`int_parsing`, `bool_type`, …)."""

LIMITS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def complaints(document: Document, at: Steps, model: type[BaseModel], error: ValidationError) -> list[ConfigError]:
    """All complaints of one validation; of those about one value (the branches of a union) only the first, and none
    about a list that is too short because its items are wrong."""
    details = [(_steps(document, at, detail), detail) for detail in error.errors(include_url=False)]
    wrong_inside = {steps[:-1] for steps, _ in details}
    found: dict[Steps, ConfigError] = {}
    for steps, detail in details:
        if detail["type"] != "too_short" or steps not in wrong_inside:
            found.setdefault(steps, _complaint(document, steps, model, at, detail))
    return list(found.values())


def _steps(document: Document, at: Steps, detail: ErrorDetails) -> Steps:
    """The way in the file; pydantic's own marks in it (names of a union's branches, "[key]") are left out."""
    steps = at
    for step in detail["loc"]:
        if document.holds((*steps, step)) or (step is detail["loc"][-1] and detail["type"] == "missing"):
            steps = (*steps, step)
    return steps


def _complaint(
    document: Document, steps: Steps, model: type[BaseModel], at: Steps, detail: ErrorDetails
) -> ConfigError:
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = _known_keys(model, steps[len(at) : -1])
        problem = "there is no such key"
        return ConfigError(document.key_place(steps), dotted(steps), problem, nearest(str(steps[-1]), known))
    if kind == "missing":
        place = document.key_place(steps[:-1])
        return ConfigError(place, dotted(steps), "this key is missing", f"add `{steps[-1]}: …`")
    problem, mend = _words(document, steps, detail)
    return document.error(steps, problem, mend)


def _words(document: Document, steps: Steps, detail: ErrorDetails) -> tuple[str, str]:
    """Problem and mend for a value that is there."""
    kind, context = detail["type"], detail.get("ctx", {})
    source = document.source(steps)
    shown = source.value if source is not None else "this value"
    if source is not None and not source.style and source.tag != STRING and kind in ("string_type", "string_sub_type"):
        if source.tag.endswith(":null"):
            return "there is no value", "write one after the colon"
        return (
            f"YAML reads {shown} without quotes as {_read_as(source.tag)}, not as text",
            f'put it in quotes: "{shown}"',
        )
    if kind == "model_type":
        return "here must be keys and values", "write `key: value`, one a line"
    if kind in ("value_error", "assertion_error"):
        problem, _, mend = str(context.get("error", detail["msg"])).partition("; ")
        return problem, mend or "correct it"
    if kind in LIMITS:
        word, key = LIMITS[kind]
        return f"{shown} is out of range", f"write {word} {context[key]}"
    if kind in ("enum", "literal_error"):
        return f"{shown} is not one of the choices", f"write {context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"{shown} does not have the form of this setting", f"write it to match {context['pattern']}"
    if kind in ("too_short", "string_too_short"):
        return "there is too little here", f"write at least {context['min_length']}"
    if source is not None and source.tag.endswith(":null"):
        return "there is no value", "write one, or remove the line"
    words = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{shown} is not {words}" if words != detail["msg"] else f"{shown}: {words}", WRITE.get(
        kind.split("_")[0], "correct it"
    )


def _read_as(tag: str) -> str:
    return {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}.get(
        tag.rpartition(":")[2], "something else"
    )


def _known_keys(model: type[BaseModel], steps: Sequence[str | int]) -> set[str]:
    """The keys that the model knows at the end of the way."""
    level: set[Any] = {model}
    for step in steps:
        level = {inner for annotation in level for inner in _inside(annotation, step)}
    return {
        name
        for found in level
        if isinstance(found, type) and issubclass(found, BaseModel)
        for name in found.model_fields
    }


def _inside(annotation: Any, step: str | int) -> Iterator[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(step))
        if field is not None:
            yield from _branches(field.annotation)
        return
    arguments = typing.get_args(annotation)
    if arguments:  # dict[str, X], list[X], tuple[X, ...]
        yield from _branches(arguments[1] if typing.get_origin(annotation) is dict else arguments[0])


def _branches(annotation: Any) -> Iterator[Any]:
    """The types that a value may have: unions and Annotated taken apart."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _branches(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for branch in typing.get_args(annotation):
            yield from _branches(branch)
    else:
        yield annotation
