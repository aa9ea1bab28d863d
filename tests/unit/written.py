"""Written conversations, queues, agents and their desktops, in virtual time: the text side of `texting` on the real queues."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

from texting import DAY, Texts

from ccaas.actions.approvals import Approvals
from ccaas.config.configuration import Configuration
from ccaas.config.settings import CcaasSettings
from ccaas.contact.centre import Centre
from ccaas.handing import Handing
from ccaas.journal.journal import Journal
from ccaas.messaging.parts import People
from ccaas.ports.contact import AgentState, Bundle, Closed, News, Said, Sent
from ccaas.ports.reasoning import Ending
from ccaas.testing.fakes.reasoning import Line
from ccaas.text_people import TextPeople

USE = {"use": "x"}
LINES = {
    "Hi": Line("Hello."),
    "Person, please.": Line("I put you through.", ending=Ending.TRANSFER, destination="general"),
}
AGENTS = {
    "ann": {"name": "Ann", "skills": {"general": 5}, "texts": 2},
    "sue": {"name": "Sue", "skills": {"general": 5, "complaints": 8}},
}
QUEUES: dict[str, Any] = {"general": {"skills": {"general": 1}}, "senior": {"skills": {"complaints": 5}}}


class Desktop:
    """Shows what it is offered at once, unless it is told not to."""

    def __init__(self) -> None:
        self.shows = True
        self.offered: list[Bundle] = []
        self.withdrawn: list[tuple[str, str]] = []
        self.news: list[News] = []

    async def offer(self, bundle: Bundle) -> bool:
        if not self.shows:
            await asyncio.get_running_loop().create_future()
        self.offered.append(bundle)
        return True

    def withdraw(self, handoff_id: str, why: str) -> None:
        self.withdrawn.append((handoff_id, why))

    def tell(self, news: News) -> None:
        self.news.append(news)


class Asked:
    """Requests: none."""

    async def of(self, **_: str) -> tuple[()]:
        return ()


class Desks:
    """`async with Desks(folder) as desks`: text side and queues, which live and die together."""

    def __init__(self, folder: Path, *, queues: Mapping[str, Any] = QUEUES, sentiment: Any = None, **more: Any) -> None:
        document = {
            "name": "Test",
            "timezone": "UTC",
            "plugins": [],
            "speech": dict.fromkeys(("recognizer", "voice", "turn", "synthesizer"), USE),
            "reasoners": {"desk": USE},
            "entries": {"front": {"numbers": ["*"], "reasoner": "desk"}},
            "agents": AGENTS,
            "queues": queues,
        }
        if sentiment is not None:
            document["sentiment"] = {**USE, "escalation": {"destination": "senior"}}
        self.settings = CcaasSettings.model_validate(document)
        self.office = Texts(LINES, folder, sentiment=sentiment, people=self._people, **more)
        self.desktops: dict[str, Desktop] = {}
        self.news: list[News] = []

    async def _people(self, office: Texts) -> People:
        configuration = cast("Configuration", SimpleNamespace(settings=self.settings, file=None))
        loop = asyncio.get_running_loop()

        async def nobody(_: object) -> str:
            raise AssertionError("nobody is called back here")

        self.handing = Handing(
            configuration,
            cast("Journal", office.journal),
            office.clock.wall,
            lambda: (),
            nobody,
            cast("Approvals", Asked()),
            lambda: DAY.timestamp() + loop.time(),
        )
        await self.handing.open()
        office.host.on_turn = self.handing.turn
        self.centre: Centre = self.handing.centre
        self.centre.subscribe(self.news.append)
        self._running = asyncio.create_task(self.centre.run())
        return TextPeople(self.handing, self.settings, office.host, office.sentiment)

    async def __aenter__(self) -> Self:
        await self.office.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.office.__aexit__(*error)  # type: ignore[arg-type]

    async def ready(self, *logins: str) -> None:
        """They sign in and are available."""
        for login in logins:
            self.desktops[login] = Desktop()
            await self.centre.sign_in(login, self.desktops[login])
            await self.centre.set_state(login, AgentState.AVAILABLE, by=login)

    async def offered(self, login: str, count: int = 1) -> Bundle:
        """The newest bundle of theirs, once they have been offered so many."""
        await self.office.until(lambda: len(self.desktops[login].offered) >= count, f"{login} is offered {count}")
        await asyncio.sleep(0.05)
        return self.desktops[login].offered[-1]

    async def taken(self, login: str, text: str = "Person, please.", count: int = 1, **more: Any) -> str:
        """Somebody writes for a person, and this one takes it; the conversation."""
        await self.office.write(text, **more)
        bundle = await self.offered(login, count)
        await self.centre.accept(bundle.conversation_id, by=login)
        return bundle.conversation_id

    def lines(self, conversation_id: str) -> list[tuple[str, str]]:
        """What desks were told was said."""
        return [
            (one.line.who, one.line.text)
            for one in self.news
            if isinstance(one, Said) and one.conversation_id == conversation_id
        ]

    def sent(self) -> list[tuple[str, str]]:
        """What desks were told of messages."""
        return [(one.message_id, one.state) for one in self.news if isinstance(one, Sent)]

    def closed(self) -> list[str]:
        """What desks were told of composers."""
        return [one.why for one in self.news if isinstance(one, Closed)]

    def state(self, login: str) -> tuple[AgentState, str]:
        person = next(one for one in self.centre.people if one.login == login)
        return person.state, person.reason
