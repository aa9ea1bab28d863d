"""Menus: keys, time-outs, wrong keys, digits, and the natural front door behind them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ccaas_ivr.dialogue import IvrDialogue
from ccaas_ivr.keypad import Keypad, KeyState
from ccaas_ivr.menus import MenuFile, load
from ccaas_ivr.reasoner import IvrReasoner
from ccaas_ivr.settings import IvrSettings

from ccaas.errors import ConfigError
from ccaas.ports.reasoning import CallerTurn, DialogueContext, Ending, ExpectationKind, Reply
from ccaas.ports.site import Site
from ccaas.testing.fakes.tools import FakeToolbox
from tests.flows_parts import HEAD, WordsOnly

MENU = """\
front_door: flows.yaml
keypad: main
menus:
  main:
    prompt: Rooms, one. Numbers, two. Desk, zero.
    silent: Nothing came.
    retries: 1
    give_up: {transfer: desk, say: Let me help.}
    choices:
      "1": {intent: book}
      "2": {menu: number}
      "3": {menu: deep}
      "0": {transfer: desk, say: Over to them.}
      "9": {end: true, say: Bye.}
      "#": {repeat: true}
      "*": {talk: true, say: Go ahead.}
  deep:
    prompt: Deep. Star goes back.
    choices:
      "*": {back: true}
  number:
    prompt: Key the number, then hash.
    invalid: Too short.
    collect:
      length: [3, 5]
      as: phone
      then: {menu: main, say: Thank you.}
