"""One real Asterisk for all tests here. Without one they fail, and say what to do: a skipped test proves nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import aiohttp
import pytest

from ccaas.testing.asterisk import RunningAsterisk

PHONES = ("6001", "6002")


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAsterisk]:
    """Asterisk with phones 6001 and 6002 and the test extensions, kept alive on a thread of its own."""
    started: Future[RunningAsterisk] = Future()
    over = threading.Event()

    async def live() -> None:
        try:
            async with RunningAsterisk(tmp_path_factory.mktemp("asterisk"), phones=PHONES) as running:
                started.set_result(running)
                await asyncio.to_thread(over.wait)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="asterisk")
    thread.start()
    try:
        yield started.result()
    finally:
        over.set()
        thread.join()


@pytest.fixture
async def rest(asterisk: RunningAsterisk) -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP session on ARI, for tests that look from outside; paths start with "/ari"."""
    async with aiohttp.ClientSession(asterisk.access.url, headers=asterisk.access.headers) as session:
        yield session


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A run folder for a test that starts an Asterisk of its own."""
    return tmp_path / "asterisk"


@pytest.fixture
def until() -> Callable[..., object]:
    """`await until(condition)`: look every 20 ms, for at most 20 s, until the (a)synchronous condition holds."""
    return _until


async def _until(condition: Callable[[], object], limit_s: float = 20.0) -> object:
    async with asyncio.timeout(limit_s):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)
