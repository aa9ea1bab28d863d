"""Who the customer at the widget is, and what cannot harm them."""

from __future__ import annotations

import pytest
from ccaas_webchat.tokens import make_token
from customers import HELLO, Customer, customer, heard
from playwright.async_api import Browser, expect
from webchat_site import KEY, Server


async def test_a_signed_token_makes_the_customer_known(browser: Browser, server: Server) -> None:
    ann = await (await customer(browser, server)).go("/host", token=make_token(KEY, "gold-17"), entry="vip")
    await ann.open()
    await ann.write("It is me.")
    await heard(server, 1)
    assert (server.inbox.messages[0].customer_id, server.inbox.messages[0].to) == ("gold-17", "vip")


async def test_a_bad_token_is_said_so_until_there_is_a_good_one(browser: Browser, server: Server) -> None:
    ann = await (await customer(browser, server)).go("/host", token=make_token(KEY, "gold-17", lasts_s=-60))
    await ann.open()
    await expect(ann.notice).to_contain_text("You have been signed out of this chat.")
    await expect(ann.box).to_be_disabled()
    await ann.page.evaluate("token => ccaasChat.token(token)", make_token(KEY, "gold-17"))
    await expect(ann.notice).to_be_hidden()
    await ann.write("Here again.")
    await ann.sees(HELLO, "Here again.")
    assert server.inbox.messages[0].customer_id == "gold-17"


async def test_who_comes_next_sees_nothing_and_says_nothing_for_the_other(browser: Browser, server: Server) -> None:
    ann = await (await customer(browser, server)).go("/host", token=make_token(KEY, "ann"))
    await ann.open()
    await ann.write("my secret")
    await ann.sees(HELLO, "my secret")
    await server.stop()
    await ann.write("another secret")
    await expect(ann.page.locator("ccaas-chat .pending .message")).to_have_count(1)
    await ann.page.evaluate("token => ccaasChat.token(token)", make_token(KEY, "bob"))
    await server.start()
    await ann.sees(HELLO)
    await ann.write("I am Bob.")
    await ann.sees(HELLO, "I am Bob.")
    assert [(message.customer_id, message.text) for message in server.inbox.messages] == [
        ("ann", "my secret"),
        ("bob", "I am Bob."),
    ]


MARKUP = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "{{constructor.constructor('alert(1)')()}}",
    "<style>*{display:none}</style>",
    "</div></dialog><iframe src='https://evil.test'></iframe>",
    "&lt;b&gt; &amp; %3Cscript%3E \\u003cb\\u003e",
    "<a href='https://evil.test' onclick=alert(1)>x</a>",
)


@pytest.mark.parametrize("path", ["/channels/web/demo", "/host"])
async def test_markup_is_text_on_both_sides(browser: Browser, server: Server, path: str) -> None:
    ann = await (await customer(browser, server)).go(path)
    await ann.open()
    for text in MARKUP:
        await ann.write(text)
        await expect(ann.page.locator("ccaas-chat [role=log] .customer .text").last).to_have_text(text)
        await server.answer(text)
        await expect(ann.page.locator("ccaas-chat [role=log] .agent .text").last).to_have_text(text)
    both = [text for text in MARKUP for _ in range(2)]
    await ann.page.reload()
    await ann.open()
    await expect(ann.page.locator("ccaas-chat [role=log] .text")).to_have_text([HELLO, *both])
    for tag in ("img", "script", "iframe", "style", "b"):
        await expect(ann.page.locator(f"ccaas-chat dialog {tag}")).to_have_count(0)
    links = await ann.page.locator("ccaas-chat dialog a").all()
    assert {await link.get_attribute("href") for link in links} == {"https://evil.test/"}
    assert {await link.get_attribute("onclick") for link in links} == {None}
    assert ann.alarms == []


async def test_only_web_addresses_become_links(ann: Customer, server: Server) -> None:
    await ann.open()
    await ann.write("hello")
    await heard(server, 1)
    await server.answer(
        "See https://example.com/a?b=1&c=2. Or (http://example.com/x_(y)), not https://bank.example@evil.test/, "
        "ftp://example.com, javascript:alert(1)//https://, data:text/html,x or https://."
    )
    links = ann.page.locator("ccaas-chat .agent a")
    await expect(links).to_have_count(2)
    hrefs = [await link.get_attribute("href") for link in await links.all()]
    assert hrefs == ["https://example.com/a?b=1&c=2", "http://example.com/x_(y)"]
    for link in await links.all():
        assert "noopener" in (await link.get_attribute("rel") or "")
        assert await link.get_attribute("target") == "_blank"


async def test_hostile_attributes_of_the_tag_are_text_too(browser: Browser, server: Server) -> None:
    bad = "<img src=x onerror=alert(1)>"
    ann = await customer(browser, server)
    await ann.go("/host", title=bad, greeting=bad, color="red;background:url(https://evil.test)", theme="x'y", side=bad)
    await ann.open()
    await expect(ann.page.get_by_role("heading", name=bad)).to_be_visible()
    await expect(ann.page.locator("ccaas-chat img")).to_have_count(0)
    assert ann.alarms == []


async def test_a_hostile_store_in_the_browser_is_no_obstacle(ann: Customer, server: Server) -> None:
    key = await ann.page.evaluate("'ccaas-chat:' + location.host + '/channels/web/socket'")
    for kept in (
        "{",
        "[]",
        "7",
        "null",
        '{"session": {}, "outbox": 7}',
        '{"read": {}, "resume": 1, "outbox": [null, 7]}',
    ):
        await ann.page.evaluate("([key, kept]) => localStorage.setItem(key, kept)", [key, kept])
        await ann.page.reload()
        await ann.open()
        await ann.write(f"with {len(kept)}")
        await expect(ann.page.locator("ccaas-chat [role=log] .customer .text")).to_have_text([f"with {len(kept)}"])


async def test_a_page_without_storage_can_chat(browser: Browser, server: Server) -> None:
    ann = await customer(browser, server)
    await ann.page.add_init_script(
        "Object.defineProperty(globalThis, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    await ann.go()
    await ann.open()
    await ann.write("one")
    await ann.sees(HELLO, "one")
    await server.stop()
    await server.start()
    await ann.write("two")
    await ann.sees(HELLO, "one", "two")
    assert ann.alarms == []


async def test_the_host_pages_style_does_not_reach_the_widget(browser: Browser, server: Server) -> None:
    ann = await (await customer(browser, server)).go("/host")
    await ann.open()
    await ann.write("hello")
    await expect(ann.page.get_by_role("button", name="Send")).to_be_visible()
    text = ann.page.locator("ccaas-chat .customer .text")
    assert await text.evaluate("node => getComputedStyle(node).fontSize") == "16px"
    assert await text.evaluate("node => getComputedStyle(node).color") == "rgb(255, 255, 255)"


async def test_the_host_page_hears_no_keys_of_the_chat(browser: Browser, server: Server) -> None:
    ann = await (await customer(browser, server)).go("/host")
    await ann.page.evaluate("() => { globalThis.heard = []; addEventListener('keydown', e => heard.push(e.key)); }")
    await ann.open()
    await ann.box.press_sequentially("abc")
    assert await ann.page.evaluate("heard") == []
