"""What can be found wrong with an installation, and with this machine for it, before anything is started."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from ccaas.asterisk import check as asterisk_check
from ccaas.asterisk.access import access_of
from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.pid import running_pid
from ccaas.config.configuration import Configuration, load
from ccaas.config.document import raise_all
from ccaas.config.picks import Picks, load_plugins, missing_plugins, pick
from ccaas.errors import AsteriskError, ConfigError
from ccaas.succession import left_controller

_ANSWER_S = 5.0
"""An external Asterisk that is slower is not there (s)."""


def check(file: Path) -> Configuration:
    """Read a ccaas.yaml, load its plug-ins, and make what it picks from them, models left aside.

    Raises:
        ConfigError: with file, line, key and mend; a `ConfigErrors` where there are several.
        PluginError: a plug-in breaks a rule.
    """
    configuration = load(file)
    picks = pick(configuration, load_plugins(configuration))
    raise_all(_faults(configuration))
    asyncio.run(_make(picks, configuration))
    return configuration


def ready_machine(configuration: Configuration) -> None:
    """Look at what takes a moment, no plug-in imported, and make the state folder. What an earlier start has left running
    is taken over whatever is wrong: its callers are given to the dialplan at least.

    Raises:
        ConfigError: with file, line, key and mend; a `ConfigErrors` where there are several.
    """
    state = configuration.site.state_dir
    if not (running_pid(RunFolder(state / "asterisk")) or left_controller(state)):
        raise_all(_faults(configuration))
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"{state} cannot be made ({error.strerror})"
        raise configuration.document.error(("state",), problem, "name another folder") from None


async def _make(picks: Picks, configuration: Configuration) -> None:
    """Reads the files that reasoners have of their own; tools, whose factories open databases, are left out."""
    for chosen in picks.made_without_effect:
        with chosen.placed(configuration.document):
            await chosen.make(configuration.site)


def _faults(configuration: Configuration) -> Iterator[ConfigError]:
    settings, site, document = configuration.settings, configuration.site, configuration.document
    yield from missing_plugins(configuration)
    yield from _state(configuration)
    if document.holds(("models",)) and not site.models_dir.is_dir():
        yield document.error(("models",), f"there is no folder {site.models_dir}", "run `make setup`, or correct it")
    running = bool(running_pid(RunFolder(site.state_dir / "asterisk")))
    for fault in asterisk_check.faults(settings.asterisk, site.config_dir, running=running):
        yield document.error(fault.steps, fault.problem, fault.mend)
    if settings.asterisk.mode == "external":
        yield from _external(configuration)
    if not left_controller(site.state_dir):
        yield from _web(configuration)


def _state(configuration: Configuration) -> Iterator[ConfigError]:
    folder = configuration.site.state_dir
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        yield configuration.document.error(("state",), f"{there} is no folder", "name another one")
    elif not os.access(there, os.W_OK | os.X_OK):
        problem = f"this user may not write to {there}"
        yield configuration.document.error(("state",), problem, "correct its permissions, or name another folder")


def _web(configuration: Configuration) -> Iterator[ConfigError]:
    web, document = configuration.settings.web, configuration.document
    family = socket.AF_INET6 if ":" in web.bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((web.bind, web.port))
        except OSError as error:
            problem = f"TCP port {web.port} on {web.bind} cannot be used ({os.strerror(error.errno or 0)})"
            yield document.error(("web", "port"), problem, "stop what uses it, or choose another port")


def _external(configuration: Configuration) -> Iterator[ConfigError]:
    """Whether the Asterisk of one's own is there and lets us in."""
    ari, document = configuration.settings.asterisk.ari, configuration.document
    try:
        access = access_of(configuration)
    except AsteriskError as error:
        key, _, sentence = str(error).partition(": ")
        problem, _, mend = sentence.partition("; ")
        yield document.error(tuple(key.split(".")), problem, mend)
        return
    login = base64.b64encode(f"{access.user}:{access.password}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310  (the settings' own pattern lets only http and https pass)
        f"{access.url}/ari/asterisk/info?only=system", headers={"Authorization": f"Basic {login}"}
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=_ANSWER_S):
            return
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            problem = f"{ari.url} refuses the user {access.user} with this password"
            yield document.error(("asterisk", "ari"), problem, "make both those of its ari.conf")
            return
        why = f"{error.code} {error.reason}"
    except urllib.error.URLError as error:
        why = getattr(error.reason, "strerror", None) or str(error.reason)
    except OSError as error:
        why = error.strerror or str(error)
    problem = f"no Asterisk answers at {ari.url} ({why})"
    yield document.error(("asterisk", "ari", "url"), problem, "start it and enable ARI there, or correct the address")
