"""Events from NATS JetStream: a durable consumer, whose messages are acknowledged once their event is on the disk.

What is cut off in between is delivered again, and sets nothing off: the event's id is the play's. A message that is no event is
ended (`term`) and kept with the reason. The server may be away, from the start or later: its stream waits, and so do we.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import Gauge

from ccaas.errors import CcaasError, SetupError
from ccaas.outreach import refusals
from ccaas.outreach.events import EventBook, EventRefused
from ccaas.outreach.play_settings import NatsStream
from ccaas.outreach.store import OutreachStore
from ccaas.ports.site import Site

_log = structlog.get_logger(__name__)

CONNECTED = Gauge("ccaas_event_bus_connected", "Whether events can come from a message bus now (1) or not (0)", ["bus"])

BATCH = 64
"""Messages that are fetched and stored at once."""
FETCH_S = 5.0
"""How long one request for messages stays with the server."""
ACK_WAIT_S = 30.0
"""A message that was not acknowledged for so long is delivered again."""
AGAIN_S = 5.0
"""A message whose event could not be stored is wanted again after this time."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
"""Between two tries to reach the server."""
CONNECT_S = 5


class _Away(Exception):
    """The server, its stream or its consumer cannot be used now; the sentence says why."""


class NatsBus:
    """One stream of the YAML."""

    def __init__(self, name: str, settings: NatsStream, book: EventBook, store: OutreachStore, site: Site) -> None:
        """Raises SetupError when a secret cannot be read."""
        self._name = name
        self._settings = settings
        self._book = book
        self._store = store
        self._login = _login(name, settings, site)
        self._away = ""
        """Why it is away; empty while it is there. Told once."""

    async def run(self) -> None:
        """Take events until cancelled."""
        wait = FIRST_WAIT_S
        CONNECTED.labels(self._name).set(0)
        while True:
            client = Client()
            lost = asyncio.Event()
            try:
                consumer = await self._open(client, lost)
                wait = FIRST_WAIT_S
                await self._take(consumer, lost)
            except (_Away, nats.errors.Error, OSError, TimeoutError) as error:
                self._gone(str(error) or type(error).__name__)
            finally:
                CONNECTED.labels(self._name).set(0)
                await _closed(client)
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, LONGEST_WAIT_S)

    async def _open(self, client: Client, lost: asyncio.Event) -> JetStreamContext.PullSubscription:
        async def gone() -> None:
            lost.set()

        said = ""

        async def failed(error: Exception) -> None:
            nonlocal said
            said = str(error)

        # The library's own reconnecting gives up what was asked for meanwhile; here each beginning is the same.
        try:
            await client.connect(
                list(self._settings.servers),
                name="ccaas",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_S,
                ping_interval=10,
                disconnected_cb=gone,
                closed_cb=gone,
                error_cb=failed,
                **self._login,
            )
        except nats.errors.NoServersError:
            raise _Away(said or "no server can be reached") from None
        wanted = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT_S, max_deliver=-1)
        stream = self._settings.stream
        try:
            consumer = await client.jetstream(timeout=CONNECT_S).pull_subscribe(
                self._settings.subject, self._settings.durable, stream, config=wanted
            )
        except NotFoundError:
            raise _Away(f"there is no stream {stream} on it; make it there, or mend `stream`") from None
        if self._away:
            _log.info("the bus is back", bus=self._name)
            self._away = ""
        else:
            _log.info("events come from a bus", bus=self._name, stream=stream, subject=self._settings.subject)
        CONNECTED.labels(self._name).set(1)
        return consumer

    def _gone(self, why: str) -> None:
        if not self._away:
            _log.warning("the bus is away; events wait there, and are taken when it is back", bus=self._name, why=why)
        self._away = why

    async def _take(self, consumer: JetStreamContext.PullSubscription, lost: asyncio.Event) -> None:
        while True:
            await asyncio.gather(*(self._one(message) for message in await _fetched(consumer, lost)))

    async def _one(self, message: Msg) -> None:
        try:
            await self._book.take(message.data, self._name, self._settings.types)
        except EventRefused as refused:
            await self._refuse(message, str(refused))
        except CcaasError as error:
            _log.error("an event was not taken; it is wanted again", source=self._name, error=str(error))
            await message.nak(delay=AGAIN_S)
        else:
            await message.ack()

    async def _refuse(self, message: Msg, why: str) -> None:
        """Keep why, then have the message delivered no more."""
        where = f"{self._settings.stream} {message.metadata.sequence.stream}"
        _log.error("a message of the bus is no event of ours", source=self._name, message=where, why=why)
        try:
            await self._store.write(refusals.keeping(self._name, where, message.subject, _id(message.data), why))
        except CcaasError as error:
            _log.error("a refusal could not be kept; it is tried again", source=self._name, error=str(error))
            await message.nak(delay=AGAIN_S)
        else:
            await message.term()


async def _fetched(consumer: JetStreamContext.PullSubscription, lost: asyncio.Event) -> Sequence[Msg]:
    """The next messages, or none for a while. Raises _Away as soon as the connection is lost."""
    fetching = asyncio.ensure_future(consumer.fetch(BATCH, timeout=FETCH_S))
    losing = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait({fetching, losing}, return_when=asyncio.FIRST_COMPLETED)
        if not fetching.done() or fetching.cancelled():
            raise _Away("the connection was lost")
        try:
            return fetching.result()
        except TimeoutError:
            return ()
    finally:
        for task in (fetching, losing):
            task.cancel()
        await asyncio.gather(fetching, losing, return_exceptions=True)


async def _closed(client: Client) -> None:
    try:
        await client.close()
    except (nats.errors.Error, OSError) as error:
        _log.debug("a connection to a bus was not closed in order", error=str(error))


def _id(body: bytes) -> str:
    """The event's id, where the message has one; for people who look for it."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("id", ""))[:120] if isinstance(found, dict) else ""


def _login(name: str, settings: NatsStream, site: Site) -> dict[str, Any]:
    """How the library is told who we are. Raises SetupError."""
    login: dict[str, Any] = {}
    if settings.user:
        file = site.path(settings.password_file)
        login |= {"user": settings.user, "password": _read(name, "password_file", file).strip()}
    if settings.credentials_file:
        file = site.path(settings.credentials_file)
        _read(name, "credentials_file", file)
        login["user_credentials"] = str(file)
    if settings.ca_file:
        file = site.path(settings.ca_file)
        try:
            login["tls"] = ssl.create_default_context(cafile=file)
        except (OSError, ssl.SSLError) as error:
            raise SetupError(f"{file}: proactive.nats.{name}.ca_file cannot be used ({error}); mend it") from None
    return login


def _read(name: str, setting: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SetupError(f"{file}: proactive.nats.{name}.{setting} cannot be read ({why}); mend it") from None
