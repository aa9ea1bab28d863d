"""The controller's process: the composition root, where adapters, core and plug-ins are joined.

Run by the guard as `python -m ccaas.controller FILE`; it may die at any moment, and the next one goes on.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
import uvloop

from ccaas.actions.phase import Limits
from ccaas.actions.runner import CallTools
from ccaas.actions.tool import Tools
from ccaas.agent import Agent
from ccaas.asterisk.access import access_of
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.config.configuration import Configuration, load
from ccaas.config.picks import Picks, load_plugins, pick
from ccaas.conversation.parts import Parts
from ccaas.conversation.phrases import Phrases
from ccaas.errors import CcaasError
from ccaas.frontdesk import FrontDesk
from ccaas.hooks import PluginHost
from ccaas.journal.journal import Journal
from ccaas.journal.recovery import OpenCall
from ccaas.logs import configure_logs
from ccaas.media.clock import SystemClock
from ccaas.media.recording import repair
from ccaas.ports.journey import Contact, Customer
from ccaas.ports.reasoning import Reasoner
from ccaas.spelling import nearest
from ccaas.telephony.supervisor import Supervisor, new_call_id
from ccaas.watchdog import Watchdog
from ccaas.web.control import ControlServer

_log = structlog.get_logger("ccaas")

READY = "ready for calls"
"""What is logged when calls are taken; the guard and the tests wait for it."""


class Part(Protocol):
    """What is started at boot and closed at the end."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...


_PHRASE_RATES = (8_000,)
"""Sample rates (Hz) for which fixed phrases are made at boot; G.722 callers' are made when first said."""


class Controller:
    """Everything that one controller process holds, opened in order and closed in reverse."""

    def __init__(self, configuration: Configuration, access: AriAccess) -> None:
        self.configuration = configuration
        self.settings = configuration.settings
        self.site = configuration.site
        self.clock = SystemClock(ZoneInfo(self.settings.timezone), self.settings.clock)
        self._access = access
        self._disk = ThreadPoolExecutor(1, "disk")
        self.host: PluginHost
        self.journal: Journal
        self.parts: Parts
        self.desk: FrontDesk
        self.supervisor: Supervisor
        self._tools: Tools
        self._reasoners: dict[str, Reasoner] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Supervisor]:
        """Start everything; calls are taken while the supervisor's `run` is running."""
        async with AsyncExitStack() as stack:
            self.host = load_plugins(self.configuration)
            picks = pick(self.configuration, self.host)
            stack.push_async_callback(self.host.close)
            self.site.state_dir.mkdir(parents=True, exist_ok=True)
            self.journal = await Journal.open(self.site.state_dir / "journal.sqlite")
            stack.push_async_callback(self.journal.close)
            stack.callback(self._disk.shutdown)
            await self._open_parts(picks, stack)
            watchdog = Watchdog()
            watchdog.start()
            stack.callback(watchdog.stop)
            self.desk = FrontDesk(self.settings, self.host, self.journal, lambda: watchdog.lag_s, self._agent)
            remembered = await self.desk.remember(await self.journal.open_calls())
            await asyncio.to_thread(_repair_recordings, self.site.state_dir / "recordings")
            switch = AsteriskSwitch(self._access)
            await switch.open()
            stack.push_async_callback(switch.close)
            self.supervisor = Supervisor(switch, self.desk, remembered)
            control = ControlServer(self.settings.web, self.site.state_dir, self)
            await control.start()
            stack.push_async_callback(control.close)
            _trim()
            yield self.supervisor

    async def _open_parts(self, picks: Picks, stack: AsyncExitStack) -> None:
        site = self.site
        recognizer = await picks.recognizer.make(site)
        voice = await picks.voice.make(site)
        turn = await picks.turn.make(site)
        synthesizer = await picks.synthesizer.make(site)
        fallback = await picks.fallback_synthesizer.make(site) if picks.fallback_synthesizer else None
        self._reasoners = {name: await chosen.make(site) for name, chosen in picks.reasoners.items()}
        everything: list[Part] = [recognizer, voice, turn, synthesizer, *self._reasoners.values()]
        everything += [fallback] if fallback else []
        async with asyncio.TaskGroup() as group:
            for part in everything:
                stack.push_async_callback(part.close)
                group.create_task(part.start())
            made = [group.create_task(chosen.make(site)) for chosen in picks.tools]
        self._tools = Tools(tool for task in made for tool in task.result())
        identity = f"{picks.synthesizer.name} {picks.synthesizer.settings.model_dump_json()}"
        phrases = Phrases(synthesizer, fallback, site.cache_dir / "phrases", identity)
        self.parts = Parts(recognizer, voice, turn, phrases, self.settings.conversation, self.clock)
        warming = asyncio.create_task(self._warm(phrases), name="phrases")
        stack.callback(warming.cancel)

    async def _warm(self, phrases: Phrases) -> None:
        """Have all fixed sentences ready as audio."""
        conversation = self.settings.conversation
        texts = [conversation.returned, conversation.unanswered, *conversation.acknowledgements]
        for reasoner in self._reasoners.values():
            texts += reasoner.phrases()
        for rate in _PHRASE_RATES:
            ready = await phrases.warm(texts, rate)
            _log.info("phrases ready", phrases=ready, sample_rate=rate)

    def _agent(
        self, call_id: str, ani: str, dnis: str, customer: Customer | None, entry: str, before: OpenCall | None
    ) -> Agent:
        tools = CallTools(
            self._tools,
            Limits(self.settings.allowed_phase),
            self.journal,
            call_id=call_id,
            customer_id=customer.id if customer else "",
            now=self.clock.wall,
            earlier=before.writes if before else (),
        )
        agent = Agent(
            call_id,
            ani,
            dnis,
            customer,
            self._reasoners[self.settings.entries[entry].reasoner],
            tools,
            self.parts,
            self.journal,
            self.host,
            dict(self.settings.destinations),
            self.site.state_dir / "recordings" if self.settings.recording.enabled else None,
            self._disk,
        )
        if before is not None:
            agent.remember(before.snapshot, before.turns)
        return agent

    # — what the control server asks —

    async def originate(self, endpoint: str, entry: str, caller_id: str) -> str:
        """Call `endpoint` and let the entry's agent speak; the call's id. Raises AsteriskError."""
        if entry not in self.settings.entries:
            raise CcaasError(f"there is no entry {entry}; {nearest(entry, self.settings.entries)}")
        call_id = new_call_id()
        customer = await self.host.identify(Contact(call_id, "voice", endpoint.partition("/")[2], entry))
        agent = self.desk.admit(call_id, caller_id, entry, customer, entry)
        await self.supervisor.originate(endpoint, entry, agent, call_id, caller_id)
        return call_id

    def drain(self) -> None:
        """Take no new calls."""
        self.desk.draining = True


