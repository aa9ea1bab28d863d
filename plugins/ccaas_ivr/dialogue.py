"""The reasoning port over menus and a flows dialogue: keys go to the menus, words to the flows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace

from ccaas_flows.dialogue import FlowDialogue

from ccaas.ports.journey import Assurance, Json
from ccaas.ports.reasoning import CallerTurn, Draft, Expectation, ExpectationKind, Reply, Topic
from ccaas_ivr.keypad import Keypad, KeyState, Outcome
from ccaas_ivr.menus import MenuFile

_KEYED = frozenset(
    {ExpectationKind.CODE, ExpectationKind.DIGITS, ExpectationKind.YES_NO, ExpectationKind.NUMBER, ExpectationKind.DATE}
)
"""Questions of the flows that keys can answer."""


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A draft's consequence: where the caller then stands, and the flows' part, if they take over."""

    base: int
    state: KeyState
    inner: Draft | None = None


class IvrDialogue:
    """One conversation."""

    def __init__(self, file: MenuFile, inner: FlowDialogue, state: KeyState, resumed: bool) -> None:
        self._file = file
        self._keypad = Keypad(file)
        self._inner = inner
        self._state = state
        self._resumed = resumed
        self._revision = 0

    @property
    def expectation(self) -> Expectation:
        """What the caller is expected to say or press now."""
        return self._keypad.expectation(self._state) if self._state.menu else self._inner.expectation

    async def open(self) -> Reply:
        """The front door's greeting, followed by the first menu where the file starts with one."""
        greeting = await self._inner.open()
        name = self._state.menu if self._resumed else self._file.start
        if not name or self._inner.asks_about_thread:
            return greeting
        before = "" if self._resumed else greeting.text
        outcome = self._keypad.enter(self._state, name, before)
        self._state = outcome.state
        return self._keypad.reply(outcome)

    async def draft(self, turn: CallerTurn) -> Draft:
        """See the port."""
        if turn.keys and self._state.menu:
            return await self._drafted(turn, self._keypad.press(self._state, turn.keys))
        if turn.keys and self._file.keypad and not turn.text and self._at_front_door(turn.keys):
            return await self._drafted(turn, self._keypad.at_front_door(self._state, turn.keys))
        inner = await self._inner.draft(turn)
        left = replace(self._state, menu="", above=(), tries=0, digits="")
        return replace(inner, plan=KeyPlan(self._revision, left, inner))

    def _at_front_door(self, keys: str) -> bool:
        """Whether keys ask for the menu, rather than answer a question."""
        if self._inner.asks_about_thread:
            return keys not in {"1", "2"}
        return self._inner.expectation.kind not in _KEYED

    async def _drafted(self, turn: CallerTurn, outcome: Outcome) -> Draft:
        if outcome.intent:
            inner = await self._inner.draft_intent(turn, outcome.intent, outcome.state.values)
            reply = inner.reply
            if reply is not None and outcome.text:
                reply = replace(reply, text=f"{outcome.text} {reply.text}".strip())
            return replace(inner, reply=reply, plan=KeyPlan(self._revision, outcome.state, inner))
        reply = self._keypad.reply(outcome)
        if outcome.talk:
            reply = replace(reply, expect=self._inner.expectation, text=outcome.text or "How can I help?")
        shown = reply if reply.text or reply.ending else None
        return Draft(turn, shown, "keys", {}, KeyPlan(self._revision, outcome.state))

    async def commit(self, draft: Draft) -> AsyncIterator[Reply]:
        """See the port."""
        plan = draft.plan
        if not isinstance(plan, KeyPlan) or plan.base != self._revision:
            draft = await self.draft(draft.turn)
            plan = draft.plan
            assert isinstance(plan, KeyPlan)
        self._revision += 1
        self._state = plan.state
        if plan.inner is None:
            if draft.reply is not None:
                yield draft.reply
            return
        first = draft.reply
        async for reply in self._inner.commit(plan.inner):
            yield first if first is not None else reply
            first = None

    async def silence(self, times: int) -> Reply:
        """A menu's time-out rules, or the flows' prompts."""
        if not self._state.menu:
            return await self._inner.silence(times)
        outcome = self._keypad.silence(self._state)
        self._state = outcome.state
        self._revision += 1
        if outcome.intent:
            turn = CallerTurn(f"silence-{self._revision}", "")
            said = [
                reply
                async for reply in self._inner.commit(
                    await self._inner.draft_intent(turn, outcome.intent, outcome.state.values)
                )
            ]
            return (
                replace(said[-1], text=" ".join([outcome.text, *(r.text for r in said)]).strip())
                if said
                else Reply(outcome.text)
            )
        reply = self._keypad.reply(outcome)
        return replace(reply, expect=self._inner.expectation) if outcome.talk else reply

    def heard(self, text: str, whole: bool) -> None:
        """Kept by the flows."""
        self._inner.heard(text, whole)

    def topic(self) -> Topic | None:
        """The flows'."""
        return self._inner.topic()

    @property
    def assurance(self) -> Assurance:
        """The flows'."""
        return self._inner.assurance

    def snapshot(self) -> Json:
        """Both states."""
        return {"keys": asdict(self._state), "flows": self._inner.snapshot()}


def restored(kept: Json, file: MenuFile) -> KeyState:
    """The place in the menus of a snapshot; a menu that is gone leads to the front door."""
    keys = kept.get("keys")
    if not isinstance(keys, dict) or keys.get("menu", "") not in {"", *file.menus}:
        return KeyState()
    above = tuple(name for name in keys.get("above", ()) if name in file.menus)
    return KeyState(
        keys["menu"], above, int(keys.get("tries", 0)), str(keys.get("digits", "")), dict(keys.get("values", {}))
    )
