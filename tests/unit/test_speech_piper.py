"""The voice process, with a small stand-in for the voice."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from ccaas_piper import frames
from ccaas_piper.frames import Kind
from ccaas_piper.process import VoiceProcess
from ccaas_piper.settings import PiperSettings
from ccaas_piper.synthesizer import PiperSynthesizer

from ccaas.errors import SetupError, SpeechError
from ccaas.ports.site import Site

STAND_IN = """
import json, os, sys
sys.path.insert(0, {plugins!r})
from ccaas_piper import frames
from ccaas_piper.frames import Kind
out = sys.stdout.buffer
def send(kind, request, body=b""):
    out.write(frames.pack(kind, request, body)); out.flush()
if "broken" in sys.argv:
    send(Kind.BROKEN, 0, b"the file is empty"); sys.exit(1)
if "silent" in sys.argv:
    sys.exit(3)
send(Kind.READY, 0, json.dumps(dict(sample_rate=16000, language="en-GB")).encode())
while (frame := frames.read(sys.stdin.buffer)) is not None:
    kind, request, body = frame
    if kind is Kind.CANCEL or body == b"hang":
        continue
    if body == b"die":
        send(Kind.AUDIO, request, b"\\1\\0"); os._exit(9)
    if body == b"fail":
        send(Kind.FAILED, request, b"no such sound"); continue
    for letter in body:
        send(Kind.AUDIO, request, bytes([letter, 0]))
    send(Kind.DONE, request)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m ccaas_piper.worker …` runs the stand-in."""
    script = tmp_path / "worker.py"
    script.write_text(STAND_IN.format(plugins=str(Path(frames.__file__).parents[1])))
    launch = asyncio.create_subprocess_exec

    async def instead(program: str, *arguments: str, **options: object) -> asyncio.subprocess.Process:
        assert arguments[:2] == ("-m", "ccaas_piper.worker")
        return await launch(program, str(script), *arguments[2:], **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", instead)


@pytest_asyncio.fixture
async def process(stand_in: None) -> AsyncIterator[VoiceProcess]:
    voice = VoiceProcess([], "test")
    loaded = await voice.start()
    assert (loaded.sample_rate, loaded.language) == (16_000, "en-GB")
    yield voice
    await voice.close()


async def said(process: VoiceProcess, text: str) -> bytes:
    return b"".join([piece async for piece in process.say(text)])


async def test_pieces_come_in_order(process: VoiceProcess) -> None:
    assert await said(process, "abc") == b"a\0b\0c\0"
    assert process.load == 0


async def test_texts_do_not_mix(process: VoiceProcess) -> None:
    one, other = await asyncio.gather(said(process, "xx"), said(process, "y"))
    assert (one, other) == (b"x\0x\0", b"y\0")


async def test_a_text_that_fails_fails_alone(process: VoiceProcess) -> None:
    with pytest.raises(SpeechError, match="no such sound"):
        await said(process, "fail")
    assert await said(process, "a") == b"a\0"


async def test_a_death_fails_what_is_in_flight_and_the_process_comes_back(process: VoiceProcess) -> None:
    before = process.pid
    hanging = asyncio.create_task(said(process, "hang"))
    await asyncio.sleep(0)
    with pytest.raises(SpeechError, match="died while it spoke"):
        await said(process, "die")
    with pytest.raises(SpeechError, match="died while it spoke"):
        await hanging
    await process.until_ready()
    assert process.pid != before
    assert await said(process, "a") == b"a\0"


async def test_a_kill_while_idle_is_noticed(process: VoiceProcess) -> None:
    before = process.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    while process.pid == before or not process.ready:
        await asyncio.sleep(0.01)
    assert await said(process, "a") == b"a\0"


async def test_an_abandoned_text_is_cancelled(process: VoiceProcess) -> None:
    pieces = process.say("abc")
    assert await anext(pieces) == b"a\0"
    await pieces.aclose()
    assert process.load == 0
    assert await said(process, "b") == b"b\0"


@pytest.mark.usefixtures("stand_in")
async def test_a_voice_that_cannot_be_loaded_says_why() -> None:
    with pytest.raises(SetupError, match="voice test cannot be loaded: the file is empty"):
        await VoiceProcess(["broken"], "test").start()


@pytest.mark.usefixtures("stand_in")
async def test_a_process_that_ends_at_once_is_a_setup_error() -> None:
    with pytest.raises(SetupError, match="ended or hung while it loaded"):
        await VoiceProcess(["silent"], "test").start()


async def test_a_missing_voice_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path, tmp_path, tmp_path / "models", tmp_path)
    with pytest.raises(SetupError, match=r"models/piper-joe/joe\.onnx; run `make setup`"):
        await PiperSynthesizer(PiperSettings(), site).start()


def test_frames_survive_the_pipe() -> None:
    stream = io.BytesIO(frames.pack(Kind.SAY, 7, b"text") + frames.pack(Kind.CANCEL, 8))
    assert frames.read(stream) == (Kind.SAY, 7, b"text")
    assert frames.read(stream) == (Kind.CANCEL, 8, b"")
    assert frames.read(stream) is None


@pytest.mark.parametrize("header", [frames.HEADER.pack(99, 1, 0), frames.HEADER.pack(1, 1, 1 << 30)])
def test_what_is_no_frame_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError):
        frames.unpack_header(header)


def test_the_core_never_imports_piper() -> None:
    program = "import ccaas_piper.plugin, sys; sys.exit('piper' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
