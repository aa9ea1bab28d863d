"""Written conversations at the desk's page: offered, taken, read and answered by keyboard; what fails; a lost connection."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from agents import Worker, worker
from desk_site import DeskServer, desk_served, until
from playwright.async_api import Browser, expect

from ccaas.ports.contact import AgentState, Bundle, Closed, Line, Proposal, Sent, Typing
from ccaas.testing.fakes.contact import bundle_of

WAIVER = Proposal("p1", "Waive the change fee of $75", "The airline cancelled it.", "waive_fee", {}, "a1")


def text(number: int, name: str = "Mia Silva", channel: str = "chat", **fields: object) -> Bundle:
    return bundle_of(name, handoff_id=f"h{number}", conversation_id=f"c{number}", channel=channel, **fields)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DeskServer]:
    async with desk_served(tmp_path, lost_s=4, silent_s=3) as server:
        yield server


@pytest_asyncio.fixture
async def anna(browser: Browser, server: DeskServer) -> AsyncIterator[Worker]:
    anna = await worker(browser, server)
    await (await anna.sign_in()).connected()
    yield await anna.available()
    assert anna.alarms == []


async def takes(anna: Worker, server: DeskServer, bundle: Bundle) -> None:
    """It is offered to her, and she takes it."""
    assert await server.centre.offer_text("anna", bundle)
    await anna.page.get_by_role("button", name="Take it").first.click()
    await expect(anna.part("This conversation")).to_contain_text("You write with them")


def asked(server: DeskServer, what: str) -> list[tuple[str, str]]:
    return [(one.about, one.detail) for one in server.centre.asked if one.what == what]


async def test_by_keyboard_from_the_offer_to_the_end(anna: Worker, server: DeskServer) -> None:
    centre, page = server.centre, anna.page
    assert await centre.offer_text("anna", text(1, only_you=(WAIVER,)))
    await expect(page.get_by_role("alert").filter(has_text="Mia Silva is upset, by Chat.")).to_be_attached()
    await expect(anna.part("My conversations")).to_contain_text("Wants to change a flight.")
    for bullet in ("Wants to change a flight.", "The agent looked for seats.", "No seat was booked."):
        await expect(page.locator("#recap").get_by_text(bullet)).to_be_visible()
    await expect(page.get_by_label("Write to Mia Silva by chat")).to_have_count(0)
    await page.keyboard.press("a")
    box = page.get_by_label("Write to Mia Silva by chat")
    await expect(box).to_be_focused()
    assert asked(server, "accept") == [("c1", "")]
    centre.say("c1", Line(time.time(), "customer", "Hello <b>there</b>?", "r1"))
    await expect(anna.log).to_contain_text("Hello <b>there</b>?")
    await page.keyboard.type("Yes, I am")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("Anna.")
    await page.keyboard.press("Enter")
    await until(lambda: asked(server, "write") == [("c1", "Yes, I am\nAnna.")], "it is written")
    await expect(box).to_have_value("")
    await expect(anna.log.locator(".sent")).to_have_text("Sent")
    assert asked(server, "typing")[0] == ("c1", "True")
    centre.tell(Typing("c1", True))
    await expect(page.get_by_text("Mia Silva is writing…")).to_be_visible()
    await anna.part("What you can do").get_by_role("button", name="Approve").click()
    await expect(anna.log).to_contain_text("Done: Waive the change fee of $75")
    await page.locator("#talk").focus()
    await page.keyboard.press("x")
    dialog = page.get_by_role("dialog", name="What did it come to?")
    await dialog.get_by_role("radio", name="solved", exact=True).press("Space")
    await dialog.get_by_label("Note for who writes").fill("Moved to Friday.")
    await page.keyboard.press("Control+Enter")
    await until(lambda: asked(server, "wrap up") == [("c1", "solved: Moved to Friday.")], "it is finished")
    await expect(anna.part("My conversations")).to_be_hidden()
    await expect(page.get_by_text("You are available", exact=True)).to_be_visible()


async def test_several_at_once_with_what_is_unread_and_drafts_of_their_own(anna: Worker, server: DeskServer) -> None:
    centre, page = server.centre, anna.page
    await takes(anna, server, text(1))
    await page.get_by_label("Write to Mia").fill("For Mia")
    await takes(anna, server, text(2, "Noah Muller", "email"))
    mine = anna.part("My conversations")
    centre.say("c1", Line(time.time(), "customer", "Are you still there?", "r1"))
    centre.say("c1", Line(time.time(), "customer", "Hello?", "r2"))
    await expect(mine).to_contain_text("My conversations, 2 unread")
    await expect(page.get_by_role("status").filter(has_text="Mia Silva has written.")).to_be_attached()
    assert "(2) " in await page.title()
    await expect(anna.log).not_to_contain_text("Hello?")
    await page.get_by_label("Write to Noah Muller by email").fill("For Noah")
    await page.locator("#talk").focus()
    await page.keyboard.press("1")
    await expect(anna.log).to_contain_text("Hello?")
    await expect(mine).not_to_contain_text("unread")
    await expect(page.get_by_label("Write to Mia Silva by chat")).to_have_value("For Mia")
    await page.reload()
    await anna.connected()
    await mine.get_by_role("button", name="Noah Muller").click()
    await expect(page.get_by_label("Write to Noah Muller by email")).to_have_value("For Noah")
    await page.keyboard.press("Enter")
    await until(lambda: asked(server, "write") == [("c2", "For Noah")], "to Noah and to nobody else")


async def test_what_cannot_be_sent_is_shown_and_can_be_sent_again(anna: Worker, server: DeskServer) -> None:
    centre, page = server.centre, anna.page
    await takes(anna, server, text(1, channel="sms"))
    box = page.get_by_label("Write to Mia Silva by sms")
    await box.fill("   ")
    await box.press("Enter")
    await expect(page.locator("#composer").get_by_role("alert")).to_have_text(
        "There is nothing in it; write something."
    )
    centre.refuses = "it has 4001 characters, and at most 4000 go at once; make it shorter"
    await box.fill("Too long.")
    await box.press("Enter")
    await expect(page.locator("#composer").get_by_role("alert")).to_contain_text("4001 characters")
    await expect(box).to_have_value("Too long.")
    centre.refuses = ""
    await box.press("Enter")
    await until(lambda: asked(server, "write"), "it is written")
    name = f"m{len(centre.asked)}"
    centre.tell(Sent("c1", name, "failed", "no such number"))
    await expect(anna.log).to_contain_text("Not sent: no such number")
    await expect(page.get_by_role("alert").filter(has_text="no such number")).to_be_attached()
    await anna.log.get_by_role("button", name="Send again").click()
    await until(lambda: asked(server, "again") == [("c1", name)], "it is sent again")
    await expect(anna.log).to_contain_text("Sent once more, below")
    centre.tell(Closed("c1", "They wrote STOP: nothing may be sent to them here until they write START."))
    await expect(box).to_have_count(0)
    await expect(page.locator("#composer")).to_contain_text("They wrote STOP")
    centre.tell(Closed("c1", ""))
    await expect(box).to_be_visible()


async def test_passed_on_and_given_back_to_the_ai(anna: Worker, server: DeskServer) -> None:
    page = anna.page
    await takes(anna, server, text(1))
    await page.get_by_role("button", name="Pass on").click()
    dialog = page.get_by_role("dialog", name="Pass the conversation on")
    await expect(dialog.get_by_role("button", name="Speak with them first")).to_have_count(0)
    await dialog.get_by_role("radio", name="senior").check()
    await dialog.get_by_role("button", name="Send there").click()
    await until(lambda: asked(server, "transfer") == [("c1", "senior")], "passed on")
    await expect(anna.part("My conversations")).to_be_hidden()
    await takes(anna, server, text(2))
    await page.locator("#talk").focus()
    await page.keyboard.press("b")
    await until(lambda: asked(server, "transfer")[-1] == ("c2", "butler"), "back to the AI")


async def test_what_is_not_wanted_goes_to_somebody_else(anna: Worker, server: DeskServer) -> None:
    assert await server.centre.offer_text("anna", text(1))
    await anna.part("My conversations").get_by_role("button", name="Not now").click()
    await expect(anna.part("My conversations")).to_be_hidden()
    assert server.centre.agents["anna"].state is AgentState.AWAY


async def test_a_lost_connection_comes_back_with_what_was_missed(anna: Worker, server: DeskServer) -> None:
    centre, page = server.centre, anna.page
    await takes(anna, server, text(1))
    await page.get_by_label("Write to Mia").fill("I am still")
    for other in tuple(server.pages._pages):
        other.end(1012, "test")
    await page.context.set_offline(True)
    await expect(page.locator("#link")).not_to_have_text("Connected")
    await page.get_by_label("Write to Mia").press("Enter")
    await expect(page.locator("#composer").get_by_role("alert")).to_contain_text("no connection")
    centre.say("c1", Line(time.time(), "customer", "Did you get this?", "r1"))
    await page.context.set_offline(False)
    await anna.connected()
    await expect(anna.log).to_contain_text("Did you get this?")
    await expect(page.get_by_label("Write to Mia")).to_have_value("I am still")


async def test_a_page_that_stays_away_gives_its_texts_back(anna: Worker, server: DeskServer) -> None:
    await takes(anna, server, text(1))
    await anna.page.goto("about:blank")
    await until(lambda: asked(server, "sign out"), "signed out")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_telephone_has_room_for_it(browser: Browser, server: DeskServer, scheme: str) -> None:
    one = await worker(browser, server, viewport={"width": 360, "height": 640}, color_scheme=scheme, has_touch=True)
    await (await one.sign_in()).connected()
    await one.available()
    await takes(one, server, text(1))
    box = one.page.get_by_label("Write to Mia")
    await box.fill("From a telephone.")
    await one.page.get_by_role("button", name="Send").click()
    await expect(one.log).to_contain_text("From a telephone.")
    width = await one.page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= 360, "nothing sticks out"
    sizes = await one.page.evaluate(
        "[...document.querySelectorAll('#composer button, #call-body button')].map((one) => one.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 36
    assert one.alarms == []
