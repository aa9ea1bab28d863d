"""A customer writes by chat, SMS and e-mail to a whole installation, and a person at a real desk takes over on that channel."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml
from aiosmtpd.controller import Controller
from customers import Customer
from playwright.async_api import Browser, Page, async_playwright, expect
from pysasl.hashing import BuiltinHash

from ccaas.ports.accounts import Role
from ccaas.testing.asterisk import free_port
from ccaas.testing.chromium import find
from ccaas.testing.installation import Installation
from ccaas.web.accounts.book import AccountBook

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/airline/ccaas.yaml"
PASSWORD = "a long enough one"
SOON_MS = 60_000
WISH = "I want to talk to a person."


@dataclass
class Post:
    """The SMTP server that takes our mail."""

    got: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = BytesParser(policy=policy.default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.got.append(mail)
        return "250 taken"


@dataclass
class World:
    """The installation, and what stands at the other ends of its channels."""

    site: Installation
    gateway: aiohttp.ClientSession
    post: Post
    maildir: Path

    async def sms(self, text: str) -> None:
        said = {"from": "+16145550109", "to": "+15550100", "text": text}
        async with self.gateway.post("/far/write", json=said) as answer:
            assert (await answer.json())["status"] == 204

    async def sms_got(self) -> list[str]:
        async with self.gateway.get("/far/got") as answer:
            return list(await answer.json())

    async def sms_mode(self, mode: str) -> None:
        async with self.gateway.post("/far/mode", json={"mode": mode}):
            pass

    def mail(self, text: str, reference: str = "") -> str:
        """Write an e-mail; its Message-ID."""
        mail = EmailMessage()
        mail["From"] = "Sofia Kim <sofia@example.org>"
        mail["To"] = "help@acorn.example"
        mail["Subject"] = "My flight"
        mail["Message-ID"] = name = f"<{uuid.uuid4().hex}@example.org>"
        if reference:
            mail["In-Reply-To"] = reference
        mail.set_content(text)
        file = uuid.uuid4().hex
        (self.maildir / "tmp" / file).write_bytes(mail.as_bytes())
        (self.maildir / "tmp" / file).rename(self.maildir / "new" / file)
        return name


async def until(true: Callable[[], Awaitable[object]], what: str) -> None:
    try:
        async with asyncio.timeout(30):
            while not await true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within 30 s: {what}") from None


@asynccontextmanager
async def process(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    running = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield running
    finally:
        running.terminate()
        await running.wait()


def changes(gateway: int, imap: int, smtp: int) -> dict[str, Any]:
    sms = {
        "use": "sms_http",
        "entry": "airline",
        "numbers": ["+15550100"],
        "send": {
            "url": f"http://127.0.0.1:{gateway}/messages",
            "headers": {"Authorization": "Bearer {secret}"},
            "json": {"message": {"to": "{address}", "from": "{sender}", "text": "{text}"}},
            "secret": {"file": "gateway.key"},
            "its_id": "message.id",
        },
        "signature": {
            "header": "X-Signature",
            "prefix": "sha256=",
            "over": "{timestamp}.{body}",
            "timestamp_header": "X-Stamp",
            "secret": {"file": "callback.key"},
        },
        "message": {"id": "message.id", "address": "message.from", "to": "message.to", "text": "message.text"},
        "receipt": {"id": "message.id", "status": "state"},
    }
    email = {
        "use": "email",
        "entry": "airline",
        "address": "help@acorn.example",
        "name": "Acorn Air",
        "imap": {
            "host": "127.0.0.1",
            "port": imap,
            "security": "none",
            "user": "help",
            "password_file": "mail.key",
        },
        "smtp": {"host": "127.0.0.1", "port": smtp, "security": "none"},
        "poll_s": 0.2,
    }
    return {
        "plugins": [*yaml.safe_load(EXAMPLE.read_text())["plugins"], "sms_http", "email"],
        "channels": {"web": {"use": "webchat", "entry": "airline"}, "sms": sms, "mail": email},
        "agents": {
            "anna": {"name": "Anna", "skills": {"general": 5}},
            "sam": {"name": "Sam", "skills": {"general": 3}},
        },
        "queues": {
            "agents": {"skills": {"general": 1}, "strategy": "skills-first"},
            "senior": {"skills": {"general": 1}},
        },
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "gateway.key").write_text("key-1\n")
    (folder / "callback.key").write_text("shared\n")
    (folder / "mail.key").write_text("secret\n")
    post_office = folder / "post"
    maildir = post_office / "mail"
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    (post_office / "pymap-etc-passwd").write_text(f"help:x::::{maildir.name}:\n")
    (post_office / "pymap-etc-shadow").write_text(f"help:{BuiltinHash().hash('secret')}:::::::\n")
    imap = free_port()
    post = Post()
    smtp = Controller(post, hostname="127.0.0.1", port=free_port())
    smtp.start()
    pymap = str(Path(sys.executable).with_name("pymap"))
    gateway_file = str(ROOT / "tests/peers/sms_gateway.py")
    async with (
        process(
            pymap, "--host", "127.0.0.1", "--port", str(imap), "--no-tls", "--no-service", "admin", "--no-service",
            "managesieve", "maildir", str(post_office),
        ),
        process(sys.executable, gateway_file, "http://127.0.0.1:9/", "shared") as gateway,
    ):  # fmt: skip
        assert gateway.stdout is not None
        port = int(await gateway.stdout.readline())
        async with (
            Installation(folder, EXAMPLE, changes(port, imap, smtp.port)) as site,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as far,
        ):
            callback = f"http://127.0.0.1:{site.public_port}/channels/sms/callback"
            async with far.post("/far/callback", json={"url": callback}):
                pass
            book = AccountBook(site.state)
            for login in ("anna", "sam"):
                book.add(login, Role.AGENT, PASSWORD)
            book.add("boss", Role.SUPERVISOR, PASSWORD)
            book.close()
            yield World(site, far, post, maildir)
    smtp.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    found = find(ROOT / ".cache/chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program, env=dict(found.environment), args=list(found.flags)
        )
        yield browser
        await browser.close()


async def signed_in(browser: Browser, world: World, login: str, path: str = "/desk") -> Page:
    page = await (await browser.new_context()).new_page()
    await page.goto(f"http://127.0.0.1:{world.site.desk_port}{path}")
    await page.get_by_label("Login").fill(login)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#link")).to_have_text("Connected")
    return page


async def at_the_desk(browser: Browser, world: World, login: str) -> Page:
    page = await signed_in(browser, world, login)
    await page.get_by_role("button", name="Available").click()
    await expect(page.locator("#available")).to_have_attribute("aria-pressed", "true")
    return page


async def takes(page: Page) -> None:
    await page.get_by_role("button", name="Take it").first.click(timeout=SOON_MS)
    await expect(page.get_by_role("region", name="This conversation")).to_contain_text("You write with them")


async def replies(page: Page, text: str) -> None:
    box = page.locator("#reply")
    await box.fill(text)
    await box.press("Enter")
    await expect(box).to_have_value("")


async def finishes(page: Page) -> None:
    await page.get_by_role("button", name="Finish").click()
    dialog = page.get_by_role("dialog", name="What did it come to?")
    await dialog.get_by_role("radio", name="solved", exact=True).check()
    await dialog.get_by_role("button", name="Finish").click()
    await expect(page.get_by_role("region", name="My conversations")).to_be_hidden()


async def test_a_chat_from_the_ai_to_a_person_and_back(world: World, chromium: Browser) -> None:
    desk = await at_the_desk(chromium, world, "anna")
    board = await signed_in(chromium, world, "boss", "/board")
    page = await (await chromium.new_context()).new_page()
    ann = await Customer(page, f"http://127.0.0.1:{world.site.public_port}/channels/web").go()
    answers = page.locator("ccaas-chat [role=log] .agent .text")
    await ann.open()
    await expect(answers).to_have_count(1, timeout=SOON_MS)
    await ann.write("How many bags can I take?")
    await expect(answers).to_have_count(2, timeout=SOON_MS)
    await ann.write(WISH)
    await expect(answers.last).to_contain_text("A colleague of mine will take over here.", timeout=SOON_MS)
    await takes(desk)
    for words in ("How many bags can I take?", WISH, "A colleague of mine will take over here."):
        await expect(desk.get_by_role("log")).to_contain_text(words)
    await expect(board.locator("#figures")).to_contain_text("Texts in hand")
    await expect(board.locator("#calls-body")).to_contain_text("anna")
    await ann.box.press_sequentially("Are you")
    await expect(desk.locator(".writing")).to_contain_text("is writing…")
    await ann.write("Are you a person?")
    await expect(desk.get_by_role("log")).to_contain_text("Are you a person?")
    before = await answers.count()
    await desk.locator("#reply").press_sequentially("I am")
    await expect(page.get_by_role("status").filter(has_text="is typing…")).to_have_count(1)
    await replies(desk, "I am.\nAnna <Acorn>")
    await expect(answers.last).to_have_text("I am.\nAnna <Acorn>")
    assert await answers.count() == before + 1, "the AI says nothing"
    await desk.get_by_role("button", name="To the AI").click()
    await expect(answers.last).to_have_text("I'm back. How else can I help you?", timeout=SOON_MS)
    await ann.write("I'd like to change my flight.")
    await expect(answers).to_have_count(before + 3, timeout=SOON_MS)
    assert ann.alarms == []


async def test_an_sms_that_the_gateway_refuses_is_shown_and_sent_again_and_stop_is_obeyed(
    world: World, chromium: Browser
) -> None:
    desk = await at_the_desk(chromium, world, "anna")
    await world.sms(WISH)
    await takes(desk)
    await world.sms_mode("no such number")
    await replies(desk, "Good morning, this is Anna.")
    log = desk.get_by_role("log")
    await expect(log).to_contain_text("Not sent:", timeout=SOON_MS)
    await world.sms_mode("well")
    await log.get_by_role("button", name="Send again").click()

    async def arrived() -> bool:
        return (await world.sms_got()).count("Good morning, this is Anna.") == 1

    await until(arrived, "the SMS arrives once")
    await expect(log).to_contain_text("Delivered")
    await world.sms("STOP")
    await expect(desk.locator("#composer")).to_contain_text("They wrote STOP", timeout=SOON_MS)
    await expect(desk.locator("#reply")).to_have_count(0)
    await world.sms("START")
    await expect(desk.locator("#reply")).to_be_visible(timeout=SOON_MS)
    await finishes(desk)


async def test_an_email_stays_in_its_thread_and_outlives_browser_and_controller(
    world: World, chromium: Browser
) -> None:
    desk = await at_the_desk(chromium, world, "anna")
    first = world.mail(WISH)
    await takes(desk)
    await replies(desk, "Dear Sofia, I am looking into it.")

    async def mailed() -> bool:
        return bool(world.post.got) and world.post.got[-1].get_content().startswith("Dear Sofia")

    await until(mailed, "the mail goes out")
    assert first in world.post.got[-1]["In-Reply-To"]
    assert world.post.got[-1]["To"].endswith("sofia@example.org") or "sofia@example.org" in world.post.got[-1]["To"]
    await desk.context.close()
    sam = await at_the_desk(chromium, world, "sam")
    await takes(sam)
    await expect(sam.get_by_role("log")).to_contain_text("Dear Sofia, I am looking into it.")
    killed = await world.site.kill_controller()
    await expect(sam.locator("#link")).not_to_have_text("Connected")
    second = world.mail("Thank you. It is about Friday.", world.post.got[-1]["Message-ID"])
    await world.site.ready(not_pid=killed)
    await expect(sam.locator("#link")).to_have_text("Connected", timeout=SOON_MS)
    await takes(sam)
    for words in (WISH, "Dear Sofia, I am looking into it.", "Thank you. It is about Friday."):
        await expect(sam.get_by_role("log")).to_contain_text(words, timeout=SOON_MS)
    await replies(sam, "Friday it is.")

    async def again() -> bool:
        return world.post.got[-1].get_content().startswith("Friday it is.")

    await until(again, "the second mail goes out")
    assert second in world.post.got[-1]["In-Reply-To"]
    await finishes(sam)
    rows = world.site.rows("SELECT end_reason FROM conversations WHERE channel = 'mail'")
    assert [row["end_reason"] for row in rows] == ["person"]
