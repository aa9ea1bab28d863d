"""From flows files to a program; every mistake is told with file, line, key and mend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccaas.config.document import Document, Steps
from ccaas.spelling import nearest
from ccaas_flows.compiling import FlowCompiler, Scope
from ccaas_flows.program import VERIFY, Ask, Intent, Listen, Op, Program, Words
from ccaas_flows.schema import FlowsFile, IntentShape, SlotShape
from ccaas_flows.templates import FILTERS, PLACEHOLDER
from ccaas_flows.understanding.slots import TYPES, Slot

BUILTIN = Path(__file__).parent / "builtin.yaml"
_KNOWN_NAMES = frozenset(
    {"customer", "business", "error", "option", "ani", "channel", "dnis", "today", "confirmed", "said"}
)
_IN_GREETINGS = frozenset({"thread", "contact"})


@dataclass(frozen=True, slots=True)
class Part:
    """One file and what it says."""

    document: Document
    shape: FlowsFile


def read_parts(file: Path, seen: tuple[Path, ...] = ()) -> list[Part]:
    """A file and all that it includes, included ones first.

    Raises:
        ConfigError: a file cannot be read, is no flows file, or includes itself.
    """
    document = Document.read(file)
    shape = document.validate(FlowsFile)
    parts: list[Part] = []
    for n, name in enumerate(shape.include):
        at: Steps = ("include", n) if isinstance(document.value(("include",)), list) else ("include",)
        inner = (file.parent / name).resolve()
        if inner in (*seen, file.resolve()):
            raise document.error(at, f"{name} includes this file again", "remove one of the two includes")
        if not inner.is_file():
            raise document.error(at, f"there is no file {name} beside this one", "correct the path")
        parts += [
            part
            for part in read_parts(inner, (*seen, file.resolve()))
            if part.document.file not in {p.document.file for p in parts}
        ]
    return [*parts, Part(document, shape)]


def load(file: Path) -> Program:
    """The program of a flows file with the intents that every conversation has.

    Raises:
        ConfigError: a line names file, line, key and mend.
    """
    own = read_parts(file)
    parts = [*read_parts(BUILTIN), *own]
    slots = _slots(parts)
    intents = _intents(parts)
    scope = _scope(parts, slots, intents)
    flows: dict[str, tuple[Op, ...]] = {}
    for part in parts:
        for name, flow in part.shape.flows.items():
            flows[name] = FlowCompiler(part.document, scope, ("flows", name)).compile(flow.steps)
        if part.shape.verify is not None:
            flows[VERIFY] = FlowCompiler(part.document, scope, ("verify",)).compile(part.shape.verify.steps)
    secrets = frozenset(op.slot for op in flows.get(VERIFY, ()) if isinstance(op, Ask | Listen) and op.slot)
    # A title is said to whoever calls from the customer's number: what tools know has no place in it.
    _check_intents(parts, frozenset(flows), frozenset(slots) - secrets)
    _check_texts(own[-1], scope)
    last = own[-1].shape
    said: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in last.words.model_dump().items()}
    examples = {name: tuple(dict.fromkeys(_examples(parts, name))) for name in intents}
    if last.start and last.start not in flows:
        raise own[-1].document.error(("start",), f"there is no flow {last.start}", nearest(last.start, flows))
    for key, name in last.keys.items():
        if name not in intents:
            raise own[-1].document.error(("keys", key), f"there is no intent {name}", nearest(name, intents))
    return Program(
        business=last.business,
        greeting=last.greeting,
        greeting_known=last.greeting_known or last.greeting,
        greeting_thread=last.greeting_thread,
        greeting_waiting=last.greeting_waiting,
        start=last.start,
        any_time=last.any_time,
        intents={
            name: Intent(
                name,
                shape.flow or (name if name in flows else ""),
                shape.does,
                shape.say,
                shape.destination,
                shape.label,
                tuple(shape.title),
                shape.opening,
                shape.declined,
                shape.person,
            )
            for name, shape in intents.items()
        },
        slots={name: slot for name, (slot, _) in slots.items()},
        kept=frozenset(name for name, (_, shape) in slots.items() if shape.keep),
        secrets=secrets,
        flows=flows,
        reasks=last.limits.reasks,
        give_up=last.limits.say,
        give_up_to=last.limits.transfer,
        silence=tuple(last.silence.prompts),
        silence_goodbye=last.silence.goodbye,
        words=Words(**said),
        accept=last.thresholds.accept,
        ask=last.thresholds.ask,
        keys=dict(last.keys),
        examples={name: found for name, found in examples.items() if found},
        fingerprint=hashlib.sha256(repr(sorted(flows.items())).encode()).hexdigest()[:16],
        written={name: text for name, text in last.text.model_dump().items() if text},
    )


def _examples(parts: list[Part], name: str) -> Iterator[str]:
    for part in parts:
        if name in part.shape.intents:
            yield from part.shape.intents[name].examples


def _intents(parts: list[Part]) -> dict[str, IntentShape]:
    merged: dict[str, IntentShape] = {}
    for part in parts:
        for name, shape in part.shape.intents.items():
            if name in merged:
                given = shape.model_dump(exclude_unset=True, exclude={"examples"})
                merged[name] = merged[name].model_copy(update=given)
            else:
                merged[name] = shape
    return merged


def _slots(parts: list[Part]) -> dict[str, tuple[Slot, SlotShape]]:
    made: dict[str, tuple[Slot, SlotShape]] = {}
    for part in parts:
        for name, shape in part.shape.slots.items():
            at: Steps = ("slots", name, "type")
            if shape.type not in TYPES:
                raise part.document.error(at, f"there is no type {shape.type}", nearest(shape.type, TYPES))
            if shape.type == "choice" and not shape.values:
                raise part.document.error(at, "a choice needs its values", "add `values: [first, second]`")
            values = shape.values if isinstance(shape.values, dict) else {v: [] for v in shape.values}
            made[name] = (
                Slot(
                    name,
                    shape.type,
                    {value: tuple(ways) for value, ways in values.items()},
                    shape.length,
                    tuple(shape.after),
                    tuple(shape.before),
                    tuple(shape.not_after),
                    tuple(shape.not_before),
                    tuple(shape.only_in),
                    tuple(shape.not_in),
                    shape.loose,
                ),
                shape,
            )
    return made


def _scope(parts: list[Part], slots: dict[str, tuple[Slot, SlotShape]], intents: dict[str, IntentShape]) -> Scope:
    names = set(_KNOWN_NAMES) | set(slots)
    for part in parts:
        for name in part.shape.flows:
            names |= _named_in(part.document.value(("flows", name, "steps")))
        if part.shape.verify is not None:
            names |= _named_in(part.document.value(("verify", "steps")))
    return Scope(
        slots={name: slot for name, (slot, _) in slots.items()},
        questions={name: (shape.question, tuple(shape.reask)) for name, (_, shape) in slots.items()},
        flows=frozenset(name for part in parts for name in part.shape.flows),
        intents=frozenset(intents),
        names=frozenset(names),
        texts=_check_text,
    )


def _named_in(steps: object) -> set[str]:
    """Names that steps give values to (`as`, `set`), however deep."""
    if isinstance(steps, list):
        return set().union(*(_named_in(step) for step in steps))
    if not isinstance(steps, dict):
        return set()
    found = {str(steps["as"])} if "as" in steps else set()
    if isinstance(steps.get("set"), dict):
        found |= set(steps["set"])
    return found.union(*(_named_in(value) for value in steps.values() if isinstance(value, list | dict)))


def _check_text(document: Document, at: Steps, text: str, names: frozenset[str]) -> None:
    for match in PLACEHOLDER.finditer(text):
        root = match[1].split(".")[0]
        if root not in names:
            raise document.error(at, f"nothing is called {root} in {match.group()}", nearest(root, names))
        if match[2] and match[2] not in FILTERS:
            raise document.error(at, f"there is no filter {match[2]} in {match.group()}", nearest(match[2], FILTERS))
    rest = PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        raise document.error(at, "a brace stands alone", "write values as {name} or {name|filter}")


def _check_intents(parts: list[Part], flows: frozenset[str], titled: frozenset[str]) -> None:
    for part in parts:
        for name, shape in part.shape.intents.items():
            if shape.flow and shape.flow not in flows:
                raise part.document.error(
                    ("intents", name, "flow"), f"there is no flow {shape.flow}", nearest(shape.flow, flows)
                )
            if shape.does == "say" and not shape.say:
                raise part.document.error(("intents", name), "`does: say` needs what to say", "add `say: …`")
            for n, title in enumerate(shape.title):
                one = isinstance(part.document.value(("intents", name, "title")), str)
                _check_text(part.document, ("intents", name, "title", *(() if one else (n,))), title, titled)


def _check_texts(part: Part, scope: Scope) -> None:
    """The sentences outside of flows."""
    document, shape = part.document, part.shape
    for at, text in _texts(shape):
        if document.holds(at):
            _check_text(document, at, text, scope.names | _IN_GREETINGS | {"label"})


def _texts(shape: FlowsFile) -> Iterator[tuple[Steps, str]]:
    for name in ("greeting", "greeting_known", "greeting_thread", "greeting_waiting"):
        yield (name,), getattr(shape, name)
    for name, text in shape.text.model_dump().items():
        yield ("text", name), text
    words = shape.words.model_dump()
    for name, text in words.items():
        if isinstance(text, str):
            yield ("words", name), text
