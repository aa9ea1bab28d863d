"""What the model is not told: private data goes to it as `[EMAIL_1]`, and comes back as what it stands for.

One veil for one conversation, so that nothing of one customer's is ever put back in another's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ccaas.ports.reasoning import DialogueContext
from ccaas.ports.redaction import Redactor
from ccaas_llm.client import Asked
from ccaas_llm.history import Entry

RULE = (
    "- A word such as [EMAIL_1] or [NAME_2] stands for something private that you are not told. Use it as it is, wherever the "
    "real one belongs: in what you say, and as a tool's value."
)
_STANDS_FOR = re.compile(r"\[([A-Z][A-Z_]*_\d+)\]")
_BY_KEY = {
    **dict.fromkeys(("first_name", "last_name", "full_name", "surname"), "NAME"),
    **dict.fromkeys(("email", "email_address"), "EMAIL"),
    **dict.fromkeys(("phone", "phone_number", "mobile"), "PHONE"),
    **dict.fromkeys(("dob", "date_of_birth", "birth_date", "birthday"), "BIRTH_DATE"),
    **dict.fromkeys(("address1", "address2", "street", "zip", "postal_code"), "ADDRESS"),
    **dict.fromkeys(("passport", "passport_number", "ssn", "iban"), "NUMBER"),
}
"""Fields of records whose values are private whatever they look like."""
_SHORTEST = 4
"""Shorter ones, "12" for a flat, stand for too much else to be hidden wherever they come again."""
_FEWEST_DIGITS = 10**8
"""Whole numbers from here on are looked at as texts are."""


class Unknown(Exception):
    """The model has made up a word that stands for nothing; says which."""


@dataclass(slots=True)
class _Real:
    said: str
    """As it is to be said."""
    value: str
    """As a tool wants it."""


class Veil:
    """Of one conversation."""

    def __init__(self, redactor: Redactor, names: Sequence[str] = ()) -> None:
        """`names`: what the customer is called, as far as it is known."""
        self._redactor = redactor
        self._names = [name for name in names if name]
        self._real: dict[str, _Real] = {}
        self._words: dict[tuple[str, str], str] = {}
        self._known: dict[str, str] = {}
        """The word for each spelling that was hidden."""

    @classmethod
    def of(cls, context: DialogueContext) -> Veil | None:
        """The conversation's; None where nothing is hidden."""
        if context.redactor is None:
            return None
        people = [context.customer, context.journey.profile if context.journey is not None else None]
        return cls(
            context.redactor, [name for one in people if one is not None for name in (one.first_name, one.last_name)]
        )

    def hide(self, text: str) -> str:
        """A text as the model may read it."""
        text = _STANDS_FOR.sub(r"(\1)", text)  # nobody but us writes these
        # What was told by the words around it once ("my name is …") comes again without them.
        for real, word in sorted(self._known.items(), key=lambda one: -len(one[0])):
            if real in text:
                text = re.sub(rf"(?<![^\W_]){re.escape(real)}(?![^\W_])", f"[{word}]", text)
        for found in reversed(self._redactor.find(text, self._names)):
            word = self._word(found.kind, text[found.start : found.end], found.value)
            text = f"{text[: found.start]}{word}{text[found.end :]}"
        return text

    def hide_value(self, value: object, key: str = "") -> Any:
        """JSON as the model may read it."""
        if isinstance(value, Mapping):
            return {name: self.hide_value(item, str(name)) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide_value(item, key) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _FEWEST_DIGITS:
            hidden = self.hide(str(value))
            return value if hidden == str(value) else hidden
        if not isinstance(value, str) or not value.strip():
            return value
        kind = _BY_KEY.get(key.lower())
        if kind is None:
            return self.hide(value)
        if kind == "NAME" and value not in self._names:
            self._names.append(value)
        return self._word(kind, value, value)

    def hide_facts(self, facts: str) -> str:
        """The facts of a conversation: words, then one JSON object."""
        start = facts.index("{")
        return facts[:start] + json.dumps(self.hide_value(json.loads(facts[start:])), ensure_ascii=False)

    def hide_entry(self, entry: Entry) -> Entry:
        """One thing that was said or done, as the model may read it."""
        if entry["by"] == "tool":
            return Entry(
                by="tool",
                id=entry["id"],
                name=entry["name"],
                arguments=self.hide_value(entry["arguments"]),
                result=self.hide_value(entry["result"]),
            )
        return Entry(by=entry["by"], text=self.hide(entry["text"]))

    def show(self, text: str) -> str:
        """What the model wrote, as the customer gets it. Raises Unknown."""
        return _STANDS_FOR.sub(lambda match: self._find(match[1]).said, text)

    def show_asked(self, asked: Asked) -> Asked:
        """A tool's values as they are; JSON that cannot be read is left to who reads it. Raises Unknown."""
        try:
            arguments = json.loads(asked.arguments)
        except ValueError:
            return asked
        return replace(asked, arguments=json.dumps(self._shown(arguments), ensure_ascii=False))

    def _shown(self, value: object) -> object:
        if isinstance(value, Mapping):
            return {name: self._shown(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._shown(item) for item in value]
        if isinstance(value, str):
            return _STANDS_FOR.sub(lambda match: self._find(match[1]).value, value)
        return value

    def _word(self, kind: str, said: str, value: str) -> str:
        word = self._words.get((kind, value))
        if word is None:
            number = 1 + sum(1 for known, _ in self._words if known == kind)
            self._words[kind, value] = word = f"{kind}_{number}"
            self._real[word] = _Real(said, value)
        self._known |= {real: word for real in (said, value) if len(real) >= _SHORTEST or kind == "NAME"}
        return f"[{word}]"

    def _find(self, word: str) -> _Real:
        real = self._real.get(word)
        if real is None:
            raise Unknown(f"[{word}]")
        return real
