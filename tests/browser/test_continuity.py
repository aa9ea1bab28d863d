"""One customer, three channels, one thread: a chat yesterday, a restart, a call today, and a text that confirms what was done."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from callers import BORN, ISABELLA, YES, ask, listening, until, wanted_words
from ccaas_webchat.tokens import make_token
from customers import Customer
from playwright.async_api import Browser, expect

from ccaas.ports.reasoning import NOT_KEPT
from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/airline/ccaas.yaml"
WHO = "isabella_anderson_8228"
SECRET = "a web site's own secret of 32 bytes or more"
WORDS = "Can I upgrade my flight to business?"
SOON_MS = 60_000


@asynccontextmanager
async def gateway(callback: str) -> AsyncIterator[aiohttp.ClientSession]:
    """The SMS gateway's far side."""
    command = (sys.executable, str(ROOT / "tests/peers/sms_gateway.py"), callback, "shared")
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    port = int(await process.stdout.readline())
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as far:
            yield far
    finally:
        process.stdin.close()
        await process.wait()


def channels(folder: Path, gateway_port: int) -> dict[str, Any]:
    """The web chat with tokens, and SMS through the gateway."""
    (folder / "site.key").write_text(f"{SECRET}\n")
    (folder / "gateway.key").write_text("key-1\n")
    (folder / "callback.key").write_text("shared\n")
    sms = {
        "use": "sms_http",
        "entry": "airline",
        "numbers": ["+15550100"],
        "send": {
            "url": f"http://127.0.0.1:{gateway_port}/messages",
            "headers": {"Authorization": "Bearer {secret}"},
            "json": {"message": {"to": "{address}", "text": "{text}"}},
            "secret": {"file": str(folder / "gateway.key")},
            "its_id": "message.id",
        },
        "signature": {
            "header": "X-Signature",
            "prefix": "sha256=",
            "over": "{timestamp}.{body}",
            "timestamp_header": "X-Stamp",
            "secret": {"file": str(folder / "callback.key")},
        },
        "message": {"id": "message.id", "address": "message.from", "to": "message.to", "text": "message.text"},
        "receipt": {"id": "message.id", "status": "state"},
    }
    return {
        "plugins": [*yaml.safe_load(EXAMPLE.read_text())["plugins"], "sms_http"],
        "channels": {
            "web": {"use": "webchat", "entry": "airline", "secret_file": str(folder / "site.key")},
            "sms": sms,
        },
    }


async def test_a_chat_goes_on_by_phone_and_is_confirmed_by_text(browser: Browser, tmp_path: Path) -> None:
    async with gateway("") as far:
        port = int(str(far._base_url.port))
        async with Installation(tmp_path, EXAMPLE, channels(tmp_path, port)) as site:
            await far.post("/far/callback", json={"url": f"http://127.0.0.1:{site.public_port}/channels/sms/callback"})
            await chatted_about_an_upgrade(browser, site)
            killed = await site.kill_controller()
            await site.ready(not_pid=killed)
            async with listening(site) as listener, SipCaller("127.0.0.1", site.sip_port) as ua:
                call = await ua.dial("1000", from_number=ISABELLA)
                first = await call.hear(await call.answered())
                checked = await ask(call, YES)
                offered = await ask(call, BORN)
                done = await ask(call, YES, quiet_s=1.5)
                await call.hang_up()
                stereo = call.stereo()
                assert "the upgrade" in wanted_words(await listener.heard(stereo, first.start - 0.3, first.end + 0.3))
                assert "birth" in wanted_words(await listener.heard(stereo, checked.start - 0.3, checked.end + 0.3))
                assert "upgrade" in wanted_words(await listener.heard(stereo, offered.start - 0.3, offered.end + 0.3))
                said = wanted_words(await listener.heard(stereo, done.start - 0.3))
                assert "business" in said
                assert "text" in said
            sent = await until(lambda: texts(far), "the text arrives")
            assert sent == ["Your flight to Charlotte on Wednesday, May 22 is in business now. Acorn Air"]
            await until(lambda: kinds(site) >= {("said", "chat"), ("said", "voice"), ("done", "voice"), ("said", "sms")}, "the timeline")  # fmt: skip
            assert threads(site) == [("upgrade", "closed")]
            assert cabins(site) == {"business"}
            assert answers_to_checks(site) == {NOT_KEPT}
            assert holding(site, WORDS, ISABELLA) != []
            await site.ask("DELETE", f"/journey/{WHO}")
            assert holding(site, WORDS, ISABELLA) == []


async def chatted_about_an_upgrade(browser: Browser, site: Installation) -> None:
    """A customer who is signed in at the web site asks for an upgrade, and wants to think about it."""
    page = await (await browser.new_context()).new_page()
    isabella = Customer(page, f"http://127.0.0.1:{site.public_port}/channels/web")
    await isabella.go()
    await page.evaluate("token => ccaasChat.token(token)", make_token(SECRET.encode(), WHO))
    answers = page.locator("ccaas-chat [role=log] .agent .text")
    await isabella.open()
    await isabella.write(WORDS)
    await expect(answers.last).to_contain_text("Shall I upgrade it?", timeout=SOON_MS)
    await isabella.write("Not now, I'll call back later.")
    await expect(answers.last).to_contain_text("keep it for you", timeout=SOON_MS)
    await page.close()


async def texts(far: aiohttp.ClientSession) -> list[str]:
    async with far.get("/far/got") as answer:
        got: list[str] = await answer.json()
    return got


def kinds(site: Installation) -> set[tuple[str, str]]:
    """What is on the timeline, and in which channel."""
    rows = site.rows("SELECT kind, channel FROM facts WHERE customer_id = ?", WHO, file="journey.sqlite")
    return {(row["kind"], row["channel"]) for row in rows}


def answers_to_checks(site: Installation) -> set[str]:
    """What is kept of them."""
    rows = site.rows(
        "SELECT json_extract(record, '$.caller_text') AS text FROM turns WHERE json_extract(record, '$.private')"
    )
    return {row["text"] for row in rows}


def holding(site: Installation, *words: str) -> list[str]:
    """Files that have one of the words in any of their bytes; the system of record's and Asterisk's own aside."""
    ours = [path for path in sorted(site.state.rglob("*")) if path.is_file() and "asterisk" not in path.parts]
    return [
        path.name
        for path in ours
        if not path.name.startswith("airline.db") and any(word.encode() in path.read_bytes() for word in words)
    ]


def threads(site: Installation) -> list[tuple[str, str]]:
    """What she has wanted, and whether it is done."""
    rows = site.rows("SELECT body, state FROM threads WHERE customer_id = ?", WHO, file="journey.sqlite")
    return [(json.loads(row["body"])["goal"], row["state"]) for row in rows]


def cabins(site: Installation) -> set[str]:
    """Of the booking that was upgraded, in the airline's own database."""
    rows = site.rows("SELECT cabin FROM reservations WHERE reservation_id = '4CRC2E'", file="airline.db")
    return {row["cabin"] for row in rows}
