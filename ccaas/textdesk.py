"""The text side of one controller: its channels, and what stands behind them, opened and closed together."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import structlog

from ccaas.acquaintance import Acquaintance
from ccaas.brain import Brain
from ccaas.chronicle import Chronicle
from ccaas.config.picks import Pick
from ccaas.config.settings import CcaasSettings
from ccaas.errors import JourneyError, SetupError
from ccaas.hooks import PluginHost
from ccaas.journal.journal import Journal
from ccaas.media.clock import Clock
from ccaas.messaging.correspondence import Correspondence, addresses_of
from ccaas.messaging.inbox import ChannelInbox
from ccaas.messaging.outbox import Outbox
from ccaas.messaging.parts import Line, MakeTools, People, TextParts
from ccaas.outreach.gate import ComplianceGate
from ccaas.outreach.sip import PermittedSip
from ccaas.ports.journey import Identity, Journey, Traces
from ccaas.ports.messaging import SipMessages, Surroundings, TextChannel
from ccaas.ports.reasoning import Reasoner
from ccaas.ports.sentiment import Sentiment
from ccaas.ports.site import Site
from ccaas.presence import Presence
from ccaas.web.public import PublicServer, Respond

_log = structlog.get_logger(__name__)

KEY_FILE = "channels.key"
"""Name within the state folder of the key that signs tokens."""
_TELL_S = 2.0
"""What the journey may still be told when the controller stops; the next one tells the rest."""


async def open_brain(
    journal: Journal,
    journey: Journey,
    host: PluginHost,
    clock: Clock,
    spell: Callable[[str, str], Identity | None],
    stack: AsyncExitStack,
) -> Brain:
    """The one brain of a controller; until `stack` is closed the journey is told what happens."""
    chronicle = Chronicle(journal, journey)
    telling = asyncio.create_task(chronicle.run(), name="chronicle")

    async def stop() -> None:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_TELL_S):
                await chronicle.tell()

    stack.push_async_callback(stop)
    return Brain(Acquaintance(journey, host, clock.wall), chronicle, Presence(), spell)


class TextDesk:
    """All channels of the YAML, and the conversations on them."""

    def __init__(
        self,
        settings: CcaasSettings,
        site: Site,
        brain: Brain,
        journal: Journal,
        journey: Journey,
        host: PluginHost,
        clock: Clock,
        make_tools: MakeTools,
        sip: SipMessages,
        gate: ComplianceGate,
        sentiment: Sentiment | None = None,
        people: People | None = None,
    ) -> None:
        self._settings = settings
        self._site = site
        self._journal = journal
        self._sip = PermittedSip(sip, gate.register)
        self._parts = TextParts(settings.messaging, clock, brain, host, make_tools, sentiment, people)
        self.lines: dict[str, Line] = {}
        """The channels, by their names in the YAML; none before `open`."""
        self._opt_outs = gate.opt_outs
        self.chronicle = brain.chronicle
        give_up_s = settings.messaging.give_up_minutes * 60
        self.outbox = Outbox(self.lines, journal, brain.chronicle, gate, give_up_s)
        self.correspondence = Correspondence(self.lines, journal, self.outbox, self._parts)

    async def let_go(self, traces: Traces) -> None:
        """End what is going on with somebody who is to be forgotten, and have the journey told of it. Raises JourneyError."""
        await self.correspondence.let_go(traces)
        self.outbox.let_go(traces.customers, addresses_of(traces))
        if not await self._parts.brain.chronicle.tell():
            raise JourneyError("the journey could not be told how the conversations ended; do it again when it answers")

    async def open(
        self,
        picks: Mapping[str, Pick[TextChannel]],
        reasoners: Mapping[str, Reasoner],
        stack: AsyncExitStack,
        events: Mapping[str, Respond] | None = None,
    ) -> None:
        """Start the channels, and go on with what an earlier controller left. `events`: what takes events over HTTP.
        Raises SetupError or ConfigError."""
        channels = {name: await chosen.make(self._site) for name, chosen in picks.items()}
        for name, channel in channels.items():
            entry = self._settings.channels[name].entry
            reasoner = self._settings.entries[entry].reasoner
            self.lines[name] = Line(name, channel, entry, reasoner, reasoners[reasoner])
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        stack.push_async_callback(self.outbox.close)
        stack.push_async_callback(self.correspondence.close)
        await self.outbox.resume()
        await self.correspondence.resume()
        if not channels and not events:
            return
        key = await asyncio.to_thread(signing_key, self._site.state_dir / KEY_FILE)
        for line in self.lines.values():
            inbox = ChannelInbox(line, self._journal, self.correspondence, self.outbox, self._opt_outs, self._parts)
            await line.channel.start(Surroundings(inbox, self._sip, key))
        server = PublicServer(self._settings.web.public, {name: one.routes() for name, one in channels.items()}, events)
        if server.wanted:
            await server.start()
            stack.push_async_callback(server.close)
        _log.info("ready for messages", channels={name: line.kind for name, line in self.lines.items()})
        for name, channel in channels.items():
            if page := channel.capabilities.page:
                _log.info("write to it in a browser", channel=name, open=server.url(name, page))


def signing_key(file: Path) -> bytes:
    """This installation's key for signing tokens; made when there is none, readable by its owner alone.

    Raises:
        SetupError: it cannot be read or written, or is none.
    """
    try:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = bytes.fromhex(file.read_text(encoding="ascii").strip())
        else:
            key = secrets.token_bytes(32)
            with os.fdopen(descriptor, "w") as new:
                new.write(key.hex() + "\n")
    except OSError as error:
        raise SetupError(f"{file}: cannot be used ({os.strerror(error.errno or 0)}); mend its rights") from None
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SetupError(f"{file}: this is no key; delete it, and tokens that were signed with it are void")
    return key
