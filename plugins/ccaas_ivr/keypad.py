"""Keys against menus: pure; a state and what was pressed in, a new state and what to say out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ccaas.ports.reasoning import Ending, Expectation, ExpectationKind, Reply
from ccaas_ivr.menus import Choice, Menu, MenuFile


@dataclass(frozen=True, slots=True)
class KeyState:
    """Where a caller stands in the menus."""

    menu: str = ""
    """Empty: at the natural front door."""
    above: tuple[str, ...] = ()
    """Menus on the way here, for "back"."""
    tries: int = 0
    """Wrong keys and time-outs in this menu."""
    digits: str = ""
    """Collected so far."""
    values: dict[str, str] = field(default_factory=dict)
    """What was keyed in, by name."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of keys or silence."""

    state: KeyState
    text: str
    ending: Ending | None = None
    destination: str = ""
    intent: str = ""
    """To be begun by the flows; `text` is said before."""
    talk: bool = False
    """The front door takes over."""


class Keypad:
    """The menus of one file."""

    def __init__(self, file: MenuFile) -> None:
        self._file = file

    def expectation(self, state: KeyState) -> Expectation:
        """Which keys mean something now."""
        menu = self._file.menus[state.menu]
        if menu.collect:
            return Expectation(ExpectationKind.DIGITS, menu.collect.length)
        return Expectation(ExpectationKind.DIGITS, (1, 1), keys="".join(sorted(menu.choices)))

    def enter(self, state: KeyState, name: str, before: str = "") -> Outcome:
        """Go to a menu and say it."""
        above = (*state.above, state.menu) if state.menu and state.menu != name else state.above
        entered = replace(state, menu=name, above=above, tries=0, digits="")
        return Outcome(entered, _joined(before, self._file.menus[name].prompt))

    def at_front_door(self, state: KeyState, keys: str) -> Outcome:
        """A key pressed by somebody who was invited to speak: the menu; its "0" works at once."""
        menu = self._file.menus[self._file.keypad]
        if keys[:1] == "0" and "0" in menu.choices:
            return self._take(replace(state, menu=self._file.keypad), menu.choices["0"])
        return self.enter(state, self._file.keypad)

    def press(self, state: KeyState, keys: str) -> Outcome:
        """One or more keys within a menu."""
        outcome = Outcome(state, "")
        for n, key in enumerate(keys):
            outcome = self._press(outcome.state, key)
            if outcome.ending or outcome.intent or outcome.talk:
                return outcome
            if outcome.text and n + 1 < len(keys) and self._file.menus[outcome.state.menu].collect is None:
                continue
        return outcome

    def silence(self, state: KeyState) -> Outcome:
        """Nothing was pressed in time. Digits that are enough are taken as they are."""
        menu = self._file.menus[state.menu]
        if menu.collect and len(state.digits) >= menu.collect.length[0]:
            return self._collected(state, menu)
        return self._wrong(state, menu, menu.silent)

    def _press(self, state: KeyState, key: str) -> Outcome:
        menu = self._file.menus[state.menu]
        if menu.collect is None:
            choice = menu.choices.get(key)
            return self._wrong(state, menu, menu.invalid) if choice is None else self._take(state, choice)
        if key == menu.collect.terminator:
            enough = len(state.digits) >= menu.collect.length[0]
            return self._collected(state, menu) if enough else self._wrong(state, menu, menu.invalid)
        if key not in "0123456789":
            return self._wrong(state, menu, menu.invalid)
        more = replace(state, digits=state.digits + key)
        return self._collected(more, menu) if len(more.digits) >= menu.collect.length[1] else Outcome(more, "")

    def _collected(self, state: KeyState, menu: Menu) -> Outcome:
        assert menu.collect is not None
        kept = replace(state, digits="", values={**state.values, menu.collect.name: state.digits})
        return self._take(kept, menu.collect.then)

    def _wrong(self, state: KeyState, menu: Menu, said: str) -> Outcome:
        if state.tries >= menu.retries:
            return self._take(replace(state, tries=0, digits=""), menu.give_up)
        return Outcome(replace(state, tries=state.tries + 1, digits=""), _joined(said, menu.prompt))

    def _take(self, state: KeyState, choice: Choice) -> Outcome:
        if choice.menu:
            return self.enter(state, choice.menu, choice.say)
        if choice.repeat:
            return Outcome(replace(state, digits=""), _joined(choice.say, self._file.menus[state.menu].prompt))
        if choice.back:
            name = state.above[-1] if state.above else state.menu
            up = replace(state, menu=name, above=state.above[:-1], tries=0, digits="")
            return Outcome(up, _joined(choice.say, self._file.menus[name].prompt))
        left = replace(state, menu="", above=(), tries=0, digits="")
        if choice.transfer:
            return Outcome(left, choice.say, Ending.TRANSFER, choice.transfer)
        if choice.end:
            return Outcome(left, choice.say, Ending.HANG_UP)
        return Outcome(left, choice.say, intent=choice.intent, talk=not choice.intent)

    def reply(self, outcome: Outcome) -> Reply:
        """What is said, for an outcome that stays within the menus or ends the call."""
        expect = self.expectation(outcome.state) if outcome.state.menu else Expectation()
        return Reply(outcome.text, expect, outcome.ending, outcome.destination)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
