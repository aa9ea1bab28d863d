"""Events from outside: signed, in time, valid, stored once, and answered before the work begins."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
from outreach_world import SCHEMA, settings
from pydantic import ValidationError
from test_textdesk import free_port

from ccaas.config.settings import PublicWeb
from ccaas.outreach.events import EventBook, EventRefused, WebhookDoor, keep_schedule, signature
from ccaas.outreach.store import OutreachStore
from ccaas.web.public import PublicServer

SECRET = b"a secret of thirty-two characters"
EVENT = {"id": "e-1", "type": "flight.cancelled", "data": {"flight": "HAT170"}}


class Door:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.begun: list[str] = []

    async def __aenter__(self) -> Self:
        self.store = await OutreachStore.open(self.folder / "outreach.sqlite")
        chosen = settings()
        self.book = EventBook(chosen, self.store)
        self.book.taken = self.begun.append
        door = WebhookDoor("crm", chosen.webhooks["crm"], SECRET, self.book)
        self.server = PublicServer(PublicWeb(port=self.port), {}, {"crm": door.post})
        assert self.server.wanted
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()
        await self.store.close()

    async def post(self, event: object, ago: float = 0.0, secret: bytes = SECRET, **headers: str) -> tuple[int, Any]:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        stamp = str(int(time.time() - ago))
        signed = {"X-Ccaas-Timestamp": stamp, "X-Ccaas-Signature": signature(secret, stamp, body), **headers}
        url = f"http://127.0.0.1:{self.port}/events/crm"
        async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=signed) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.status == 202 else text


async def test_an_event_is_taken_once_also_after_a_restart(tmp_path: Path) -> None:
    async with Door(tmp_path) as door:
        assert await door.post(EVENT) == (202, {"event": "e-1", "new": True})
        assert await door.post(EVENT) == (202, {"event": "e-1", "new": False})
    async with Door(tmp_path) as door:
        assert await door.post(EVENT) == (202, {"event": "e-1", "new": False})
        assert door.begun == []
        status, text = await door.post(EVENT | {"data": {"flight": "HAT171"}})
        assert (status, "was another event" in text) == (409, True)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"secret": b"another secret"}, 401),
        ({"ago": 301.0}, 401),
        ({"ago": -301.0}, 401),
        ({"X-Ccaas-Signature": ""}, 401),
        ({"X-Ccaas-Signature": "sha256=ü"}, 401),
        ({"X-Ccaas-Timestamp": "now"}, 401),
    ],
)
async def test_who_does_not_sign_in_time_is_not_heard(tmp_path: Path, how: dict[str, Any], status: int) -> None:
    async with Door(tmp_path) as door:
        found, text = await door.post(EVENT, **how)
        assert (found, door.begun, text.count("\n")) == (status, [], 1)


@pytest.mark.parametrize(
    ("event", "status", "words"),
    [
        (b"{", 400, "JSON"),
        ([], 400, "body"),
        (EVENT | {"id": ""}, 400, "id"),
        (EVENT | {"id": "../x"}, 400, "id"),
        (EVENT | {"more": 1}, 400, "more"),
        (EVENT | {"type": "flight.born"}, 422, "type"),
        (EVENT | {"data": {}}, 422, "data: 'flight' is a required property"),
        (EVENT | {"data": {"flight": 7}}, 422, "data.flight"),
    ],
)
async def test_what_is_no_event_is_told_so(tmp_path: Path, event: object, status: int, words: str) -> None:
    async with Door(tmp_path) as door:
        found, text = await door.post(event)
        assert (found, words in text, door.begun) == (status, True, [])


async def test_what_cannot_be_stored_is_to_be_sent_again(tmp_path: Path) -> None:
    async with Door(tmp_path) as door:
        await door.store.close()
        assert (await door.post(EVENT))[0] == 503


async def test_the_clock_sends_events_once_for_each_moment(tmp_path: Path) -> None:
    class Listening(EventBook):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.heard = asyncio.Queue[tuple[str, bool]]()

        async def take(self, *arguments: Any) -> tuple[str, bool]:
            found = await super().take(*arguments)
            self.heard.put_nowait(found)
            return found

    store = await OutreachStore.open(tmp_path / "outreach.sqlite")
    chosen = settings(schedule={"daily": {"cron": "30 7 * * *", "type": "flight.cancelled", "data": {"flight": "H"}}})
    just_before = datetime(2026, 3, 2, 7, 29, 59, 900_000, tzinfo=UTC)
    for new in (True, False):  # the second controller's clock stands before the same moment
        book, began = Listening(chosen, store), time.monotonic()
        clock = asyncio.create_task(
            keep_schedule(
                chosen,
                book,
                lambda: just_before + timedelta(seconds=time.monotonic() - began),  # noqa: B023
            )
        )
        assert await asyncio.wait_for(book.heard.get(), 20) == ("daily-20260302T0730", new)
        clock.cancel()
        await asyncio.gather(clock, return_exceptions=True)
    await store.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": {"x": {"play": "rebook", "schema": {"type": "nonsense"}}}},
        {"events": {"x": {"play": "none", "schema": SCHEMA}}},
        {"webhooks": {"crm": {"secret_file": "s", "types": ["none"]}}},
        {"schedule": {"s": {"cron": "at noon", "type": "flight.cancelled"}}},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


async def test_an_event_of_another_sender_is_not_taken(tmp_path: Path) -> None:
    store = await OutreachStore.open(tmp_path / "outreach.sqlite")
    with pytest.raises(EventRefused):
        await EventBook(settings(), store).take(json.dumps(EVENT).encode(), "other", ("parcel.late",))
    await store.close()
