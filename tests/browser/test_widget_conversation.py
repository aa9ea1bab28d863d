"""What is said in the web chat's widget stays said: over reloads, lost networks, restarts and other tabs."""

from __future__ import annotations

from pathlib import Path

from customers import HELLO, Customer, customer, heard
from playwright.async_api import Browser, expect
from webchat_site import Server, served, until


async def test_a_conversation(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.sees(HELLO)
    await ann.write("I need another flight.")
    assert await heard(server, 1) == ["I need another flight."]
    await expect(ann.page.locator("ccaas-chat .tick.sent")).to_have_count(1)
    await server.channel.typing(server.inbox.messages[0].address, True)
    await expect(ann.page.locator("ccaas-chat .dots")).to_be_visible()
    await expect(ann.page.get_by_role("status").filter(has_text="Agent is typing…")).to_have_count(1)
    await expect(ann.page.locator("ccaas-chat .tick.read")).to_have_count(1)
    await server.answer("Which one?")
    await ann.sees(HELLO, "I need another flight.", "Which one?")
    await expect(ann.page.locator("ccaas-chat .dots")).to_be_hidden()
    await until(lambda: server.inbox.receipts, "the answer is told to be delivered")
    await ann.box.press_sequentially("The", delay=1)
    await until(lambda: any(server.inbox.writing.values()), "it is told that the customer writes")


async def test_nobody_is_connected_who_only_reads_the_page(ann: Customer, server: Server) -> None:
    assert server.channel._socket is not None
    assert server.channel._socket._places.taken == 0
    await ann.open()
    await ann.sees(HELLO)
    assert server.channel._socket._places.taken == 1


async def test_a_reload_keeps_the_conversation(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("one", "two")
    await ann.sees(HELLO, "one", "two")
    await ann.page.reload()
    await ann.open()
    await ann.sees(HELLO, "one", "two")
    await server.answer("three")
    await ann.sees(HELLO, "one", "two", "three")
    assert len({message.address for message in server.inbox.messages}) == 1
    assert len(server.inbox.openings) == 1


async def test_a_server_that_starts_again_keeps_the_conversation(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    await server.stop()
    await expect(ann.notice).to_contain_text("Connection lost. Trying again in")
    await ann.write("two", "three")
    await expect(ann.page.locator("ccaas-chat .pending .tick.sending")).to_have_count(2)
    await server.start()
    await ann.sees(HELLO, "one", "two", "three")
    await expect(ann.notice).to_be_hidden()
    assert await heard(server, 3) == ["one", "two", "three"]
    await server.answer("All three are here.")
    await ann.sees(HELLO, "one", "two", "three", "All three are here.")


async def test_what_was_written_offline_survives_a_reload_and_arrives_once(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    server.go_dark()
    await expect(ann.notice).to_contain_text("Connection lost. Trying again in")
    await ann.write("two")
    await ann.page.reload()
    await ann.open()
    await expect(ann.page.locator("ccaas-chat .pending .text")).to_have_text(["two"])
    server.dark = False
    await ann.sees(HELLO, "one", "two")
    await ann.write("three")
    assert await heard(server, 3) == ["one", "two", "three"]


async def test_what_arrived_but_was_not_acknowledged_is_said_once(ann: Customer, server: Server) -> None:
    """The connection is lost after the server took the message and before the page heard of it."""
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    room = server.channel._rooms._rooms[server.inbox.messages[0].address]
    tab = room.tabs[0]
    tab.push = lambda frame: tab.cut() if '"two"' in frame else None  # type: ignore[method-assign]
    await ann.write("two", "three")
    await ann.sees(HELLO, "one", "two", "three")
    assert await heard(server, 3) == ["one", "two", "three"]


async def test_a_browser_without_network_says_so_and_comes_back_at_once(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    await ann.page.context.set_offline(True)
    await server.stop()
    await expect(ann.notice).to_contain_text("You are offline")
    await ann.write("two")
    await server.start()
    await ann.page.context.set_offline(False)
    await ann.sees(HELLO, "one", "two")
    assert await heard(server, 2) == ["one", "two"]


async def test_two_tabs_show_one_conversation(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("from the first tab")
    await ann.sees(HELLO, "from the first tab")
    second = Customer(await ann.page.context.new_page(), server.url)
    await second.go()
    await second.open()
    await second.write("from the second tab")
    for tab in (ann, second):
        await tab.sees(HELLO, "from the first tab", "from the second tab")


async def test_an_answer_that_comes_while_the_panel_is_closed_is_counted(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    await ann.page.keyboard.press("Escape")
    await server.answer("two")
    await server.answer("three")
    await expect(ann.launcher).to_have_accessible_name("Open chat, 2 unread")
    await ann.page.reload()
    await expect(ann.launcher).to_have_accessible_name("Open chat, 2 unread")
    await ann.open()
    await ann.sees(HELLO, "one", "two", "three")
    await ann.page.keyboard.press("Escape")
    await expect(ann.launcher).to_have_accessible_name("Open chat")
    await ann.page.reload()
    await expect(ann.launcher).to_have_accessible_name("Open chat")


async def test_earlier_messages_are_shown_on_request(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path, history=4, messages_per_minute=1_000) as server:
        ann = await (await customer(browser, server)).go()
        await ann.open()
        said = [f"message {number}" for number in range(1, 8)]
        await ann.write(*said)
        await ann.sees(*said)
        await ann.page.reload()
        await ann.open()
        await ann.sees(*said[-4:])
        await ann.page.get_by_role("button", name="Show earlier messages").click()
        await ann.sees(*said)
        await expect(ann.page.get_by_role("button", name="Show earlier messages")).to_be_hidden()
        assert ann.alarms == []


async def test_too_much_at_once_goes_out_a_little_later(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path, messages_per_minute=60) as server:
        ann = await (await customer(browser, server)).go()
        await ann.open()
        said = [f"message {number}" for number in range(24)]
        await ann.write(*said)
        await ann.sees(*said)
        assert await heard(server, 24) == said
        await expect(ann.notice).to_be_hidden()


async def test_what_the_flood_limit_dropped_says_so_and_can_be_sent_again(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    server.inbox.flooded = True
    await ann.write("two")
    dropped = ann.page.locator("ccaas-chat .pending .failed")
    await expect(dropped).to_contain_text("Not sent: you wrote very much at once.")
    await expect(dropped.locator(".tick")).to_have_count(0)
    await expect(
        ann.page.get_by_role("status").filter(has_text="Not sent: you wrote very much at once.")
    ).to_have_count(1)
    server.inbox.flooded = False
    await ann.write("three")
    await expect(ann.page.locator("ccaas-chat [role=log] .text")).to_have_text([HELLO, "one", "three"])
    await ann.page.reload()
    await ann.open()
    await expect(dropped.locator(".text")).to_have_text("two")
    await dropped.get_by_role("button", name="Send again").click()
    await ann.sees(HELLO, "one", "three", "two")
    assert await heard(server, 3) == ["one", "three", "two"]
    server.inbox.flooded = True
    await ann.write("four")
    await dropped.get_by_role("button", name="Remove").click()
    await ann.sees(HELLO, "one", "three", "two")


async def test_a_message_that_is_too_long_cannot_be_sent(browser: Browser, tmp_path: Path) -> None:
    async with served(tmp_path, longest=50) as server:
        ann = await (await customer(browser, server)).go()
        await ann.open()
        await expect(ann.notice).to_be_hidden()
        await ann.box.fill("x" * 60)
        await expect(ann.page.get_by_text("10 characters too many")).to_be_visible()
        await expect(ann.page.get_by_role("button", name="Send")).to_be_disabled()
        await ann.box.press("Enter")
        await ann.box.fill("x" * 50)
        await expect(ann.page.get_by_text("0 characters left")).to_be_visible()
        await ann.box.press("Enter")
        await ann.sees("x" * 50)
