"""What a controller's agents can do: all tools, the YAML's rules, the books of actions, and what waits for a person."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack

from ccaas.actions.approvals import Approvals
from ccaas.actions.audit import Audit, ToolRun
from ccaas.actions.books import FILE, Books
from ccaas.actions.guesses import Guesses
from ccaas.actions.phase import Limits, problems
from ccaas.actions.runner import CallTools
from ccaas.actions.tool import Tools
from ccaas.config.configuration import Configuration
from ccaas.config.document import raise_all
from ccaas.media.clock import Clock
from ccaas.ports.journey import Assurance


class Agency:
    """Opened once by each controller; makes the toolbox of each conversation."""

    def __init__(self, configuration: Configuration, tools: Tools, books: Books, audit: Audit, clock: Clock) -> None:
        """`audit` keeps what people do; conversations bring their own.

        Raises:
            ConfigError: a rule of the YAML names a tool that is not there.
        """
        settings, document = configuration.settings, configuration.document
        raise_all(
            document.error(("policy", number, key), problem, mend)
            for number, key, problem, mend in problems(settings.policy, list(tools.values()))
        )
        self._settings = settings
        self._tools = tools
        self._books = books
        self._clock = clock
        self._guesses = Guesses(books, settings.checks)
        self.approvals = Approvals(tools, books, audit, self.limits, clock.wall)

    @classmethod
    async def open(
        cls, configuration: Configuration, tools: Tools, audit: Audit, clock: Clock, stack: AsyncExitStack
    ) -> Agency:
        """With the books of this installation, closed with `stack`. Raises ConfigError, BooksError."""
        books = await Books.open(configuration.site.state_dir / FILE)
        stack.push_async_callback(books.close)
        for close in dict.fromkeys(tool.close for tool in tools.values() if tool.close is not None):
            stack.push_async_callback(close)
        agency = cls(configuration, tools, books, audit, clock)
        await agency.approvals.resume()
        watching = asyncio.create_task(agency.approvals.watch(), name="approvals")
        stack.callback(watching.cancel)
        return agency

    def limits(self, entry: str, channel: str) -> Limits:
        """What the YAML allows on this channel of this entry."""
        return Limits(self._settings.allowed_phase, rules=self._settings.policy, entry=entry, channel=channel)

    def tools(
        self,
        conversation_id: str,
        customer_id: str,
        assurance: Assurance,
        audit: Audit,
        earlier: Iterable[ToolRun],
        entry: str,
        channel: str,
    ) -> CallTools:
        """The toolbox of one conversation; `earlier`: its runs that the journal has."""
        return CallTools(
            self._tools,
            self.limits(entry, channel),
            audit,
            call_id=conversation_id,
            customer_id=customer_id,
            now=self._clock.wall,
            earlier=earlier,
            assurance=assurance,
            books=self._books,
            desk=self.approvals,
            guesses=self._guesses,
        )
