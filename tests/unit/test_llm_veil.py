"""Private data never reaches the model's server, and yet tools and customers get it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ccaas_llm.veil import Unknown, Veil
from ccaas_redaction.finding import Finder
from ccaas_redaction.settings import RedactionSettings
from llm_talk import Desk, desk
from peers.openai_server import Messages, Step, Text, ToolCall, last_user, results
from pydantic import BaseModel

from ccaas.ports.journey import Assurance, Customer, JourneyContext, Profile
from ccaas.ports.tools import Effect, Tool, ToolContext
from ccaas.testing.fakes.tools import FakeToolbox

FINDER = Finder(RedactionSettings())
MIA = Customer("mia_li_3668", "Mia", "Li")
KNOWN = {
    "redactor": FINDER,
    "customer": MIA,
    "assurance": Assurance.VERIFIED,
    "journey": JourneyContext(Profile("mia_li_3668", "Mia", "Li"), records={"crm": {"email": "mia.li@post.example"}}),
}
WORD = re.compile(r"\[[A-Z_]+_\d+\]")


class Anything(BaseModel):
    value: str


class Record(BaseModel):
    record: dict[str, Any]


async def _never(asked: Anything, context: ToolContext) -> Record:
    raise NotImplementedError


def box(record: dict[str, Any] | None = None) -> FakeToolbox:
    tool = Tool("look_up", "Who has this address.", Anything, Record, _never, Effect.READ)
    return FakeToolbox({"look_up": {"record": record or {}}}, tools=(tool,))


def echo(messages: Messages) -> Sequence[Step]:
    """Looks the first private thing up that the customer names, and says all of them back."""
    words = WORD.findall(last_user(messages))
    if words and not results(messages):
        return [ToolCall("look_up", {"value": words[0]})]
    return [Text(f"So it is {' and '.join(words)}. Is that right?" if words else "What can I do?")]


def sent(bank: Desk) -> str:
    """Everything that has reached the model's server."""
    return json.dumps([seen.body for seen in bank.server.seen], ensure_ascii=False)


