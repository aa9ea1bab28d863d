"""What a conversation is about, for the journey: told from where a flow stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ccaas.ports.journey import ThreadState
from ccaas.ports.reasoning import Topic
from ccaas_flows.program import Ask, Branch, Jump, Op, Program
from ccaas_flows.state import State, Subject
from ccaas_flows.templates import complete

_STEPS_AHEAD = 100


class Topics:
    """The topics of one program's conversations."""

    def __init__(
        self,
        program: Program,
        render: Callable[[str, State], str],
        values: Callable[[State], Mapping[str, object]],
        holds: Callable[[Branch, State], bool | None],
    ) -> None:
        """`render` puts values into a sentence; `holds` tests a branch, None when what it tests is not known yet."""
        self._program = program
        self._render = render
        self._values = values
        self._holds = holds

    def now(self, state: State) -> Topic | None:
        """What it is about after a commit: what was closed or put aside in it, else the flow that runs."""
        if state.told:
            told = dict(state.told)
            return Topic(**told | {"state": ThreadState(told["state"]), "missing": tuple(told["missing"])})
        if state.subject.intent and state.flow:
            return self.of(state, state.subject, ThreadState.OPEN)
        return None

    def of(self, state: State, subject: Subject, stands: ThreadState, outcome: str = "") -> Topic:
        """The topic of a subject, with what is known now."""
        secrets = self._program.secrets
        return Topic(
            goal=subject.intent,
            title=self._title(state, subject),
            state=stands,
            missing=self._missing(state, subject) if stands is ThreadState.OPEN else (),
            slots={name: value for name, value in state.slots.items() if name not in secrets},
            outcome=outcome,
            thread_id=subject.thread,
            promise=subject.promise if stands is not ThreadState.OPEN else "",
            due=subject.due if stands is not ThreadState.OPEN else None,
        )

    def _title(self, state: State, subject: Subject) -> str:
        intent = self._program.intents[subject.intent]
        values = self._values(state)
        for title in intent.title:
            if complete(title, values):
                return self._render(title, state)
        return subject.title or f"your request to {intent.label or intent.name.replace('_', ' ')}"

    def _missing(self, state: State, subject: Subject) -> tuple[str, ...]:
        """Questions ahead whose answers are not known, as far as the way is plain: up to the first turn-off that depends
        on what is not known yet."""
        flow, index = (state.flow, state.index) if state.flow and not state.back else (subject.flow, subject.index)
        found: dict[str, None] = {}
        ops: tuple[Op, ...] = self._program.flows.get(flow, ())
        for _ in range(_STEPS_AHEAD):
            if index >= len(ops):
                break
            match ops[index]:
                case Ask(slot=name):
                    if name not in state.slots and name not in self._program.secrets:
                        found[name] = None
                    index += 1
                case Branch() as branch:
                    holds = self._holds(branch, state)
                    if holds is None:
                        break
                    index = index + 1 if holds else branch.otherwise
                case Jump(target=target, flow=""):
                    if target <= index:
                        break
                    index = target
                case Jump(flow=other):
                    ops, index = self._program.flows[other], 0
                case _:
                    index += 1
        return tuple(found)


def to_json(topic: Topic) -> dict[str, Any]:
    """As plain JSON, for the state."""
    return asdict(topic) | {"state": topic.state.value, "missing": list(topic.missing), "slots": dict(topic.slots)}