"""


class Keys:
    """A call of somebody who presses keys."""

    def __init__(self, dialogue: IvrDialogue) -> None:
        self.dialogue = dialogue
        self.last = Reply("")
        self._turns = 0

    async def press(self, keys: str, text: str = "") -> str:
        self._turns += 1
        said = []
        async for reply in self.dialogue.commit(await self.dialogue.draft(CallerTurn(f"t{self._turns}", text, keys))):
            said.append(reply.text)
            self.last = reply
        return " ".join(said)


def context() -> DialogueContext:
    return DialogueContext("c", "voice", "+1", "100", None, FakeToolbox({}), datetime(2024, 5, 15, tzinfo=UTC))


def reasoner(tmp_path: Path, menu: str = MENU) -> IvrReasoner:
    (tmp_path / "flows.yaml").write_text(HEAD + "  book: {steps: [{ask: date}, {done: Booked.}]}\n", "utf-8")
    (tmp_path / "menu.yaml").write_text(menu, "utf-8")
    site = Site(tmp_path, tmp_path, tmp_path, tmp_path.parent / "intents")
    return IvrReasoner(IvrSettings(file="menu.yaml"), site, WordsOnly())


@pytest.fixture
async def keys(tmp_path: Path) -> Keys:
    made = reasoner(tmp_path)
    await made.start()
    dialogue = made.open(context())
    assert (await dialogue.open()).text == "Hello."
    return Keys(dialogue)


async def test_a_key_at_the_front_door_brings_the_menu(keys: Keys) -> None:
    assert await keys.press("5") == "Rooms, one. Numbers, two. Desk, zero."
    assert keys.last.expect.kind is ExpectationKind.DIGITS
    assert keys.last.expect.keys == "#*01239"


async def test_zero_works_at_once(keys: Keys) -> None:
    assert await keys.press("0") == "Over to them."
    assert (keys.last.ending, keys.last.destination) == (Ending.TRANSFER, "desk")


async def test_a_key_begins_an_intent_and_speech_goes_on(keys: Keys) -> None:
    await keys.press("5")
    assert await keys.press("1") == "Which day?"
    assert keys.last.expect.kind is ExpectationKind.DATE
    assert (await keys.press("", "tomorrow")).startswith("Booked.")


async def test_nested_menus_and_back(keys: Keys) -> None:
    await keys.press("5")
    assert await keys.press("3") == "Deep. Star goes back."
    assert await keys.press("*") == "Rooms, one. Numbers, two. Desk, zero."
    assert await keys.press("#") == "Rooms, one. Numbers, two. Desk, zero."
    assert await keys.press("*") == "Go ahead."
    assert keys.last.expect.kind is ExpectationKind.OPEN
    await keys.press("5")
    assert await keys.press("9") == "Bye."
    assert keys.last.ending is Ending.HANG_UP


async def test_keys_pressed_ahead_are_followed_through_menus(keys: Keys) -> None:
    await keys.press("5")
    assert await keys.press("3*9") == "Bye."


async def test_wrong_keys_are_told_and_counted(keys: Keys) -> None:
    await keys.press("5")
    assert await keys.press("7") == "That's not one of the choices. Rooms, one. Numbers, two. Desk, zero."
    assert await keys.press("8") == "Let me help."
    assert keys.last.destination == "desk"


async def test_time_outs_are_told_and_counted(keys: Keys) -> None:
    await keys.press("5")
    assert (await keys.dialogue.silence(1)).text == "Nothing came. Rooms, one. Numbers, two. Desk, zero."
    last = await keys.dialogue.silence(2)
    assert (last.ending, last.destination) == (Ending.TRANSFER, "desk")


async def test_digits_end_at_the_terminator_or_when_full(keys: Keys) -> None:
    await keys.press("5")
    assert await keys.press("2") == "Key the number, then hash."
    assert keys.last.expect.length == (3, 5)
    assert await keys.press("12") == ""
    assert await keys.press("#") == "Too short. Key the number, then hash."
    assert await keys.press("123#") == "Thank you. Rooms, one. Numbers, two. Desk, zero."
    await keys.press("2")
    assert (await keys.press("12345")).startswith("Thank you.")


async def test_enough_digits_and_then_silence_are_taken(keys: Keys) -> None:
    await keys.press("5")
    await keys.press("2")
    await keys.press("123")
    assert (await keys.dialogue.silence(1)).text.startswith("Thank you.")


async def test_speech_leaves_the_menus(keys: Keys) -> None:
    await keys.press("5")
    assert await keys.press("", "book a room for me") == "Which day?"
    assert await keys.press("", "tomorrow") == "Booked. Is there anything else?"


async def test_drafts_change_nothing(keys: Keys) -> None:
    before = keys.dialogue.snapshot()
    await keys.dialogue.draft(CallerTurn("x", "", "5"))
    assert keys.dialogue.snapshot() == before


async def test_a_snapshot_goes_on_in_the_menu(tmp_path: Path, keys: Keys) -> None:
    await keys.press("5")
    await keys.press("3")
    kept = json.loads(json.dumps(keys.dialogue.snapshot()))
    made = reasoner(tmp_path)
    await made.start()
    again = made.open(context(), kept)
    assert (await again.open()).text == "Deep. Star goes back."
    gone = reasoner(tmp_path, MENU.replace("deep", "depth"))
    await gone.start()
    assert "Deep" not in (await gone.open(context(), kept).open()).text


async def test_a_file_may_start_with_a_menu(tmp_path: Path) -> None:
    made = reasoner(tmp_path, MENU.replace("keypad: main", "keypad: main\nstart: main"))
    await made.start()
    assert (await made.open(context()).open()).text == "Hello. Rooms, one. Numbers, two. Desk, zero."


async def test_all_prompts_are_phrases(tmp_path: Path) -> None:
    phrases = reasoner(tmp_path).phrases()
    assert {"Rooms, one. Numbers, two. Desk, zero.", "Too short.", "Thank you.", "Nothing came."} <= set(phrases)


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("keypad: main", "keypad: mian", 2, 'there is no menu mian; did you mean "main"?'),
        ("{menu: deep}", "{menu: dep}", 12, 'there is no menu dep; did you mean "deep"?'),
        ('"1": {intent: book}', '"1": {intent: bok}', 10, 'the flows file has no intent bok; did you mean "book"?'),
        ('"1": {intent', '"11": {intent', 10, "11 is no key of a telephone"),
        ('"1": {intent', "1: {intent", 10, 'put it in quotes: "1":'),
        ("{menu: deep}", "{menu: deep, back: true}", 12, "this leads to several places"),
        ("{menu: deep}", "{say: Hm.}", 12, "this leads nowhere"),
        ("length: [3, 5]", "length: [5, 3]", 25, "the lengths are not in order"),
        ("length: [3, 5]", "length: [3, 5]\n      terminator: '5'", 26, "5 cannot end digits; write # or *"),
        ("front_door: flows.yaml", "front_door: flow.yaml", 1, "there is no file flow.yaml beside this one"),
        ("retries: 1", "retires: 1", 7, 'there is no such key; did you mean "retries"?'),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, line: int, told: str) -> None:
    assert old in MENU
    with pytest.raises(ConfigError) as raised:
        reasoner(tmp_path, MENU.replace(old, new, 1))
    assert str(raised.value).startswith(f"{tmp_path / 'menu.yaml'}:{line}: ")
    assert told in str(raised.value)


def test_the_example_is_good() -> None:
    load(Path(__file__).parents[2] / "examples" / "airline" / "menu.yaml")


def test_the_keypad_is_pure() -> None:
    file = MenuFile.model_validate(
        {"front_door": "x", "menus": {"m": {"prompt": "P.", "choices": {"1": {"end": True}}}}}
    )
    state = KeyState("m")
    assert Keypad(file).press(state, "1").ending is Ending.HANG_UP
    assert state == KeyState("m")
