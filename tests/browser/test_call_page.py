"""Anybody calls from the page /call: a real browser speaks to the real agent over the real Asterisk."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from axe_playwright_python.async_playwright import Axe
from callers import CHANGE, CHANGES, EXAMPLE, SPEECH, listening, wanted_words
from playwright.async_api import Browser, Page, async_playwright, expect

from ccaas.ports.media import Pcm
from ccaas.testing.chromium import find
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = Path(__file__).parents[2] / ".cache/chromium"
RATE = 16_000
SPOKEN_AFTER_S = 11.0
"""Where the sentence stands in the microphone's file: after the agent's greeting."""

EARS = """
const Peer = window.RTCPeerConnection;
window.heard = [];
window.RTCPeerConnection = class extends Peer {
  constructor(...given) {
    super(...given);
    this.addEventListener("track", ({ streams }) => {
      const recorder = new MediaRecorder(streams[0]);
      recorder.addEventListener("dataavailable", ({ data }) => window.heard.push(data));
      recorder.start(200);
    });
  }
};
"""
"""Keeps what the page hears."""

TELL = """
async () => {
  const context = new OfflineAudioContext(1, 1, 16000);
  const audio = await context.decodeAudioData(await new Blob(window.heard).arrayBuffer());
  const samples = Int16Array.from(audio.getChannelData(0), (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
  let text = "";
  const bytes = new Uint8Array(samples.buffer);
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
"""


QUIET = """
() => {
  const quiet = document.querySelector("#theirs").style.transform < "scaleX(0.1)";
  window.quietSince = quiet ? window.quietSince ?? Date.now() : undefined;
  return quiet && Date.now() - window.quietSince > 1200;
}
"""
"""The agent has finished."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    patient = {**CHANGES, "conversation": {"silence_s": 15.0}}
    async with Installation(tmp_path_factory.mktemp("site"), EXAMPLE, patient) as running:
        yield running


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    found = find(CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program, env=dict(found.environment), args=[*found.flags, *flags]
        )
        try:
            yield browser
        finally:
            await browser.close()


def microphone(file: Path, sentence: Path) -> Path:
    """What is spoken into the microphone: nothing, the sentence, and nothing for long."""
    speech, rate = soundfile.read(sentence, dtype="int16")
    around = [np.zeros(int(rate * seconds), np.int16) for seconds in (SPOKEN_AFTER_S, 60.0)]
    soundfile.write(file, np.concatenate((around[0], speech, around[1])), rate, subtype="PCM_16")
    return file


async def heard(page: Page) -> Pcm:
    return np.frombuffer(base64.b64decode(await page.evaluate(TELL)), dtype=np.int16)


@asynccontextmanager
async def opened(browser: Browser, site: Installation, **context: Any) -> AsyncIterator[Page]:
    """The page, in a profile of its own; nothing may go wrong in it unseen."""
    alarms: list[str] = []
    page = await (await browser.new_context(**context)).new_page()
    page.on("pageerror", lambda error: alarms.append(str(error)))
    page.on("console", lambda message: alarms.append(message.text) if message.type == "error" else None)
    await page.add_init_script(EARS)
    await page.goto(f"http://127.0.0.1:{site.desk_port}/call")
    yield page
    await page.context.close()
    assert alarms == []


async def until_keys(site: Installation, keys: str) -> None:
    """The controller has journalled that the newest call's caller pressed them."""
    call_id = calls(site)[-1]["call_id"]
    async with asyncio.timeout(10):
        while True:
            rows = site.rows("SELECT event FROM transitions WHERE call_id = ? ORDER BY seq", call_id)
            events = [json.loads(row["event"]) for row in rows]
            if "".join(event.get("digit", "") for event in events) == keys:
                return
            await asyncio.sleep(0.1)


def calls(site: Installation) -> list[dict[str, Any]]:
    """The journal's rows, in order."""
    return site.rows("SELECT * FROM calls ORDER BY began")


async def test_a_browser_and_the_agent_understand_each_other(site: Installation, tmp_path: Path) -> None:
    before = len(calls(site))
    spoken = microphone(tmp_path / "microphone.wav", SPEECH / CHANGE)
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    async with (
        chromium(*flags, f"--use-file-for-fake-audio-capture={spoken}%noloop") as browser,
        opened(browser, site) as page,
    ):
        status = page.get_by_role("status").first
        await page.get_by_role("button", name="Call now").focus()
        await page.keyboard.press("Enter")
        await expect(status).to_have_text("You are connected. Just speak.", timeout=15_000)
        await expect(page.locator("#said li.mine")).to_contain_text("Boston to Seattle", timeout=30_000)
        said = page.get_by_role("log").get_by_role("listitem")
        await expect(said).to_have_count(3, timeout=15_000)  # the greeting, the wish, the answer
        answer = await said.last.text_content()
        # Its audio follows; what was heard of it is told when it is over.
        await page.wait_for_function("() => document.querySelector('#theirs').style.transform > 'scaleX(0.3)'")
        await page.wait_for_function(QUIET)
        pcm = await heard(page)
        await page.get_by_role("button", name="Mute").click()
        await expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
        await page.get_by_role("button", name="Keypad").click()
        await page.get_by_role("button", name="five").click()
        await until_keys(site, "5")
        await page.get_by_role("button", name="Hang up").click()
        await expect(status).to_have_text("The call has ended.")
        await expect(page.get_by_role("alert")).to_be_hidden()
    async with listening(site) as listener:
        words = wanted_words(await listener.words(pcm, RATE))
    assert "how can i help" in words
    assert answer is not None and wanted_words(answer) in words
    (call,) = calls(site)[before:]
    assert (call["dnis"], call["end_reason"]) == ("call", "hung_up")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_without_a_microphone_the_page_says_what_to_do(site: Installation, scheme: str) -> None:
    before = len(calls(site))
    small = {"viewport": {"width": 360, "height": 640}, "color_scheme": scheme}
    async with chromium() as browser, opened(browser, site, **small) as page:
        await page.get_by_role("button", name="Call now").click()
        await expect(page.get_by_role("alert")).to_contain_text("Connect one, and call again")
        await expect(page.get_by_role("status").first).to_have_text("No call was made.")
        await expect(page.get_by_role("button", name="Call now")).to_be_enabled()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found = await Axe().run(page)
        assert [violation["id"] for violation in found.response["violations"]] == []
    assert len(calls(site)) == before
