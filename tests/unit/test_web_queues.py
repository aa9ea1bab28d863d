"""`ccaas agents`, `ccaas queues` and `ccaas reload`: over HTTP with the token, and as tables."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from queueing import AGENTS, QUEUES, Books
from rich.console import Console
from test_control import Controlled, free_port
from typer.testing import CliRunner

from ccaas.cli import app
from ccaas.commands.people import agents_table, queues_table
from ccaas.config.configuration import load
from ccaas.config.settings import Web
from ccaas.contact.centre import Centre
from ccaas.contact.rules import Caller, Rules
from ccaas.contact.settings import HandoffSettings
from ccaas.errors import ConfigError
from ccaas.web.control import TOKEN_FILE, TOKEN_HEADER, ControlServer


class WithQueues(Controlled):
    """A controller that has queues."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.books.rules = Rules(AGENTS, QUEUES, HandoffSettings(), {}, "UTC")
        self.centre = Centre(self.books.rules, self.books, time.time)


class Client:
    """With the token."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.controlled = WithQueues()
        self.server = ControlServer(Web(port=self.port), folder, self.controlled)
        self.session = aiohttp.ClientSession()

    async def ask(self, method: str, path: str, body: object = None, *, token: str = "") -> tuple[int, str]:
        token = token or (self.folder / TOKEN_FILE).read_text()
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, json=body, headers={TOKEN_HEADER: token}) as answer:
            return answer.status, await answer.text()

    async def board(self) -> dict[str, object]:
        async with self.session.get(
            f"http://127.0.0.1:{self.port}/board", headers={TOKEN_HEADER: (self.folder / TOKEN_FILE).read_text()}
        ) as answer:
            found: dict[str, object] = await answer.json()
            return found


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    one = Client(tmp_path)
    await one.server.start()
    yield one
    await one.session.close()
    await one.server.close()


def shown(table: object) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


async def test_agents_and_queues_as_tables(client: Client) -> None:
    status, told = await client.ask("POST", "/agents/bob", {"state": "away", "reason": "lunch"})
    assert (status, "lunch" in told) == (200, True)
    assert client.controlled.books.audited == [("command line", "set state", "bob", "away lunch")]

    async def none() -> object:
        raise AssertionError("nobody rings")

    caller = Caller("call", "Isabella Anderson", "", "+15550111", "front", "en-US", none)  # type: ignore[arg-type]
    client.controlled.centre.enqueue(caller, "phone", "wish", 0.5)
    board = await client.board()
    agents, queues = shown(agents_table(board)), shown(queues_table(board))
    assert [line.split()[:3] for line in agents.splitlines()[1:]] == [
        ["ann", "Ann", "offline"],
        ["sue", "Sue", "offline"],
        ["bob", "Bob", "away"],
    ]
    assert "lunch" in agents
    phone = next(line.split() for line in queues.splitlines() if line.startswith("phone"))
    assert phone[:4] == ["phone", "yes", "1", "0"]
    assert "not known" in queues
    assert "Isabella Anderson" in queues


async def test_what_cannot_be_done_is_one_sentence_and_needs_the_token(client: Client) -> None:
    assert (await client.ask("GET", "/board", token="wrong"))[0] == 401
    status, told = await client.ask("POST", "/agents/bo", {"state": "away"})
    assert (status, told) == (409, 'there is no agent bo; did you mean "bob"?\n')
    assert (await client.ask("POST", "/agents/bob", {"state": "ringing"}))[0] == 400


async def test_reload_tells_what_has_changed(client: Client) -> None:
    assert await client.ask("POST", "/reload") == (200, '{"changed": []}')
    old = client.controlled.centre.rules
    client.controlled.books.rules = Rules({"ann": old.agents["ann"]}, old.queues, old.handoff, {}, "UTC")
    status, told = await client.ask("POST", "/reload")
    assert status == 200
    assert "agent bob removed" in told
    await asyncio.sleep(0)


YAML = """name: Queues
timezone: UTC
plugins: []
speech:
  recognizer: {use: a}
  voice: {use: a}
  turn: {use: a}
  synthesizer: {use: a}
reasoners: {front: {use: a}}
entries: {front: {numbers: ["*"], reasoner: front}}
destinations: {senior: {endpoint: PJSIP/1}}
agents: {ann: {name: Ann, skills: {general: 1}}}
"""


async def test_the_command_line(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "ccaas.yaml"
    file.write_text(f"{YAML}state: .\nweb: {{port: {client.port}}}\n")

    async def run(*words: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--file", str(file)])
        return result.exit_code, result.output or str(result.exception)

    assert await run("agents", "set", "bob", "away", "--reason", "lunch") == (0, "bob is away\n")
    code, told = await run("agents")
    assert (code, "lunch" in told) == (0, True)
    code, told = await run("queues")
    assert (code, "senior" in told) == (0, True)
    assert await run("reload") == (0, "nothing has changed\n")
    code, told = await run("agents", "set", "bo", "away")
    assert (code, told) == (1, 'the controller refused: there is no agent bo; did you mean "bob"?')


PROBLEMS = {
    "queues: {care: {skills: {flying: 3}}}": "queues.care.skills.flying: no agent has the skill flying",
    "queues: {care: {closed: {to: nowhere}}}": "queues.care.closed.to: there is no queue or destination nowhere",
    "queues: {senior: {}}": "queues.senior: a destination is called senior too",
    "queues: {ann: {}}": "queues.ann: ann is the AI's name or an agent's login",
    "queues: {care: {hours: {days: {mon: ['17-9']}}}}": 'queues.care.hours.days.mon[0]: "17-9" is no span of a day',
}


@pytest.mark.parametrize(("section", "complaint"), PROBLEMS.items())
def test_mistakes_in_the_yaml_name_the_place(tmp_path: Path, section: str, complaint: str) -> None:
    file = tmp_path / "ccaas.yaml"
    file.write_text(f"{YAML}{section}\n")
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert f"ccaas.yaml:13: {complaint}" in str(raised.value)
