"""Events from outside: looked at, stored once under their id, and only then believed to be here. The work comes later."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import jsonschema
import structlog
from aiohttp import web
from croniter import croniter
from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ccaas.errors import CcaasError
from ccaas.outreach.play_settings import ProactiveSettings, Webhook
from ccaas.outreach.store import OutreachStore

_log = structlog.get_logger(__name__)

EVENTS = Counter("ccaas_events_total", "Events from outside, by what was done with them", ["source", "type", "result"])
SIGNATURE, TIMESTAMP = "X-Ccaas-Signature", "X-Ccaas-Timestamp"
ID = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}"


class EventRefused(CcaasError):
    """An event that is not taken. `status`: what an HTTP client is told."""

    exit_code = 2

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class IncomingEvent(BaseModel):
    """An event as it comes."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=f"^{ID}$")]
    """The sender's; the same id again is the same event, and sets nothing off."""
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that we have."""

    id: str
    type: str
    play: str
    data: Mapping[str, Any]
    at: float


class EventBook:
    """Takes events. `taken` is called for each new one once it is stored."""

    def __init__(self, settings: ProactiveSettings, store: OutreachStore) -> None:
        self._settings = settings
        self._store = store
        self.taken: Callable[[str], None] = lambda _: None

    async def take(self, raw: bytes, source: str, types: tuple[str, ...] | None = None) -> tuple[str, bool]:
        """The event's id, and whether it is new. Raises EventRefused, or OutreachError when it could not be stored."""
        try:
            event = IncomingEvent.model_validate_json(raw)
        except ValidationError as error:
            EVENTS.labels(source, "", "unreadable").inc()
            first = error.errors()[0]
            raise EventRefused(400, f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
        kind = self._settings.events.get(event.type)
        if kind is None or (types is not None and event.type not in types):
            EVENTS.labels(source, "", "unknown type").inc()
            raise EventRefused(422, f"type: {event.type} is no event that comes this way")
        problem = next(jsonschema.Draft202012Validator(kind.json_schema).iter_errors(event.data), None)
        if problem is not None:
            EVENTS.labels(source, event.type, "not valid").inc()
            raise EventRefused(422, f"{'.'.join(['data', *map(str, problem.absolute_path)])}: {problem.message}")
        body = json.dumps(event.data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        before = await self._store.write(_storing(event, kind.play, body, source))
        if before not in (None, (event.type, body)):
            raise EventRefused(409, f"id: {event.id} was another event before")
        new = before is None
        EVENTS.labels(source, event.type, "taken" if new else "known").inc()
        if new:
            _log.info("event", event_id=event.id, type=event.type, source=source)
            self.taken(event.id)
        return event.id, new


def _storing(
    event: IncomingEvent, play: str, body: str, source: str
) -> Callable[[sqlite3.Connection], tuple[str, str] | None]:
    """Store it unless its id is there; the type and body of the one that is."""

    def work(db: sqlite3.Connection) -> tuple[str, str] | None:
        row = db.execute("SELECT type, body FROM events WHERE event_id = ?", (event.id,)).fetchone()
        if row is None:
            values = (event.id, event.type, play, body, source, time.time())
            db.execute("INSERT INTO events (event_id, type, play, body, source, at) VALUES (?, ?, ?, ?, ?, ?)", values)
        return None if row is None else (row["type"], row["body"])

    return work


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """What stands in `X-Ccaas-Signature`: HMAC-SHA256 over timestamp, a dot, and the body."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class WebhookDoor:
    """HTTP for one sender."""

    def __init__(self, name: str, webhook: Webhook, secret: bytes, book: EventBook) -> None:
        self._name = name
        self._webhook = webhook
        self._secret = secret
        self._book = book

    async def post(self, request: web.Request) -> web.Response:
        """Take one event: 202 at once, 401 for a wrong or late signature, 4xx for what is no event, 503 to try again."""
        body = await request.read()
        stamp = request.headers.get(TIMESTAMP, "")
        if not hmac.compare_digest(
            request.headers.get(SIGNATURE, "").encode("utf-8", "surrogateescape"),
            signature(self._secret, stamp, body).encode(),
        ):
            EVENTS.labels(self._name, "", "wrong signature").inc()
            raise web.HTTPUnauthorized(text=f"{SIGNATURE} is missing or wrong")
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > self._webhook.window_s:
            EVENTS.labels(self._name, "", "late").inc()
            raise web.HTTPUnauthorized(text=f"{TIMESTAMP} is not within {self._webhook.window_s:g} s of now")
        try:
            event_id, new = await self._book.take(body, self._name, self._webhook.types)
        except EventRefused as refused:
            return web.Response(status=refused.status, text=f"{refused}\n")
        except CcaasError as error:
            _log.error("an event was not taken", source=self._name, error=str(error))
            raise web.HTTPServiceUnavailable(text="the event could not be stored; send it again") from None
        return web.json_response({"event": event_id, "new": new}, status=202)


async def keep_schedule(settings: ProactiveSettings, book: EventBook, wall: Callable[[], datetime]) -> None:
    """Send what the clock sends, until cancelled. Its ids name the moment: a restart sends nothing twice."""
    clocks = {name: croniter(one.cron, wall()) for name, one in settings.schedule.items()}
    due = {name: clock.get_next(datetime) for name, clock in clocks.items()}
    while due:
        name = min(due, key=lambda one: due[one])
        moment = due[name]
        await asyncio.sleep(max((moment - wall()).total_seconds(), 0.0))
        one = settings.schedule[name]
        body = {"id": f"{name}-{moment:%Y%m%dT%H%M}", "type": one.type, "data": one.data}
        try:
            await book.take(json.dumps(body).encode(), "schedule")
        except CcaasError as error:
            _log.error("an event of the schedule was not taken", schedule=name, error=str(error))
        due[name] = clocks[name].get_next(datetime)