SAID = [
    ("Write to ann.lee@example.com.", "ann.lee@example.com", "ann.lee@example.com"),
    ("it's bob99 at mail dot example dot org", "bob99 at mail dot example dot org", "bob99@mail.example.org"),
    ("jo underscore ng at example dot net please", "jo underscore ng at example dot net", "jo_ng@example.net"),
    ("My number is 617-555-0123.", "617-555-0123", "+16175550123"),
    ("Call (617) 555-0188 instead.", "(617) 555-0188", "+16175550188"),
    ("+44 20 7946 0018 is mine", "+44 20 7946 0018", "+442079460018"),
    (
        "six one seven five five five zero one four two",
        "six one seven five five five zero one four two",
        "+16175550142",
    ),
    ("six one seven, triple five, oh one nine nine", "six one seven, triple five, oh one nine nine", "+16175550199"),
    ("I was born on May 25th, 1984.", "May 25th, 1984", "1984-05-25"),
    ("March third nineteen seventy one", "March third nineteen seventy one", "1971-03-03"),
    ("1990-12-31, that's my birthday", "1990-12-31", "1990-12-31"),
    (
        "my date of birth is oh seven oh nine nineteen eighty four",
        "oh seven oh nine nineteen eighty four",
        "1984-07-09",
    ),
    ("My social is 123-45-6789.", "123-45-6789", "123-45-6789"),
    ("passport 987654321", "987654321", "987654321"),
    ("IBAN DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ("IBAN GB29NWBK60161331926819", "GB29NWBK60161331926819", "GB29NWBK60161331926819"),
    ("I live at 12 Oak Street.", "12 Oak Street", "12 Oak Street"),
    ("It's 4501 Old Mill Road.", "4501 Old Mill Road", "4501 Old Mill Road"),
    ("My name is Jane Miller.", "Jane Miller", "Jane Miller"),
    ("my last name is Okonkwo", "Okonkwo", "Okonkwo"),
    ("This is Mia speaking.", "Mia", "Mia"),
]
"""What is said, what of it is private, and what a tool is to get."""


@pytest.mark.parametrize(("text", "private", "value"), SAID)
@pytest.mark.parametrize("channel", ["voice", "chat"])
async def test_it_does_not_leave_and_is_there_where_it_belongs(
    tmp_path: Path, channel: str, text: str, private: str, value: str
) -> None:
    async with desk(tmp_path, echo, tools=box(), channel=channel, known=KNOWN) as bank:
        told = await bank.hears(text)
        assert private.rstrip(".") in told
        assert bank.tools.calls[0].arguments == {"value": value}
        await bank.hears("And then?")
        for secret in (private, value, "Mia", "mia", "Li", "mia.li@post.example"):
            assert not re.search(rf"(?<![A-Za-z]){re.escape(secret)}(?![A-Za-z])", sent(bank)), secret


async def test_what_tools_answer_does_not_leave_either(tmp_path: Path) -> None:
    record = {
        "name": {"first_name": "Noah", "last_name": "Brown"},
        "address": {"address1": "9 Elm Ave", "zip": "02139"},
        "phone_number": 6175550177,
        "flights": [{"number": "HAT045", "date": "2024-05-19", "price": 305}],
    }

    def script(messages: Messages) -> Sequence[Step]:
        back = results(messages)
        if not back:
            return [ToolCall("look_up", {"value": "x"})]
        found = back[-1]["record"]
        return [Text(f"You are {found['name']['first_name']}, with {found['flights'][0]['number']}.")]

    async with desk(tmp_path, script, tools=box(record), known=KNOWN) as bank:
        assert await bank.hears("Who am I?") == "You are Noah, with HAT045."
        assert await bank.hears("Noah, with Brown at the end?") == "You are Noah, with HAT045."
        for secret in ("Noah", "Brown", "Elm", "02139", "6175550177"):
            assert secret not in sent(bank)
        assert "HAT045" in sent(bank)
        assert "2024-05-19" in sent(bank)


async def test_a_word_that_the_model_makes_up_is_never_said(tmp_path: Path) -> None:
    async with desk(tmp_path, lambda _: [Text("I have sent it to [EMAIL_7]. Anything else?")], known=KNOWN) as bank:
        told = await bank.hears("Hello")
        assert "EMAIL" not in told
        assert told == "I'm sorry, I can't answer that right now. Could you say it once more?"


async def test_nor_is_it_given_to_a_tool(tmp_path: Path) -> None:
    def script(messages: Messages) -> Sequence[Step]:
        back = results(messages)
        return [Text(f"{back[-1]['message']}.")] if back else [ToolCall("look_up", {"value": "[EMAIL_7]"})]

    async with desk(tmp_path, script, tools=box(), known={"redactor": FINDER}) as bank:
        told = await bank.hears("Hello")
        assert "EMAIL_7" not in told
        assert not bank.tools.calls


async def test_a_customer_cannot_ask_for_what_a_word_stands_for(tmp_path: Path) -> None:
    """Somebody who writes such a word gets what they wrote, and nobody's address."""
    async with desk(tmp_path, echo, tools=box(), channel="chat", known=KNOWN) as bank:
        await bank.hears("Write to ann.lee@example.com.")
        assert await bank.hears("What is [EMAIL_1], and [NAME_1]?") == "What can I do?"


async def test_without_a_redactor_nothing_is_hidden(tmp_path: Path) -> None:
    async with desk(tmp_path, echo, tools=box()) as bank:
        await bank.hears("Write to ann.lee@example.com.")
        assert "ann.lee@example.com" in sent(bank)
        assert "stands for" not in sent(bank)


def test_one_thing_has_one_word_however_it_is_spelled() -> None:
    veil = Veil(FINDER)
    assert veil.hide("john.smith@example.com") == "[EMAIL_1]"
    assert veil.hide("john dot smith at example dot com, or amy@example.com") == "[EMAIL_1], or [EMAIL_2]"
    assert veil.show("[EMAIL_2], then [EMAIL_1]") == "amy@example.com, then john.smith@example.com"
    with pytest.raises(Unknown, match=r"\[EMAIL_3\]"):
        veil.show("[EMAIL_3]")


def test_nothing_is_put_back_in_another_conversation() -> None:
    Veil(FINDER).hide("john.smith@example.com")
    with pytest.raises(Unknown):
        Veil(FINDER).show("[EMAIL_1]")
