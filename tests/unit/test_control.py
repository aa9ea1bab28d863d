"""The control server: open health and metrics, everything else behind the token."""

from __future__ import annotations

import io
import json
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from office import Office

from ccaas.config.settings import Web
from ccaas.errors import AsteriskError, CcaasError
from ccaas.outreach.permits import ContactRefused
from ccaas.telephony.supervisor import Supervisor
from ccaas.web.control import TOKEN_FILE, TOKEN_HEADER, ControlServer


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Controlled:
    """A controller that is only asked."""

    def __init__(self) -> None:
        self.office = Office()
        self.supervisor: Supervisor = self.office.supervisor
        self.drained = 0
        self.originated: list[tuple[str, str, str, str]] = []
        self.refuses: Exception | None = None

    async def originate(self, endpoint: str, entry: str, caller_id: str, purpose: str) -> str:
        if self.refuses is not None:
            raise self.refuses
        self.originated.append((endpoint, entry, caller_id, purpose))
        return "20260301120000deadbeef"

    def drain(self) -> None:
        self.drained += 1


class Asking:
    """A client of one control server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Web(port=free_port())
        self.controlled = Controlled()
        self.server = ControlServer(self.settings, folder, self.controlled)

    @property
    def token(self) -> str:
        return (self.folder / TOKEN_FILE).read_text()

    async def ask(
        self, method: str, path: str, body: bytes | io.BytesIO | None = None, token: str | None = None
    ) -> tuple[int, str]:
        headers = {} if token is None else {TOKEN_HEADER: token}
        url = f"http://127.0.0.1:{self.settings.port}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.text()


@pytest_asyncio.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Asking]:
    one = Asking(tmp_path)
    await one.server.start()
    yield one
    await one.server.close()
    await one.server.close()


PROTECTED = [("GET", "/calls"), ("POST", "/calls"), ("POST", "/drain"), ("GET", "/"), ("GET", "/anything")]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize("token", [None, "", "wrong"])
async def test_a_token_is_needed(asking: Asking, method: str, path: str, token: str | None) -> None:
    status, text = await asking.ask(method, path, b"{}", token)
    assert status == 401
    assert text == f"{TOKEN_HEADER} is missing or wrong; it is in {TOKEN_FILE}\n"
    assert asking.token not in text
    assert (asking.controlled.drained, asking.controlled.originated) == (0, [])


async def test_the_token_is_its_owners_alone_and_new_each_time(asking: Asking, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / TOKEN_FILE).stat().st_mode) == 0o600
    first = asking.token
    assert len(first) >= 40
    await asking.server.close()
    again = ControlServer(asking.settings, tmp_path, asking.controlled)
    await again.start()
    assert asking.token != first
    assert (await asking.ask("GET", "/calls", token=first))[0] == 401
    await again.close()


async def test_health_is_open_and_says_whether_asterisk_is_there(asking: Asking) -> None:
    status, text = await asking.ask("GET", "/health")
    assert (status, json.loads(text)["asterisk"], json.loads(text)["calls"]) == (503, "lost", 0)
    asking.controlled.supervisor.connected = True
    status, text = await asking.ask("GET", "/health")
    assert (status, json.loads(text)["asterisk"]) == (200, "connected")


async def test_metrics_are_open(asking: Asking) -> None:
    status, text = await asking.ask("GET", "/metrics")
    assert status == 200
    assert "# TYPE python_info gauge" in text


async def test_calls_are_listed(asking: Asking) -> None:
    async with asking.controlled.office as office:
        caller, clerk = await office.call()
        status, text = await asking.ask("GET", "/calls", token=asking.token)
        assert status == 200
        row = {"id": clerk.call_id, "state": "talking", "ani": "+15550111", "dnis": "1000"}
        assert json.loads(text) == {"calls": [row]}
        caller.hang_up()


async def test_a_call_is_originated(asking: Asking) -> None:
    body = json.dumps({"endpoint": "PJSIP/6001@trunk", "entry": "front", "caller_id": "+15550100"}).encode()
    status, text = await asking.ask("POST", "/calls", body, asking.token)
    assert (status, json.loads(text)) == (202, {"id": "20260301120000deadbeef"})
    assert asking.controlled.originated == [("PJSIP/6001@trunk", "front", "+15550100", "service")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"PJSIP/6001"',
        b"\xff\xfe",
        b"{}",
        b'{"endpoint": "PJSIP/6001"}',
        b'{"endpoint": 6001, "entry": "front"}',
        b'{"endpoint": "6001", "entry": "front"}',
        b'{"endpoint": "PJSIP/6001,tT", "entry": "front"}',
        b'{"endpoint": "PJSIP/6001 x", "entry": "front"}',
        b'{"endpoint": "PJSIP/6001\\n", "entry": "front"}',
        b'{"endpoint": "PJSIP/6001&PJSIP/6002", "entry": "front"}',
        b'{"endpoint": "PJSIP/6001", "entry": "front", "extra": 1}',
        b'{"endpoint": "PJSIP/6001", "entry": "front", "purpose": "fun"}',
    ],
)
async def test_a_body_that_makes_no_sense_is_refused(asking: Asking, body: bytes) -> None:
    status, text = await asking.ask("POST", "/calls", body, asking.token)
    assert status == 400
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1
    assert asking.controlled.originated == []


@pytest.mark.parametrize(
    "error", [AsteriskError("there is no endpoint 6001; add a phone"), CcaasError("there is no entry x")]
)
async def test_what_cannot_be_done_is_said(asking: Asking, error: CcaasError) -> None:
    asking.controlled.refuses = error
    body = b'{"endpoint": "PJSIP/6001", "entry": "front"}'
    assert await asking.ask("POST", "/calls", body, asking.token) == (502, f"{error}\n")


async def test_what_the_gate_refuses_is_forbidden(asking: Asking) -> None:
    asking.controlled.refuses = ContactRefused("stopped", "they said that they want no more")
    body = b'{"endpoint": "PJSIP/+16175550142@trunk", "entry": "front", "purpose": "marketing"}'
    status, text = await asking.ask("POST", "/calls", body, asking.token)
    assert status == 403
    assert "stopped" in text


async def test_a_body_too_large_is_refused(asking: Asking) -> None:
    status, _ = await asking.ask("POST", "/calls", io.BytesIO(b"x" * 2_000_000), asking.token)
    assert status == 413


async def test_draining_is_accepted(asking: Asking) -> None:
    status, text = await asking.ask("POST", "/drain", token=asking.token)
    answer: dict[str, Any] = json.loads(text)
    assert (status, answer, asking.controlled.drained) == (202, {"calls": 0}, 1)
    assert (await asking.ask("GET", "/drain", token=asking.token))[0] == 405


async def test_a_port_in_use_is_one_sentence(asking: Asking, tmp_path: Path) -> None:
    token = asking.token
    other = ControlServer(asking.settings, tmp_path, asking.controlled)
    with pytest.raises(CcaasError, match=f"web.port: 127.0.0.1:{asking.settings.port} cannot be used") as raised:
        await other.start()
    assert "another port" in str(raised.value)
    assert asking.token == token, "the one that listens keeps its token"
