"""Writes the tables of docs/ that follow the code: settings, commands, figures, hooks, licences.

`python tools/generate_docs.py` replaces what stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; with
`--check` it changes nothing and fails where a file is behind the code.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import licence_table
import typer
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ccaas import hookspecs
from ccaas.cli import app
from ccaas.config.settings import CcaasSettings, Use
from ccaas.hooks import PluginHost
from ccaas.implementations import HOOKS, RULES, available

ROOT = Path(__file__).parents[1]
SIMPLE = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", type(None): "nothing"}
LIMITS = (("gt", "more than {}"), ("ge", "at least {}"), ("lt", "less than {}"), ("le", "at most {}"))
WITH_METRICS = ("ccaas.controller", "ccaas.hooks", "ccaas.outreach.bus", "ccaas.watchdog")


def settings() -> str:
    """Every key of ccaas.yaml, section by section."""
    return "\n".join(_section("", CcaasSettings))


def plugin_settings() -> str:
    """What stands beside `use:` for every plug-in of this project."""
    lines: list[str] = []
    host = PluginHost.load(
        sorted(name for name, point in available().items() if point.dist and point.dist.name == "ccaas")
    )
    for offers in host.offers:
        for offer in offers.values():
            lines += [
                f"### {offers.kind} `{offer.name}`",
                "",
                f"By the plug-in `{offer.plugin}`. {_first(offer.settings)}",
                "",
            ]
            lines += _table(offer.settings)
            for key, inner in _models(offer.settings):
                lines += _section(f"{offer.name}: {key}", inner)
    return "\n".join(lines)


def commands() -> str:
    """The command line."""
    lines = ["| command | what it does |", "|---|---|"]
    for words, command in _commands("ccaas", typer.main.get_command(app)):
        usage = " ".join(
            f"[{p.name.upper()}]" if not p.required else p.name.upper()
            for p in command.params
            if p.param_type_name == "argument"
        )
        lines.append(f"| `{words}{' ' if usage else ''}{usage}` | {_cell(command.help or '')} |")
    return "\n".join([*lines, ""])


def figures() -> str:
    """What /metrics shows."""
    for module in WITH_METRICS:
        importlib.import_module(module)
    lines = ["| figure | kind | labels | what it says |", "|---|---|---|---|"]
    collectors = {id(c): c for c in REGISTRY._names_to_collectors.values()}  # noqa: SLF001  (it has no public list)
    rows = []
    for collector in collectors.values():
        name = getattr(collector, "_name", "")
        if isinstance(collector, MetricWrapperBase) and name.startswith("ccaas_"):
            labels = ", ".join(getattr(collector, "_labelnames", ()))
            suffix = "_total" if type(collector).__name__ == "Counter" else ""
            rows.append(
                f"| `{name}{suffix}` | {type(collector).__name__.lower()} | {labels} | {_cell(next(iter(collector.describe())).documentation)} |"
            )
    return "\n".join([*lines, *sorted(rows), ""])


def hooks() -> str:
    """Every hook: signature, what it is for, how it is called."""
    lines: list[str] = []
    for hook in sorted(HOOKS, key=lambda name: ("_register_" not in name, name)):
        spec = getattr(hookspecs, hook)
        kind = "async def" if hook in RULES else "def"
        lines += [f"### {hook}", "", "```python", "@hookimpl", f"{kind} {hook}{_signature(spec)}", "```", ""]
        lines += [" ".join((inspect.getdoc(spec) or "").split()), ""]
        if hook in RULES:
            rule = RULES[hook]
            answer = f"an answer must be `{rule.answer.__name__}` or None" if rule.answer else "an answer is ignored"
            lines += [f"Verb `{rule.verb}`, {rule.limit_s:g} s for each plug-in; {answer}.", ""]
    return "\n".join(lines)


PARTS: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "docs/admin.md": {
        "settings": settings,
        "plug-in settings": plugin_settings,
        "commands": commands,
        "figures": figures,
    },
    ROOT / "docs/plugins.md": {"hooks": hooks},
    ROOT / "docs/licences.md": {"packages": licence_table.packages, "models": licence_table.models},
}
"""File → name of a part → what writes it."""


def renewed(file: Path) -> str:
    """The file's text with its generated parts as the code wants them."""
    text = file.read_text(encoding="utf-8")
    for name, write in PARTS[file].items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise SystemExit(f"{file}: the marks of the part {name!r} are missing or stand twice; put them back")
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{write().strip()}\n\n{end}{rest.partition(end)[2]}"
    return text


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    yield from (f"### {path or 'the top of the file'}", "", _first(model), "", *_table(model))
    yield from _named_defaults(model)
    for key, inner in _models(model):
        yield from _section(f"{path}.{key}".lstrip("."), inner)