async def control(configuration: Configuration, access: AriAccess) -> None:
    """Run until told to stop: the first SIGTERM or SIGINT drains, the second gives the calls to the dialplan at once."""
    began = time.monotonic()
    controller = Controller(configuration, access)
    async with controller.open() as supervisor:
        stop, at_once = asyncio.Event(), asyncio.Event()

        def told() -> None:
            (at_once if stop.is_set() else stop).set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told)
        running = asyncio.create_task(supervisor.run(), name="supervisor")
        _log.info(READY, seconds=round(time.monotonic() - began, 2))
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not running.done():
            await _drain(controller, supervisor, at_once)
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and (error := running.exception()):
            raise error


async def _drain(controller: Controller, supervisor: Supervisor, at_once: asyncio.Event) -> None:
    controller.drain()
    limit = controller.settings.limits.drain_s
    if supervisor.calls:
        _log.info("draining", calls=len(supervisor.calls), limit_s=limit)
    waits = {asyncio.create_task(supervisor.idle()), asyncio.create_task(at_once.wait())}
    await asyncio.wait(waits, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await supervisor.release()


def _trim() -> None:
    """Give back what loading the models has left over in the C library's heap (60 MB); nothing where it is not glibc."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _repair_recordings(folder: Path) -> None:
    """Recordings that a killed controller left behind get a header that says how long they are."""
    for path in folder.glob("*.wav") if folder.is_dir() else ():
        try:
            if repair(path):
                _log.info("recording mended", path=str(path))
        except OSError as error:
            _log.warning("recording could not be mended", path=str(path), error=str(error))


def main(file: str) -> int:
    """The process: 0 after a stop that was asked for, 2 for what an admin must mend, 1 for anything else."""
    try:
        configuration = load(Path(file))
        configure_logs(configuration.settings.log, configuration.site.state_dir / "log")
        uvloop.run(control(configuration, access_of(configuration)))
    except CcaasError as error:
        _log.error(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
