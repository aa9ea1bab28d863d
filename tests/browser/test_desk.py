"""The desk in a real browser: handoffs, calls, offers, wrap-up, lost connections, two windows, and who may not come in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio
from agents import Worker, worker
from desk_site import DeskServer, desk_served, until
from playwright.async_api import Browser, expect

from ccaas.ports.contact import AgentState, Drafted, Line, Proposal
from ccaas.ports.journey import Customer, JourneyContext, Profile
from ccaas.testing.fakes.contact import bundle_of

WAIVER = Proposal("p1", "Waive the change fee of $75", "The airline cancelled it.", "waive_fee", {}, "a1")


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[DeskServer]:
    async with desk_served(tmp_path, lost_s=2) as server:
        yield server


@pytest_asyncio.fixture
async def anna(browser: Browser, server: DeskServer) -> AsyncIterator[Worker]:
    anna = await worker(browser, server)
    await (await anna.sign_in()).connected()
    yield await anna.available()
    assert anna.alarms == []


async def test_a_handoff_from_the_bundle_to_the_wrap_up(anna: Worker, server: DeskServer) -> None:
    centre = server.centre
    context = JourneyContext(Profile("mia", "Mia", "Silva", "gold", 1_284_000))
    server.journey.happened(time.time() - 86_400, "My suitcase came with a broken wheel.")
    assert await centre.hand_over(
        "anna", bundle_of(context=context, only_you=(WAIVER,), slots={"reservation": "VAAOXJ"})
    )
    page = anna.page
    for bullet in ("Wants to change a flight.", "The agent looked for seats.", "No seat was booked."):
        await expect(page.locator("#recap").get_by_text(bullet)).to_be_visible()
    await expect(anna.part("Customer")).to_contain_text("Mia Silva")
    await expect(anna.part("Customer")).to_contain_text("$12,840")
    await expect(anna.part("Customer")).to_contain_text("VAAOXJ")
    await expect(anna.part("Timeline")).to_contain_text("My suitcase came with a broken wheel.")
    await expect(anna.part("Sentiment")).to_contain_text("upset")
    await expect(anna.log).to_contain_text("This is ridiculous.")
    await expect(
        page.get_by_role("alert").filter(has_text="Mia Silva is upset. Wants to change a flight.")
    ).to_be_attached()
    assert "☎ Mia Silva" in await page.title()

    centre.call("c1", "talking")
    centre.tell(Drafted("c1", "customer", "Thank you,"))
    drafts = page.locator(".drafts")
    await expect(drafts).to_have_text("Mia Silva Thank you, …")
    centre.say("c1", Line(time.time(), "customer", "Thank you, that is better.", "t9", -0.1, {"words": -0.1}))
    await expect(drafts).to_be_empty()
    await expect(anna.part("Call")).to_contain_text("Talking")
    await expect(anna.log).to_contain_text("Thank you, that is better.")
    await expect(anna.part("Sentiment")).to_contain_text("calm")
    await expect(anna.part("Sentiment")).to_contain_text("getting better")

    await anna.part("What you can do").get_by_role("button", name="Approve").click()
    await expect(anna.part("What you can do")).to_contain_text("Done")
    await expect(anna.log).to_contain_text("Done: Waive the change fee of $75")
    assert server.approvals.decisions == [("approve", "a1", "anna")]

    await page.get_by_role("button", name="Pass on").click()
    dialog = page.get_by_role("dialog", name="Pass the call on")
    await dialog.get_by_role("radio", name="senior").check()
    await dialog.get_by_role("button", name="Speak with them first").click()
    await page.get_by_role("button", name="All three").click()
    await expect(anna.part("Call")).to_contain_text("All three talk")

    centre.call("c1", "ended", "the customer has hung up")
    await page.get_by_label("Note for who speaks").fill("Waived the fee.")
    await page.reload()
    await anna.connected()
    await expect(page.get_by_label("Note for who speaks")).to_have_value("Waived the fee.")
    await expect(page.locator("#wrap-up")).to_contain_text(" left")
    await page.get_by_role("radio", name="solved", exact=True).check()
    await page.get_by_role("button", name="Finish").click()
    await expect(page.get_by_text("You are available", exact=True)).to_be_visible()
    asked = [(one.what, one.about, one.detail) for one in centre.asked if one.by == "anna" and one.what != "set state"]
    assert asked == [("consult", "c1", "senior"), ("join", "c1", "False"), ("wrap up", "c1", "solved: Waived the fee.")]
    deeds = [(deed.what, deed.about) for deed in server.site.book.deeds(login="anna")]
    assert deeds[:4] == [("wrap up", "c1"), ("join", "c1"), ("consult", "c1"), ("approve", "c1")]


async def test_what_cannot_be_done_is_said_where_it_was_asked(anna: Worker, server: DeskServer) -> None:
    await server.centre.hand_over("anna", bundle_of(only_you=(WAIVER,)))
    server.centre.call("c1", "talking")
    server.approvals.fails = "the fee was paid back already"
    await anna.page.get_by_role("button", name="Approve").click()
    await expect(anna.part("What you can do")).to_contain_text("Not done")
    await expect(anna.log).to_contain_text("the fee was paid back already")
    server.centre.refuses = "the call is over"
    await anna.page.get_by_role("button", name="To the AI").click()
    await expect(anna.part("Call").get_by_role("alert")).to_have_text("the call is over")


async def test_a_bundle_is_acknowledged_only_by_a_page_that_shows_it(anna: Worker, server: DeskServer) -> None:
    """A page that hangs keeps its socket open: nothing rings there."""
    centre = server.centre
    await anna.page.evaluate("globalThis.requestAnimationFrame = () => 0; globalThis.setTimeout = () => 0;")
    assert not await centre.hand_over("anna", bundle_of())
    await expect(anna.page.locator("body")).to_have_attribute("data-work", "none")
    assert centre.agents["anna"].state is AgentState.AWAY


async def test_a_restart_of_the_server_is_told_and_mended(anna: Worker, server: DeskServer) -> None:
    await server.stop()
    await expect(anna.page.locator("#lost")).to_contain_text("The connection is lost")
    await expect(anna.page.locator("#lost")).to_contain_text("the queues have signed you out")
    await server.restart()
    await anna.connected()
    await expect(anna.page.locator("#lost")).to_be_hidden()
    await expect(anna.page.locator("#available")).to_have_attribute("aria-pressed", "true")
    await until(lambda: server.centre.agents["anna"].state is AgentState.AVAILABLE, "available as before")
    assert await server.centre.hand_over("anna", bundle_of())


async def test_what_was_said_while_the_connection_was_lost_is_there_once(anna: Worker, server: DeskServer) -> None:
    await server.centre.hand_over("anna", bundle_of())
    server.centre.call("c1", "talking")
    for page in list(server.pages._pages):
        page.end(1012, "")
    await until(lambda: not server.pages._pages, "the page is cut off")
    server.centre.say("c1", Line(time.time(), "customer", "Are you there?"))
    await expect(anna.log).to_contain_text("Are you there?")
    assert (await anna.log.inner_text()).count("Are you there?") == 1
    assert ("sign out", "anna") not in [(one.what, one.about) for one in server.centre.asked]


async def test_a_desk_that_is_gone_is_signed_out(anna: Worker, server: DeskServer) -> None:
    await anna.page.goto("about:blank")
    await until(lambda: server.centre.agents["anna"].state is AgentState.OFFLINE, "signed out")
    anna.alarms.clear()


async def test_of_two_windows_the_newer_one_works(anna: Worker, server: DeskServer, browser: Browser) -> None:
    other = Worker(await anna.page.context.new_page(), server)
    await other.page.goto(f"{server.url}/desk")
    await other.connected()
    asleep = anna.page.get_by_role("dialog", name="Your desk is open in another window")
    await expect(asleep).to_be_visible()
    assert await server.centre.hand_over("anna", bundle_of())
    await expect(other.log).to_contain_text("This is ridiculous.")
    await asleep.get_by_role("button", name="Work here instead").click()
    await anna.connected()
    await expect(anna.log).to_contain_text("This is ridiculous.")
    await expect(other.page.get_by_role("dialog")).to_be_visible()
    assert server.centre.agents["anna"].state is AgentState.RINGING


async def test_what_customers_are_called_and_write_is_never_markup(anna: Worker, server: DeskServer) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    proposal = replace(WAIVER, title=evil, why=evil)
    customer = Customer("mia", evil, "\u202eevil", evil, {evil: evil})
    server.journey.happened(time.time(), evil)
    context = JourneyContext(Profile("mia", tier=evil), last_outcome=evil)
    bundle = bundle_of(customer=customer, context=context, only_you=(proposal,), slots={evil: evil}, queue=evil)
    await server.centre.hand_over("anna", bundle)
    server.centre.say("c1", Line(time.time(), "customer", evil))
    server.centre.call("c1", "talking", evil)
    await expect(anna.log.get_by_text(evil, exact=True).last).to_be_visible()
    await expect(anna.part("Timeline").get_by_text(evil)).to_be_attached()
    await expect(anna.part("What you can do").get_by_text(evil).first).to_be_visible()
    assert await anna.page.locator("img, main script").count() == 0


async def test_a_telephone_of_the_callers_page_has_no_address_worth_showing(anna: Worker, server: DeskServer) -> None:
    addressed = "address => import('/static/site/dom.js').then(site => site.addressed(address))"
    assert await anna.page.evaluate(addressed, "guest0123456789abcdef@localhost") == "A caller from our page"
    assert await anna.page.evaluate(addressed, "guest0123456789abcdef") == "A caller from our page"
    assert await anna.page.evaluate(addressed, "+15550101") == "+15550101"


async def test_who_is_no_agent_is_told(browser: Browser, server: DeskServer) -> None:
    root = await worker(browser, server)
    await (await root.sign_in("root")).connected()
    await expect(root.page.locator("#problem")).to_contain_text("there is no agent root")


async def test_a_wrong_password_and_a_wrong_role(browser: Browser, server: DeskServer) -> None:
    anna = await worker(browser, server)
    await anna.sign_in(password="wrong password")
    await expect(anna.page.get_by_role("alert")).to_have_text("The login or the password is wrong.")
    await expect(anna.page.get_by_label("Login")).to_have_value("anna")
    await anna.sign_in(path="/board")
    await expect(anna.page.get_by_text("this is for the role supervisor")).to_be_visible()


async def test_who_signs_out_is_out_at_once_and_everywhere(anna: Worker, server: DeskServer) -> None:
    row = server.site.book.find("anna")
    assert row is not None
    elsewhere = await server.site.sessions.begin(row, "elsewhere")
    await anna.page.locator("#account summary").click()
    await anna.page.get_by_role("button", name="Sign out everywhere").click()
    await anna.page.wait_for_url("**/sign-in*")
    await until(lambda: server.centre.agents["anna"].state is AgentState.OFFLINE, "signed out at the queues")
    assert await server.site.sessions.of(elsewhere) is None


async def test_a_page_whose_session_ends_leads_to_the_sign_in(anna: Worker, server: DeskServer) -> None:
    await server.site.sessions.end_all("anna")
    await anna.page.wait_for_url("**/sign-in*")


async def test_a_stranger_gets_no_socket(server: DeskServer) -> None:
    import aiohttp

    async with aiohttp.ClientSession() as http:
        for origin in (server.url, "https://evil.example"):
            answer = await http.get(f"{server.url}/desk/socket", headers={"Origin": origin})
            assert answer.status == 401
        row = server.site.book.find("anna")
        assert row is not None
        cookie = {"Cookie": f"ccaas={await server.site.sessions.begin(row, '')}"}
        refused = await http.get(f"{server.url}/desk/socket", headers={"Origin": "https://evil.example", **cookie})
        assert refused.status == 403
        refused = await http.get(f"{server.url}/board/socket", headers={"Origin": server.url, **cookie})
        assert refused.status == 403
        for hello in ('{"type":"hello","csrf":"forged"}', "{}", '{"type":"state","id":1,"state":"available"}'):
            socket = await http.ws_connect(f"{server.url}/desk/socket", headers={"Origin": server.url, **cookie})
            await socket.send_str(hello)
            await socket.receive()
            assert socket.close_code == 4403
    assert server.centre.desktops == {}
