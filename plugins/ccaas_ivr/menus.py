"""The menu file: what it may say, and its checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ccaas.config.document import Document, Steps, raise_all
from ccaas.errors import ConfigError
from ccaas.spelling import nearest

KEYS = "0123456789*#"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(_Shape):
    """What a key does: says something and then one of the others."""

    say: str = ""
    menu: str = Field(default="", description="Goes to this menu.")
    intent: str = Field(default="", description="Begins this intent of the flows file.")
    talk: bool = Field(default=False, description="Goes to the natural front door.")
    back: bool = Field(default=False, description="Goes to the menu before.")
    repeat: bool = Field(default=False, description="Says the menu again.")
    transfer: str = Field(default="", description="Connects to this destination.")
    end: bool = Field(default=False, description="Hangs up.")

    def does(self) -> list[str]:
        """The keys given that say where to go."""
        return [name for name in ("menu", "intent", "talk", "back", "repeat", "transfer", "end") if getattr(self, name)]


class Collect(_Shape):
    """Digits to be keyed."""

    length: tuple[int, int] = Field(description="Fewest and most digits.")
    terminator: str = Field(default="#", description="The key that ends them early; empty: none.")
    name: str = Field(alias="as", description="The slot of the flows file that they fill, and the name of the value.")
    then: Choice

    @field_validator("terminator")
    @classmethod
    def _one_key(cls, value: str) -> str:
        if value not in {"", "*", "#"}:
            raise ValueError(f"{value} cannot end digits; write # or *")
        return value

    @field_validator("length")
    @classmethod
    def _in_order(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1]:
            raise ValueError("the lengths are not in order; write [fewest, most]")
        return value


class Menu(_Shape):
    """One menu."""

    prompt: str
    invalid: str = Field(
        default="That's not one of the choices.", description="Said after a wrong key, before the prompt."
    )
    silent: str = Field(default="", description="Said when nothing is pressed, before the prompt.")
    retries: int = Field(default=2, ge=0, le=9, description="Wrong keys and time-outs allowed.")
    give_up: Choice = Field(
        default=Choice(say="I'm sorry, let's talk instead.", talk=True), description="After too many."
    )
    choices: dict[str, Choice] = Field(default_factory=dict)
    collect: Collect | None = None


class MenuFile(_Shape):
    """The whole file."""

    front_door: str = Field(description="The flows file that understands callers who speak.")
    start: str = Field(default="", description="The menu that opens the call; empty: the natural front door.")
    keypad: str = Field(default="", description="The menu that a caller gets who presses a key at the front door.")
    menus: dict[str, Menu] = Field(default_factory=dict)


def load(file: Path) -> tuple[Document, MenuFile]:
    """Read and check a menu file.

    Raises:
        ConfigError: with file, line, key and mend.
    """
    document = Document.read(file)
    shape = document.validate(MenuFile)
    raise_all(_mistakes(document, shape))
    return document, shape


def _mistakes(document: Document, shape: MenuFile) -> Iterator[ConfigError]:
    for key in ("start", "keypad"):
        name = getattr(shape, key)
        if name and name not in shape.menus:
            yield document.error((key,), f"there is no menu {name}", nearest(name, shape.menus))
    for name, menu in shape.menus.items():
        at: Steps = ("menus", name)
        if bool(menu.choices) is (menu.collect is not None):
            yield document.error(
                at, "a menu has either choices or digits to collect", "add `choices:` or `collect:`, not both"
            )
        for key, choice in menu.choices.items():
            if len(key) != 1 or key not in KEYS:
                yield document.error(
                    (*at, "choices", key), f"{key} is no key of a telephone", f"write one of {' '.join(KEYS)} in quotes"
                )
            yield from _wrong_choice(document, (*at, "choices", key), choice, shape)
        yield from _wrong_choice(document, (*at, "give_up"), menu.give_up, shape)
        if menu.collect:
            yield from _wrong_choice(document, (*at, "collect", "then"), menu.collect.then, shape)


def _wrong_choice(document: Document, at: Steps, choice: Choice, shape: MenuFile) -> Iterator[ConfigError]:
    does = choice.does()
    if len(does) != 1:
        problem = "this leads to several places" if does else "this leads nowhere"
        yield document.error(at, problem, "give one of menu, intent, talk, back, repeat, transfer or end")
    if choice.menu and choice.menu not in shape.menus:
        yield document.error((*at, "menu"), f"there is no menu {choice.menu}", nearest(choice.menu, shape.menus))


def check_intents(document: Document, shape: MenuFile, intents: frozenset[str]) -> None:
    """Every intent that a key begins must exist in the flows file.

    Raises:
        ConfigError: with file, line, key and mend.
    """
    for name, menu in shape.menus.items():
        for key, choice in menu.choices.items():
            if choice.intent and choice.intent not in intents:
                at: Steps = ("menus", name, "choices", key, "intent")
                raise document.error(
                    at, f"the flows file has no intent {choice.intent}", nearest(choice.intent, intents)
                )
        if menu.collect and menu.collect.then.intent and menu.collect.then.intent not in intents:
            wanted = menu.collect.then.intent
            raise document.error(
                ("menus", name, "collect", "then", "intent"),
                f"the flows file has no intent {wanted}",
                nearest(wanted, intents),
            )
