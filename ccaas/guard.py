"""`ccaas up`: starts Asterisk and the controller, and stands by while they work.

The controller is a child, so that its death is noticed at once: callers whose agent has just fallen silent hear music
within a moment, the next controller picks their calls up, and if none comes back the dialplan gets them.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog

from ccaas.asterisk.access import access_of
from ccaas.asterisk.api import Client
from ccaas.asterisk.managed import ManagedAsterisk
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.transport import Transport
from ccaas.config.configuration import Configuration
from ccaas.errors import AsteriskError
from ccaas.telephony.call import FALLBACK_CONTEXT
from ccaas.telephony.legs import call_of

_log = structlog.get_logger("guard")

_FIRST_BACKOFF_S = 0.1
_LAST_BACKOFF_S = 10.0
_STEADY_S = 60.0
"""A controller that ran this long was well: the next restart is quick again."""

_PATIENCE_S = 20.0
"""Callers hear music for this long at most; then the dialplan gets them (s)."""

CONFIG_EXIT = 2
"""The controller's way to say that an admin must mend something: no restart helps."""


class Guard:
    """One installation's parent process."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._asterisk: ManagedAsterisk | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._signals = 0

    async def run(self) -> int:
        """Until the controller ends by itself or we are told to stop; the exit code.

        Raises:
            CcaasError: Asterisk cannot be started or reached.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._restart)
        settings = self._configuration.settings.asterisk
        if settings.mode == "managed":
            site = self._configuration.site
            self._asterisk = ManagedAsterisk(settings, site.state_dir / "asterisk", site.config_dir)
            await self._asterisk.start()
        try:
            return await self._keep_controller()
        finally:
            if self._asterisk is not None:
                await self._asterisk.stop()

    async def _keep_controller(self) -> int:
        access = access_of(self._configuration)
        loop = asyncio.get_running_loop()
        backoff, died_at = _FIRST_BACKOFF_S, 0.0
        comforting: asyncio.Task[None] | None = None
        while True:
            began = loop.time()
            command = (sys.executable, "-m", "ccaas.controller", str(self._configuration.file))
            self._child = await asyncio.create_subprocess_exec(*command, start_new_session=True)
            code = await self._child.wait()
            if self._stopping or code in (0, CONFIG_EXIT):
                return 0 if self._stopping else code
            died_at = loop.time()
            _log.error("the controller died; starting it again", code=code)
            if comforting is None or comforting.done():
                comforting = asyncio.create_task(comfort(access, died_at + _PATIENCE_S), name="comfort")
            backoff = _FIRST_BACKOFF_S if died_at - began > _STEADY_S else min(backoff * 2, _LAST_BACKOFF_S)
            await asyncio.sleep(backoff)

    def _stop(self) -> None:
        """Pass the wish on: the first signal drains, the second ends at once."""
        self._stopping = True
        self._signal(signal.SIGTERM)

    def _restart(self) -> None:
        """A new controller over the same calls: for a changed configuration or an upgrade."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(number)


async def comfort(access: AriAccess, until: float) -> None:
    """Music for callers who are alone in our bridges; who is still alone at `until` (loop time) goes to the dialplan."""
    transport = Transport(access)
    try:
        async with transport.requests():
            client = Client(transport)
            left = await _lonely(client)
            for bridge in left:
                await client.bridges.start_moh(bridge_id=bridge)
            if left:
                _log.info("music for callers while the controller comes back", calls=len(left))
            await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))
            for bridge, leg in (await _lonely(client)).items():
                if bridge in left:
                    _log.error("no controller took the call back; the dialplan gets it", leg=leg)
                    await client.channels.continue_in_dialplan(
                        channel_id=leg, context=FALLBACK_CONTEXT, extension="s", priority=1
                    )
    except AsteriskError as error:
        _log.warning("callers could not be comforted", error=str(error))


async def _lonely(client: Client) -> dict[str, str]:
    """Our bridges that hold one leg and no media, with that leg."""
    bridges = await client.bridges.list()
    return {b.id: b.channels[0] for b in bridges if call_of(b.id) and len(b.channels) == 1}


def up(configuration: Configuration) -> int:
    """Run the installation until it is stopped; the process's exit code. Raises CcaasError."""
    return asyncio.run(Guard(configuration).run())
