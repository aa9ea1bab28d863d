"""A peer of tests/peers as a process that answers over HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from ccaas.testing.asterisk import free_port

PEERS = Path(__file__).parent / "peers"


@asynccontextmanager
async def peer(name: str, path: str) -> AsyncIterator[str]:
    """Run `peers/name` with a free port; its address, once it answers at `path`."""
    port = free_port()
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    child = await asyncio.create_subprocess_exec(sys.executable, str(PEERS / name), str(port), env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(url + path):
                        break
                except aiohttp.ClientConnectorError:
                    assert child.returncode is None, "the peer has ended"
                    await asyncio.sleep(0.05)
        yield url
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
