"""YAML files whose every value knows its file, line and key, so that each complaint says where to look.

Plug-ins read their own files (flows, menus) with `Document.read(file).validate(Model)` and complain about a meaning
that no model can check with `document.error(("steps", 2), "…", "…")`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import ConstructorError, SafeConstructor

from ccaas.errors import ConfigError, Place

M = TypeVar("M", bound=BaseModel)

Steps = tuple[str | int, ...]
"""The way to a value from the top of the file: keys of mappings and indices of lists."""

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

STRING = "tag:yaml.org,2002:str"
MERGE = "tag:yaml.org,2002:merge"
PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp"))


class ConfigErrors(ConfigError):
    """Several complaints at once; `str()` gives one line for each, in the order of the file."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        unique = {str(error): error for error in errors}
        self.errors = tuple(sorted(unique.values(), key=lambda error: (str(error.place.file), error.place.line)))
        first = self.errors[0]
        super().__init__(first.place, first.key, first.problem, first.mend)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def raise_all(errors: Iterable[ConfigError]) -> None:
    """Raise the complaints together; nothing happens when there are none."""
    found = tuple(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ConfigErrors(found)


def dotted(steps: Steps) -> str:
    """A way as people write it: `tools[0].use`."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file, parsed; keys are always strings."""

    file: Path
    root: yaml.Node | None
    """The top of the parsed tree; None for an empty file."""

    @classmethod
    def read(cls, file: Path) -> Document:
        """Parse a file and check what no model sees: duplicate keys, keys that are no text, tags, loops.

        Raises:
            ConfigError: the file cannot be read or is not valid YAML; a `ConfigErrors` where there are several.
        """
        text = _text(file)
        try:
            root = yaml.compose(text, Loader=Loader)
        except yaml.YAMLError as error:
            raise _malformed(file, text, error) from None
        document = cls(file, root)
        if root is not None:
            raise_all(document._check(root, (), ()))
        return document

    def value(self, at: Steps = ()) -> object:
        """The value as Python: dict, list, str, int, float, bool, None or date. An empty file is an empty dict."""
        if self.root is None:
            return {}
        node = self._find(at)[1]
        return None if node is None else _value(node)

    def place(self, at: Steps = ()) -> Place:
        """Where the value stands; where it is missing, the line of what should have contained it."""
        key, node = self._find(at)
        if isinstance(node, yaml.ScalarNode) or key is None:
            key = node or key
        return Place(self.file, key.start_mark.line + 1 if key is not None else 1)

    def key_place(self, at: Steps) -> Place:
        """Where the key itself stands, for complaints about the key rather than its value."""
        key, node = self._find(at)
        found = key or node
        return Place(self.file, found.start_mark.line + 1 if found is not None else 1)

    def error(self, at: Steps, problem: str, mend: str) -> ConfigError:
        """A complaint about the value at `at`, to be raised."""
        return ConfigError(self.place(at), dotted(at), problem, mend)

    def source(self, at: Steps) -> yaml.ScalarNode | None:
        """The scalar as it is written, with its quoting style; None where there is no scalar."""
        node = self._find(at)[1]
        return node if isinstance(node, yaml.ScalarNode) and self.holds(at) else None

    def holds(self, at: Steps) -> bool:
        """Whether the file has this key or item."""
        node = self.root
        for step in at:
            found = {name: child for name, _, child in _items(node)}
            if step not in found:
                return False
            node = found[step]
        return node is not None

    def validate(
        self, model: type[M], at: Steps = (), *, without: frozenset[str] = frozenset(), forbid: bool = False
    ) -> M:
        """The part of the file at `at` as a pydantic model.

        Args:
            model: what the part should be; its validators find the file's folder as `info.context["folder"]`.
            at: the way to the part.
            without: keys of the part that are not the model's business.
            forbid: refuse unknown keys even where the model would ignore them.

        Raises:
            ConfigError: with file, line, key and mend; a `ConfigErrors` where there are several.
        """
        from ccaas.config.complaints import complaints  # noqa: PLC0415  (complaints looks into documents)

        value = self.value(at)
        if isinstance(value, dict):
            value = {key: item for key, item in value.items() if key not in without}
        elif value is None:
            value = {}
        try:
            return model.model_validate(
                value,
                context={"folder": self.file.parent},
                extra="forbid" if forbid else None,
                by_alias=True,
                by_name=True,
            )
        except ValidationError as error:
            found = complaints(self, at, model, error)
        raise_all(found)
        raise AssertionError  # complaints() never comes back empty

    def _find(self, at: Steps) -> tuple[yaml.Node | None, yaml.Node | None]:
        """Key and value nodes at `at`; where the way ends early, those of the last step that exists."""
        key: yaml.Node | None = None
        node = self.root
        for step in at:
            for name, key_node, value_node in _items(node):
                if name == step:
                    key, node = key_node or key, value_node
                    break
            else:
                break
        return key, node

    def _check(self, node: yaml.Node, at: Steps, above: tuple[int, ...]) -> Iterator[ConfigError]:
        line = Place(self.file, node.start_mark.line + 1)
        if id(node) in above:
            yield ConfigError(line, dotted(at), "this alias contains itself", "write the value out")
            return
        if isinstance(node, yaml.ScalarNode):
            if node.tag not in PLAIN_TAGS:
                tag = node.tag.replace("tag:yaml.org,2002:", "!!")
                yield ConfigError(line, dotted(at), f"the YAML tag {tag} means nothing here", "remove it")
            return
        if isinstance(node, yaml.MappingNode):
            yield from self._check_keys(node, at)
        for name, _, child in _items(node):
            yield from self._check(child, (*at, name), (*above, id(node)))

    def _check_keys(self, node: yaml.MappingNode, at: Steps) -> Iterator[ConfigError]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            place = Place(self.file, line)
            if not isinstance(key, yaml.ScalarNode):
                yield ConfigError(place, dotted(at), "a key must be plain text", "write it as a word and a colon")
            elif key.tag not in (STRING, MERGE):
                yield ConfigError(
                    place,
                    dotted((*at, key.value)),
                    f"YAML does not read the key {key.value} as text",
                    f'put it in quotes: "{key.value}":',
                )
            elif key.value in seen and key.tag != MERGE:
                yield ConfigError(
                    place,
                    dotted((*at, key.value)),
                    f"the key stands twice, first on line {seen[key.value]}",
                    "remove one of the two",
                )
            else:
                seen[key.value] = line


def _items(node: yaml.Node | None) -> Iterator[tuple[str | int, yaml.Node | None, yaml.Node]]:
    """Step, key node (None in lists) and value node of each child; what `<<` brings in comes last, unless overridden."""
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield index, None, child
    elif isinstance(node, yaml.MappingNode):
        own = {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
        merged: list[yaml.Node] = []
        for key, child in node.value:
            if key.tag == MERGE:
                merged += child.value if isinstance(child, yaml.SequenceNode) else [child]
            elif isinstance(key, yaml.ScalarNode):
                yield key.value, key, child
        for source in merged:
            for name, key_node, child in _items(source) if source is not node else ():
                if name not in own:
                    own.add(name)
                    yield name, key_node, child


def _value(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {name: _value(child) for name, _, child in _items(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(child) for child in node.value]
    try:
        value: object = SafeConstructor().construct_object(node)
    except (ConstructorError, ValueError):  # looks like a date or a number, and is none: 2026-13-45
        return node.value
    return value


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(Place(file), "", "there is no such file", "give the path of an existing YAML file") from None
    except IsADirectoryError:
        raise ConfigError(Place(file), "", "this is a folder", "give the path of the YAML file inside it") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(Place(file, line), "", "this is not UTF-8 text", "save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(Place(file), "", f"it cannot be read ({error.strerror})", "check its permissions") from None


def _malformed(file: Path, text: str, error: yaml.YAMLError) -> ConfigError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
    mend = "check indentation, colons and quotes on this line and the one before it"
    if isinstance(error, yaml.reader.ReaderError):
        place = Place(file, text.encode()[: error.position].count(b"\n") + 1)
        return ConfigError(place, "", "a character here is no text", "remove it, or save the file as UTF-8")
    if mark is None:
        return ConfigError(Place(file), "", f"this is not valid YAML ({problem})", mend)
    lines = text.splitlines()
    if mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        mend = "indent with spaces instead of tabs"
    return ConfigError(Place(file, mark.line + 1), "", f"this is not valid YAML ({problem})", mend)
