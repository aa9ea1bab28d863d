"""The journey over HTTP, behind the control server's token."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from office import Office

from ccaas.config.settings import Web
from ccaas.errors import JourneyError
from ccaas.journal import JournalError
from ccaas.journey.database import StoreDown
from ccaas.journey.identity import customer_of
from ccaas.ports.journey import Erased, Fact, FactKind, Identity, IdentityKind, Profile
from ccaas.testing.fakes.journey import FakeJourney
from ccaas.web.control import TOKEN_FILE, TOKEN_HEADER, ControlServer

PHONE = Identity(IdentityKind.PHONE, "+16145550109")


class Controlled:
    """A controller with a journey."""

    def __init__(self) -> None:
        self.supervisor = Office().supervisor
        self.journey = FakeJourney()
        self.fails: Exception | None = None

    async def customer_of(self, text: str) -> str:
        return await customer_of(self.journey, text, "US")

    @property
    def erasure(self) -> Controlled:
        return self

    async def erase(self, customer_id: str, why: str, by: str) -> Erased:
        if self.fails is not None:
            raise self.fails
        return await self.journey.forget(customer_id, why, by)

    async def erase_here(self, customer_id: str) -> int:
        return 7


class Client:
    def __init__(self, folder: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.controlled = Controlled()
        self.journey = self.controlled.journey
        self.server = ControlServer(Web(port=port), folder, self.controlled)
        self.url = f"http://127.0.0.1:{port}"
        self.token_file = folder / TOKEN_FILE

    async def ask(self, method: str, path: str, body: object = None, *, token: bool = True) -> tuple[int, str]:
        headers = {TOKEN_HEADER: self.token_file.read_text()} if token else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, json=body, headers=headers) as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    one = Client(tmp_path)
    await one.server.start()
    await one.journey.register(Profile("mia", "Mia"), [PHONE])
    await one.journey.append(Fact("f1", "mia", 1.0, FactKind.SAID, "sms", "hello", "customer"))
    await one.journey.append(Fact("f2", "mia", 2.0, FactKind.SAID, "sms", "again", "customer"))
    yield one
    await one.server.close()


ROUTES = [
    ("GET", "/journey/mia"),
    ("GET", "/journey/mia/export"),
    ("DELETE", "/journey/mia"),
    ("POST", "/journey/merge"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_token_is_needed(client: Client, method: str, path: str) -> None:
    status, text = await client.ask(method, path, token=False)
    assert status == 401
    assert "Mia" not in text
    assert await client.journey.context("mia") is not None


@pytest.mark.parametrize(
    "who", ["mia", "+16145550109", "%2B1%20614%20555%200109", "6145550109", "sip:+16145550109@pbx.example"]
)
async def test_a_customer_is_shown_however_they_are_named(client: Client, who: str) -> None:
    status, text = await client.ask("GET", f"/journey/{who}?limit=1")
    shown: dict[str, Any] = json.loads(text)
    assert status == 200
    assert shown["context"]["profile"]["first_name"] == "Mia"
    assert [fact["text"] for fact in shown["timeline"]] == ["again"]
    assert shown["threads"] == []


async def test_pages_go_back(client: Client) -> None:
    _, text = await client.ask("GET", "/journey/mia?before=2.0")
    assert [fact["id"] for fact in json.loads(text)["timeline"]] == ["f1"]
    status, text = await client.ask("GET", "/journey/mia?limit=many")
    assert (status, text) == (400, "limit is a whole number, before Unix seconds\n")


async def test_an_export_is_json_lines_and_audited(client: Client) -> None:
    status, text = await client.ask("GET", "/journey/mia/export?by=desk")
    lines = [json.loads(line) for line in text.splitlines()]
    assert status == 200
    assert [line["type"] for line in lines] == ["customer", "identity", "fact", "fact"]
    assert [(row["what"], row["by"]) for row in await client.journey.audit()] == [("export", "desk")]


async def test_an_erasure(client: Client) -> None:
    status, text = await client.ask("DELETE", "/journey/+16145550109?by=desk&why=letter%20of%20May")
    told = json.loads(text)
    assert (status, told["facts"], told["recordings"]) == (200, 2, 0)
    (row,) = await client.journey.audit()
    assert (row["customer"], row["why"], row["by"]) == (told["receipt"], "letter of May", "desk")
    assert (await client.ask("GET", "/journey/mia"))[0] == 404


async def test_an_erasure_of_this_machine_alone(client: Client) -> None:
    assert await client.ask("DELETE", "/journey/mia?here=1") == (200, '{"conversations": 7}')
    assert (await client.ask("GET", "/journey/mia"))[0] == 200


async def test_a_merge(client: Client) -> None:
    await client.journey.register(Profile("maria"))
    status, text = await client.ask("POST", "/journey/merge", {"kept": "+16145550109", "gone": "maria", "why": "x"})
    assert (status, json.loads(text)) == (200, {"customer": "mia"})
    assert (await client.journey.audit())[0]["by"] == "api"
    status, text = await client.ask("POST", "/journey/merge", {"kept": "mia", "gone": "maria"})
    assert status == 409
    assert "one customer already" in text


@pytest.mark.parametrize(
    "body", [None, {}, {"kept": "mia"}, {"kept": "mia", "gone": ""}, {"kept": "a", "gone": "b", "x": 1}]
)
async def test_a_merge_that_is_not_said_plainly(client: Client, body: object) -> None:
    assert (await client.ask("POST", "/journey/merge", body))[0] == 400


@pytest.mark.parametrize("path", ["/journey/+16145550000", "/journey/nobody", "/journey/nobody/export"])
async def test_nobody_is_404_with_the_reason(client: Client, path: str) -> None:
    status, text = await client.ask("GET", path)
    assert status == 404
    assert text.count("\n") == 1


async def test_a_store_that_is_down_is_503_with_its_sentence(client: Client) -> None:
    client.journey.fails = StoreDown("the store is down; start it")
    for method, path in ROUTES[:3]:
        assert await client.ask(method, path) == (503, "the store is down; start it\n")
    status, _ = await client.ask("POST", "/journey/merge", {"kept": "a", "gone": "b"})
    assert status == 503


async def test_an_erasure_that_fails_says_so(client: Client) -> None:
    client.controlled.fails = JournalError("the disk is full; free some space")
    assert await client.ask("DELETE", "/journey/mia") == (500, "the disk is full; free some space\n")
    client.controlled.fails = JourneyError("there is no customer mia")
    assert (await client.ask("DELETE", "/journey/mia"))[0] == 404