def _table(model: type[BaseModel]) -> list[str]:
    if not model.model_fields:
        return ["No settings.", ""]
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        key = field.alias or name
        rows.append(
            f"| `{key}` | {_cell(_type(field.annotation) + _limits(field))} | {_default(field)} | {_cell(_meaning(field))} |"
        )
    return [*rows, ""]


def _named_defaults(model: type[BaseModel]) -> Iterator[str]:
    """What sections under names of ours are when the YAML leaves them out."""
    for name, field in model.model_fields.items():
        value = None if field.is_required() or _takes_data(field) else field.get_default(call_default_factory=True)
        if isinstance(value, dict) and value:
            sections = {key: one if isinstance(one, dict) else one.model_dump() for key, one in value.items()}
            keys = list(next(iter(sections.values())))
            yield from (f"Defaults of `{name}`:", "")
            yield from (f"| | {' | '.join(f'`{key}`' for key in keys)} |", "|---" * (len(keys) + 1) + "|")
            for key, section in sections.items():
                cells = " | ".join(str(item) for item in section.values())
                yield f"| `{getattr(key, 'value', key)}` | {cells} |"
            yield ""


def _models(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The sections below a model, with the way to each."""
    for name, field in model.model_fields.items():
        for suffix, inner in _inner(field.annotation):
            if inner is not Use:
                yield f"{field.alias or name}{suffix}", inner


def _inner(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif origin is dict:
        yield from ((f".<name>{suffix}", inner) for suffix, inner in _inner(arguments[1]))
    elif origin in (tuple, list):
        yield from ((f"[]{suffix}", inner) for suffix, inner in _inner(arguments[0]))
    elif origin in (typing.Union, types.UnionType, typing.Annotated):
        for argument in arguments if origin is not typing.Annotated else arguments[:1]:
            yield from _inner(argument)


def _type(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    if origin is typing.Annotated:
        limits = [
            word.format(getattr(m, key))
            for m in arguments[1:]
            for key, word in LIMITS
            if getattr(m, key, None) is not None
        ]
        return _type(arguments[0]) + (f", {', '.join(limits)}" if limits else "")
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(argument) for argument in arguments if argument is not type(None))
    if origin is dict:
        return f"names with {_type(arguments[1])}"
    if origin in (tuple, list):
        return f"list of {_type(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if annotation is Use:
        return "`use:` and settings"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return getattr(annotation, "__name__", str(annotation))


def _meaning(field: FieldInfo) -> str:
    """A field's description; a section without one is described by its own first sentence."""
    if field.description:
        return field.description
    return next((_first(inner).partition(". ")[0].rstrip(".") + "." for _, inner in _inner(field.annotation)), "")


def _limits(field: FieldInfo) -> str:
    found = [
        word.format(getattr(m, key))
        for m in field.metadata
        for key, word in LIMITS
        if getattr(m, key, None) is not None
    ]
    return f", {', '.join(found)}" if found else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True) if not _takes_data(field) else PydanticUndefined
    if isinstance(value, BaseModel | dict) or value is PydanticUndefined:
        return "see below" if value else "none"
    if value is None or value in ((), ""):
        return "none"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, tuple | list):
        return "`[" + ", ".join(map(str, value)) + "]`"
    return f"`{value}`".replace("|", "\\|")


def _takes_data(field: FieldInfo) -> bool:
    return bool(field.default_factory_takes_validated_data)


def _first(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _signature(spec: Callable[..., Any]) -> str:
    plain = re.sub(r"'([^']*)'", r"\1", str(inspect.signature(spec)))
    return re.sub(r"\b(?:ccaas|typing|collections)\.(?:\w+\.)*", "", plain)


def _commands(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from _commands(f"{words} {name}", inner)
        else:
            yield f"{words} {name}", inner


def main() -> int:
    """Write, or with `--check` compare."""
    behind = [file for file in PARTS if renewed(file) != file.read_text(encoding="utf-8")]
    for file in behind:
        if "--check" in sys.argv:
            print(f"{file.relative_to(ROOT)} is behind the code; run `make docs`", file=sys.stderr)
        else:
            file.write_text(renewed(file), encoding="utf-8")
            print(f"{file.relative_to(ROOT)} written")
    return 1 if behind and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
