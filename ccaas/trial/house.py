"""An installation without Asterisk: its plug-ins, reasoners and tools, over a state folder that may be a copy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from ccaas.actions.audit import ToolRun
from ccaas.actions.tool import Tools
from ccaas.agency import Agency
from ccaas.config.configuration import Configuration
from ccaas.config.document import raise_all
from ccaas.config.picks import Picks, load_plugins, pick
from ccaas.errors import CcaasError, ConfigError
from ccaas.guarding.reasoner import Guarded
from ccaas.hooks import PluginHost
from ccaas.media.clock import SystemClock
from ccaas.ports.journey import Assurance, Contact, Customer
from ccaas.ports.reasoning import CallerTurn, Dialogue, DialogueContext, Ending, Reasoner, Reply
from ccaas.spelling import nearest


@dataclass(slots=True)
class Rows:
    """An audit that is looked at: the newest row of each run, in order."""

    runs: list[ToolRun] = field(default_factory=list)

    async def store(self, run: ToolRun) -> None:
        """`Audit.store`."""
        self.note(run)

    def note(self, run: ToolRun) -> None:
        """`Audit.note`."""
        self.runs = [one for one in self.runs if not run.key or one.key != run.key] + [run]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who talks, and how they reach us."""

    address: str = ""
    """A telephone number or an e-mail address; empty: withheld."""
    channel: str = "voice"
    entry: str = ""
    """The name of an entry; empty: the one that takes the number that is dialled."""
    dialled: str = "1000"
    verified: bool = False
    """Whether who they are was proved before (a signed token)."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an agent answered to one turn."""

    text: str
    ending: Ending | None
    destination: str


class Talk:
    """One conversation, turn by turn."""

    def __init__(self, dialogue: Dialogue, audit: Rows, customer: Customer | None) -> None:
        self._dialogue = dialogue
        self._turns = 0
        self.audit = audit
        self.customer = customer

    @property
    def dialogue(self) -> Dialogue:
        """What is behind it."""
        return self._dialogue

    async def open(self) -> Said:
        """The first words."""
        return _together([self._heard(await self._dialogue.open())])

    async def say(self, text: str, keys: str = "") -> Said:
        """One turn, and all that is answered."""
        self._turns += 1
        draft = await self._dialogue.draft(CallerTurn(f"turn-{self._turns}", text, keys))
        return _together([self._heard(reply) async for reply in self._dialogue.commit(draft)])

    def _heard(self, reply: Reply) -> Reply:
        self._dialogue.heard(reply.text, True)
        return reply


def _together(replies: list[Reply]) -> Said:
    last = replies[-1] if replies else Reply("")
    return Said(" ".join(reply.text for reply in replies if reply.text), last.ending, last.destination)


class House:
    """Opened once; reasoners are shared by all conversations, tools and states are each floor's own."""

    def __init__(
        self, configuration: Configuration, host: PluginHost, picks: Picks, reasoners: dict[str, Reasoner]
    ) -> None:
        self.configuration = configuration
        self.host = host
        self.picks = picks
        self._reasoners = reasoners

    @classmethod
    async def open(cls, configuration: Configuration, stack: AsyncExitStack) -> House:
        """Load the plug-ins and the reasoners' models. Raises CcaasError."""
        host = load_plugins(configuration)
        stack.push_async_callback(host.close)
        picks = pick(configuration, host)
        reasoners: dict[str, Reasoner] = {}
        redactor = await picks.redactor.make(configuration.site) if picks.redactor else None
        for name, chosen in picks.reasoners.items():
            with chosen.placed(configuration.document):
                reasoners[name] = Guarded(await chosen.make(configuration.site), configuration.settings.guard, redactor)
                stack.push_async_callback(reasoners[name].close)
                await reasoners[name].start()
        return cls(configuration, host, picks, reasoners)

    @asynccontextmanager
    async def floor(self, state: Path) -> AsyncIterator[Floor]:
        """Tools and books over a state folder."""
        configuration = replace(self.configuration, site=replace(self.configuration.site, state_dir=state))
        async with AsyncExitStack() as stack:
            try:
                made = [await tools.make(configuration.site) for tools in self.picks.tools]
            except ConfigError as error:
                raise_all([error])
                raise
            settings = configuration.settings
            clock = SystemClock(ZoneInfo(settings.timezone), settings.clock)
            tools = Tools(tool for several in made for tool in several)
            audit = Rows()
            agency = await Agency.open(configuration, tools, audit, clock, stack)
            yield Floor(self, agency, clock, audit)

    def reasoner(self, entry: str) -> Reasoner:
        """Who answers at this entry. Raises CcaasError."""
        entries = self.configuration.settings.entries
        if entry not in entries:
            raise CcaasError(f"there is no entry {entry}; {nearest(entry, entries)}")
        return self._reasoners[entries[entry].reasoner]


@dataclass(frozen=True, slots=True)
class Floor:
    """What one state folder's conversations share."""

    house: House
    agency: Agency
    clock: SystemClock
    audit: Rows
    """Of people; conversations have their own."""

    @asynccontextmanager
    async def talk(self, caller: Caller, name: str = "trial") -> AsyncIterator[Talk]:
        """A conversation that has not begun; its writes are waited for at the end. Raises CcaasError."""
        settings = self.house.configuration.settings
        entry = caller.entry or settings.entry_for(caller.dialled) or next(iter(settings.entries))
        reasoner = self.house.reasoner(entry)
        customer = await self.house.host.identify(Contact(name, caller.channel, caller.address, caller.dialled))
        sure = Assurance.NONE if customer is None else Assurance.VERIFIED if caller.verified else Assurance.CLAIMED
        audit = Rows()
        who = customer.id if customer is not None else ""
        tools = self.agency.tools(name, who, sure, audit, (), entry, caller.channel)
        context = DialogueContext(
            name, caller.channel, caller.address, caller.dialled, customer, tools, self.clock.wall(), assurance=sure
        )
        try:
            yield Talk(reasoner.open(context), audit, customer)
        finally:
            await tools.settle()
            await asyncio.sleep(0)
