"""Somebody chats and is forgotten: by the controller that has the chat open, and without one. No word is left in any file."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from ccaas_sms_http.sent import FILE as SENT
from ccaas_sms_http.sent import SentIds
from ccaas_webchat.channel import WebChat
from ccaas_webchat.frames import Closed
from ccaas_webchat.settings import WebChatSettings
from webchat_site import Server, come_back, until, visit

from ccaas.config.picks import Pick
from ccaas.config.settings import CcaasSettings, Log
from ccaas.erasure import Erasure, ErasureError
from ccaas.hooks import PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.journal.journal import Journal
from ccaas.journey.identity import identity
from ccaas.journey.sqlite import SqliteDatabase
from ccaas.journey.store import StoredJourney
from ccaas.logs import configure_logs
from ccaas.outreach.opening import open_gate
from ccaas.ports.journey import Identity, IdentityKind, Traces
from ccaas.ports.site import Site
from ccaas.testing.clock import LoopClock
from ccaas.testing.fakes.messaging import FakeSipMessages
from ccaas.testing.fakes.reasoning import FakeReasoner, Line
from ccaas.testing.fakes.tools import FakeToolbox
from ccaas.textdesk import TextDesk, open_brain

SECRETS = ("my-lost-umbrella", "my-green-suitcase", "We-look-for-umbrellas")
OTHERS = "somebody-elses-hat"
USE = {"use": "x"}


class Tools(FakeToolbox):
    async def settle(self) -> None: ...


@dataclass
class Installation:
    """The text side of a controller with a web chat, all of it real but the reasoner."""

    folder: Path
    port: int
    journey: StoredJourney
    host: PluginHost
    desk: TextDesk

    @property
    def site(self) -> Site:
        return Site(self.folder, self.folder, self.folder, self.folder)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/channels/web"

    @property
    def pages(self) -> Server:
        """As `webchat_site` wants it: an address and a port."""
        return cast("Server", self)

    async def customer(self, session: str) -> str:
        found = await self.journey.find(Identity(IdentityKind.CHAT, session))
        assert found is not None
        return found

    def holding(self, *words: str) -> list[str]:
        """Files that have one of the words in any of their bytes."""
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return [path.name for path in files if any(word.encode() in path.read_bytes() for word in words)]


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    settings = CcaasSettings.model_validate(
        {
            "name": "Test",
            "timezone": "UTC",
            "plugins": [],
            "speech": dict.fromkeys(("recognizer", "voice", "turn", "synthesizer"), USE),
            "reasoners": {"desk": USE},
            "entries": {"front": {"numbers": ["*"], "reasoner": "desk"}},
            "channels": {"web": {"use": "webchat", "entry": "front"}},
            "web": {"public": {"port": port}},
        }
    )
    site, clock = Site(folder, folder, folder, folder), LoopClock()
    async with AsyncExitStack() as stack:
        host = PluginHost.load(["webchat", "sms_http"])
        stack.push_async_callback(host.close)
        journal = await Journal.open(folder / "journal.sqlite")
        stack.push_async_callback(journal.close)
        journey = StoredJourney(await SqliteDatabase.open(folder / "journey.sqlite"), folder)
        stack.push_async_callback(journey.close)
        brain = await open_brain(journal, journey, host, clock, identity, stack)
        gate = await open_gate(settings, site, journey, journal, host, clock, stack)
        tools, sip = (lambda *_: Tools({})), FakeSipMessages()
        desk = TextDesk(settings, site, brain, journal, journey, host, clock, tools, sip, gate)
        pick: Pick[Any] = Pick(("channels", "web"), "webchat", "webchat", WebChatSettings(), WebChat)
        says = Line("We-look-for-umbrellas.")
        await desk.open({"web": pick}, {"desk": FakeReasoner({}, otherwise=says)}, stack)
        yield Installation(folder, port, journey, host, desk)


@pytest.fixture
def _logs(tmp_path: Path) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    configure_logs(Log(level="info"), tmp_path / "log", terminal=False)
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


def logged() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()


async def chat(world: Installation, *said: str) -> Any:
    """A page on which this was said and answered, and has reached the journey."""
    page = await visit(world.pages)
    for number, text in enumerate(said, 1):
        await page.send("say", id=f"m{number}", text=text)
        await page.got("line", 2 * number)
    return page


@pytest.mark.usefixtures("_logs")
async def test_no_word_is_left_in_any_file_and_the_open_page_begins_anew(tmp_path: Path) -> None:
    async with installation(tmp_path) as world:
        page, other = await chat(world, *SECRETS[:2]), await chat(world, OTHERS)
        session = page.frames[0]["session"]
        customer = await world.customer(session)
        logged()
        found = world.holding(*SECRETS[:2])
        assert {name.removesuffix("-wal") for name in found} >= {"journal.sqlite", "webchat.sqlite", "ccaas.log"}
        sent = SentIds(tmp_path / SENT)
        await sent.open()
        conversation = world.desk.correspondence.open[0].id
        await sent.keep(f"{conversation}-t1", "gateway-77")

        erased = await Erasure(world.journey, world.site, world.host, world.desk.let_go).erase(customer, "asked", "ann")

        assert erased.facts >= 4
        logged()
        assert world.holding(*SECRETS[:2], session, conversation, "gateway-77") == []
        assert world.holding(OTHERS) != []
        await sent.close()
        assert await page.end() == Closed.GONE
        again = await come_back(world.pages, page, after=4)
        welcome = again.frames[0]
        assert (welcome["lines"], welcome["reset"]) == ([], True)
        assert welcome["session"] != session
        await again.send("say", id="m9", text="a new matter")
        await again.got("line", 2)
        assert await world.customer(welcome["session"]) != customer
        assert other.closed is None, "nobody else is disturbed"
        await again.close()
        await other.close()


async def test_without_a_controller_the_plugins_files_are_emptied_all_the_same(tmp_path: Path) -> None:
    async with installation(tmp_path) as world:
        page = await chat(world, SECRETS[0])
        customer = await world.customer(page.frames[0]["session"])
        await page.close()
    host = PluginHost.load(["webchat"])
    journey = StoredJourney(await SqliteDatabase.open(tmp_path / "journey.sqlite"), tmp_path)
    await Erasure(journey, world.site, host).erase(customer, "asked", "ann")
    assert world.holding(*SECRETS) == []
    await journey.close()
    await host.close()


class Stubborn:
    """A plug-in that keeps something and cannot let it go yet."""

    def __init__(self) -> None:
        self.stuck = True
        self.asked: list[Traces] = []

    @hookimpl
    async def ccaas_forget(self, traces: Traces) -> None:
        self.asked.append(traces)
        if self.stuck:
            raise OSError("the disk is read-only")


async def test_what_a_plugin_could_not_erase_is_named_and_can_be_tried_again(tmp_path: Path) -> None:
    async with installation(tmp_path) as world:
        page = await chat(world, SECRETS[0])
        session = page.frames[0]["session"]
        customer = await world.customer(session)
        stubborn = Stubborn()
        host = PluginHost.of({"stubborn": stubborn})
        erasure = Erasure(world.journey, world.site, host, world.desk.let_go)
        with pytest.raises(
            ErasureError, match=r'plug-in "stubborn": it raised .*read-only.*run `ccaas journey forget` again'
        ):
            await erasure.erase(customer, "asked", "ann")
        assert await world.journey.context(customer) is not None, "the journey keeps them for the next try"
        stubborn.stuck = False
        await erasure.erase(customer, "asked", "ann")
        assert await world.journey.context(customer) is None
        first, second = stubborn.asked
        assert Identity(IdentityKind.CHAT, session) in second.identities
        assert first.conversations == second.conversations != ()
        await page.close()
        await host.close()


async def test_what_is_said_into_an_erased_chat_is_said_in_a_new_one(tmp_path: Path) -> None:
    """The page has not been told yet: what it sends then must not be lost, and belongs to nobody who was."""
    async with installation(tmp_path) as world:
        page = await chat(world, SECRETS[0])
        session = page.frames[0]["session"]
        channel = world.desk.lines["web"].channel
        assert isinstance(channel, WebChat)
        for task in channel._tasks:  # nobody looks for erasures meanwhile
            task.cancel()
        await world.host.forget(Traces((), (Identity(IdentityKind.CHAT, session),)), world.site)
        await page.send("say", id="late", text="one more thing")
        assert await page.end() == Closed.GONE
        again = await come_back(world.pages, page, after=2)
        await again.send("say", id="late", text="one more thing")
        await again.got("line", 2)
        assert again.frames[0]["session"] != session
        await until(lambda: world.desk.correspondence.open, "the conversation")
        await again.close()
        await asyncio.sleep(0)
