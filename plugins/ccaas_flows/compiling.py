"""Steps, as they stand in the file, into operations with jumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ccaas.config.document import Document, Steps, dotted
from ccaas.errors import ConfigError
from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spelling import nearest
from ccaas_flows import schema
from ccaas_flows.program import (
    Ask,
    Branch,
    Choose,
    Confirm,
    Done,
    End,
    Forget,
    Jump,
    Listen,
    Op,
    Outcome,
    Prepare,
    Promise,
    Read,
    Say,
    Set,
    Transfer,
    UndoWrite,
    Write,
)  # fmt: skip
from ccaas_flows.understanding.slots import Slot


@dataclass(frozen=True, slots=True)
class Scope:
    """What steps may refer to."""

    slots: Mapping[str, Slot]
    questions: Mapping[str, tuple[str, tuple[str, ...]]]
    """A slot's own question and how it is asked again."""
    flows: frozenset[str]
    intents: frozenset[str]
    names: frozenset[str]
    """Everything that a text may put in braces."""
    texts: Callable[[Document, Steps, str, frozenset[str]], None]
    """Checks a text's braces."""


class FlowCompiler:
    """One flow. Operations are appended in order; places that are not known yet are filled in at the end."""

    def __init__(self, document: Document, scope: Scope, at: Steps) -> None:
        """`at` is where the flow stands in the document."""
        self._document = document
        self._scope = scope
        self._at = at
        self._ops: list[Any] = []  # of Op: `replace` cannot be typed over a union
        self._labels: dict[str, int] = {}
        self._later: list[tuple[int, str, str, Steps]] = []
        """Operation, its field, the label that belongs there, and where the label's name stands."""

    def compile(self, steps: list[object]) -> tuple[Op, ...]:
        """All steps of the flow.

        Raises:
            ConfigError: with the line of the step.
        """
        self._block(steps, (*self._at, "steps"))
        self._ops.append(Done(""))
        for index, name, label, at in self._later:
            if label not in self._labels:
                raise self._document.error(at, f"there is no label {label} in this flow", nearest(label, self._labels))
            self._ops[index] = replace(self._ops[index], **{name: self._labels[label]})
        return tuple(self._ops)

    def _block(self, steps: list[object], at: Steps) -> None:
        for n, step in enumerate(steps):
            self._step(step, (*at, n))

    def _step(self, step: object, at: Steps) -> None:
        kind = _step_kind(self._document, at, step)
        shape: Any = self._document.validate(schema.STEPS[kind], at)
        compile_one: Callable[[Any, Steps], None] = getattr(self, f"_{kind}")
        compile_one(shape, at)

    def _text(self, at: Steps, text: str) -> str:
        self._scope.texts(self._document, at, text, self._scope.names)
        return text

    def _slot(self, at: Steps, name: str) -> Slot:
        if name not in self._scope.slots:
            raise self._document.error(at, f"there is no slot {name}", nearest(name, self._scope.slots))
        return self._scope.slots[name]

    def _arguments(self, at: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
        for name, value in arguments.items():
            if isinstance(value, str):
                self._text((*at, "with", name), value)
        return dict(arguments)

    def _say(self, shape: schema.SayStep, at: Steps) -> None:
        self._ops.append(Say(self._text((*at, "say"), shape.say), shape.interruptible))

    def _ask(self, shape: schema.AskStep, at: Steps) -> None:
        self._slot((*at, "ask"), shape.ask)
        question, reask = self._scope.questions[shape.ask]
        question = self._text((*at, "question"), shape.question or question)
        if not question:
            raise self._document.error((*at, "ask"), f"nothing says how to ask for {shape.ask}", "add `question: …`")
        self._ops.append(Ask(shape.ask, question, tuple(shape.reask) or reask, None))
        if shape.unsure:
            self._later.append((len(self._ops) - 1, "unsure", shape.unsure, (*at, "unsure")))

    def _listen(self, shape: schema.ListenStep, at: Steps) -> None:
        expect = Expectation(ExpectationKind(shape.expect), shape.length, tuple(shape.options))
        if shape.slot:
            self._slot((*at, "slot"), shape.slot)
        self._ops.append(Listen(self._text((*at, "listen"), shape.listen), expect, shape.name, shape.slot))

    def _read(self, shape: schema.ReadStep, at: Steps) -> None:
        self._ops.append(Read(shape.read, self._arguments(at, shape.arguments), shape.name, {}))
        self._error_blocks(len(self._ops) - 1, shape.errors, at)

    def _write(self, shape: schema.WriteStep, at: Steps) -> None:
        meanwhile = self._text((*at, "meanwhile"), shape.meanwhile)
        self._ops.append(Write(shape.write, self._arguments(at, shape.arguments), shape.name, {}, meanwhile))
        self._error_blocks(len(self._ops) - 1, shape.errors, at)

    def _prepare(self, shape: schema.PrepareStep, at: Steps) -> None:
        reason = self._text((*at, "reason"), shape.reason)
        self._ops.append(Prepare(shape.prepare, self._arguments(at, shape.arguments), reason, shape.name, {}))
        self._error_blocks(len(self._ops) - 1, shape.errors, at)

    def _undo(self, shape: schema.UndoStep, at: Steps) -> None:
        self._ops.append(UndoWrite(shape.undo, {}))
        self._error_blocks(len(self._ops) - 1, shape.errors, at)

    def _error_blocks(self, index: int, errors: Mapping[str, list[object]], at: Steps) -> None:
        if not errors:
            return
        ends = [self._jump()]
        targets = {}
        for code, steps in errors.items():
            targets[code] = len(self._ops)
            self._block(steps, (*at, "errors", code))
            ends.append(self._jump())
        self._ops[index] = replace(self._ops[index], errors=targets)
        self._land(ends)

    def _jump(self) -> int:
        self._ops.append(Jump())
        return len(self._ops) - 1

    def _land(self, jumps: list[int]) -> None:
        for index in jumps:
            self._ops[index] = Jump(len(self._ops))

    def _if(self, shape: schema.IfStep, at: Steps) -> None:
        test = shape.when
        root = test.value.split(".")[0]
        if root not in self._scope.names:
            raise self._document.error(
                (*at, "if", "value"), f"nothing is called {root}", nearest(root, self._scope.names)
            )
        if all(x is None for x in (test.equals, test.above, test.below, test.known, test.one_of)):
            raise self._document.error(
                (*at, "if"), "the test says only which value", "add `equals`, `above`, `below`, `known` or `one_of`"
            )
        one_of = tuple(test.one_of) if test.one_of is not None else None
        here = len(self._ops)
        branch = Branch(test.value, test.equals, test.above, test.below, test.known, one_of, 0)
        self._ops.append(branch)
        self._block(shape.then, (*at, "then"))
        end = self._jump()
        self._ops[here] = replace(branch, otherwise=len(self._ops))
        self._block(shape.otherwise, (*at, "else"))
        self._land([end])

    def _choose(self, shape: schema.ChooseStep, at: Steps) -> None:
        for name in shape.by:
            self._slot((*at, "by", name), name)
        offer = self._text((*at, "offer"), shape.offer)
        more = self._text((*at, "more"), shape.more) or offer
        here = len(self._ops)
        change = self._change(shape, at, here)
        choose = Choose(shape.choose, shape.name, offer, more, dict(shape.by), 0, shape.confirms, change, None)
        self._ops.append(choose)
        end = self._jump()
        self._ops[here] = replace(choose, none=len(self._ops))
        self._block(shape.none, (*at, "none"))
        self._land([end])

    def _confirm(self, shape: schema.ConfirmStep, at: Steps) -> None:
        here = len(self._ops)
        confirm = Confirm(self._text((*at, "confirm"), shape.confirm), self._change(shape, at, here), None, None)
        self._ops.append(confirm)
        if shape.declined:
            end = self._jump()
            self._ops[here] = replace(confirm, declined=len(self._ops))
            self._block(shape.declined, (*at, "declined"))
            self._land([end])

    def _change(self, shape: schema.ConfirmStep | schema.ChooseStep, at: Steps, index: int) -> tuple[str, ...]:
        """The slots that an answer may correct; where it goes on is filled in later."""
        if shape.change is None:
            return ()
        for n, name in enumerate(shape.change.slots):
            self._slot((*at, "change", "slots", n), name)
        self._later.append((index, "changed", shape.change.goto, (*at, "change", "goto")))
        return tuple(shape.change.slots)

    def _set(self, shape: schema.SetStep, at: Steps) -> None:
        for name, value in shape.set.items():
            if isinstance(value, str):
                self._text((*at, "set", name), value)
        self._ops.append(Set(dict(shape.set)))

    def _forget(self, shape: schema.ForgetStep, at: Steps) -> None:
        for name in shape.forget:
            if name not in self._scope.names:
                raise self._document.error(
                    (*at, "forget"), f"nothing is called {name}", nearest(name, self._scope.names)
                )
        self._ops.append(Forget(tuple(shape.forget)))

    def _label(self, shape: schema.LabelStep, at: Steps) -> None:
        if shape.label in self._labels:
            raise self._document.error(
                (*at, "label"), f"the label {shape.label} stands twice in this flow", "rename one of the two"
            )
        self._labels[shape.label] = len(self._ops)

    def _goto(self, shape: schema.GotoStep, at: Steps) -> None:
        if shape.goto in self._scope.flows and shape.goto not in self._labels:
            self._ops.append(Jump(0, shape.goto))
            return
        self._ops.append(Jump())
        self._later.append((len(self._ops) - 1, "target", shape.goto, (*at, "goto")))

    def _transfer(self, shape: schema.TransferStep, at: Steps) -> None:
        self._ops.append(Transfer(shape.transfer, self._text((*at, "say"), shape.say), shape.open))

    def _promise(self, shape: schema.PromiseStep, at: Steps) -> None:
        within_s = None if shape.within_hours is None else shape.within_hours * 3600
        self._ops.append(Promise(self._text((*at, "promise"), shape.promise), within_s))

    def _outcome(self, shape: schema.OutcomeStep, at: Steps) -> None:
        self._ops.append(Outcome(self._text((*at, "outcome"), shape.outcome)))

    def _end(self, shape: schema.EndStep, at: Steps) -> None:
        self._ops.append(End(self._text((*at, "end"), shape.end)))

    def _done(self, shape: schema.DoneStep, at: Steps) -> None:
        self._ops.append(Done(self._text((*at, "done"), shape.done)))


def _step_kind(document: Document, at: Steps, step: object) -> str:
    if not isinstance(step, dict) or not step:
        raise document.error(at, "a step is a key with what it does", "write for example `- say: Hello.`")
    kinds = [key for key in step if key in schema.STEPS]
    # "say" stands beside "transfer" too: the other one is what the step does.
    kinds = [kind for kind in kinds if kind != "say"] or kinds
    if not kinds:
        first = str(next(iter(step)))
        place = document.key_place((*at, first))
        raise ConfigError(place, dotted((*at, first)), f"there is no step {first}", nearest(first, schema.STEPS))
    return str(kinds[0])
