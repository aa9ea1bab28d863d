"""The page /call: anybody who reaches the site can call from the browser, one number and no other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from itsdangerous import Signer

from ccaas.errors import AsteriskError
from ccaas.ports.telephony import BrowserLines
from ccaas.web.accounts.throttle import Throttle
from ccaas.web.call.relay import Relay
from ccaas.web.call.settings import CallPage
from ccaas.web.call.sip import GUEST
from ccaas.web.staff.routes import Routes

_log = structlog.get_logger(__name__)

PAGES = Path(__file__).parent / "pages"
SIP_PATH = "/call/sip"
CAPTIONS_PATH = "/call/captions"
_LOOK_S = 0.4
"""How often is looked for what has been said."""
_WATCHERS = 4
"""Most pages that are told at a time what is said on one telephone; each costs a look every `_LOOK_S`."""
_GRACE_S = 10.0
"""So long a guest's telephone waits for its page to come back, unless it is in a call."""
_SWEEP_S = 60.0
"""How often those are closed that were never connected, or were left by an earlier controller."""


class GuestRoutes:
    """Adds its routes to a site; `start` closes telephones that nobody uses."""

    def __init__(
        self,
        settings: CallPage,
        number: str,
        lines: BrowserLines,
        relay: Relay,
        key: bytes,
        own: Callable[[web.Request], None],
        address: Callable[[web.Request], str],
        said: Callable[[str], Awaitable[Mapping[str, str]]],
    ) -> None:
        """Args:
        settings: the YAML's `web.desk.call`.
        number: what the callers reach.
        lines: where their telephones are made.
        relay: over which they speak.
        key: this installation's own secret.
        own: refuses a request that another site's page makes, by raising.
        address: where a browser is.
        said: what has been said in the call of a guest's telephone, in order, by keys that begin with who said it:
            "customer …" or "butler …".
        """
        self._settings = settings
        self._number = number
        self._lines = lines
        self._relay = relay
        self._signer = Signer(key, salt="ccaas guest", digest_method=hashlib.sha256)
        self._own = own
        self._address = address
        self._said = said
        self._begun = Throttle(settings.per_minute, 60.0, time.monotonic)
        self._connected: Tally[str] = Tally()
        self._watched: Tally[str] = Tally()
        self._opening = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def add_to(self, routes: Routes) -> None:
        """GET /call is the page, POST /call gives it a telephone."""
        routes.page("/call", "Call", PAGES / "call.html", role=None)
        routes.static("/call/page", PAGES)
        # Nobody is signed in; `_give` looks by itself where it comes from.
        routes.add("POST", "/call", self._give, role=None, foreign=True)
        routes.add("GET", SIP_PATH, self._speak, role=None)
        routes.add("GET", CAPTIONS_PATH, self._captions, role=None)

    def start(self) -> None:
        self._begin(self._sweep())

    async def close(self) -> None:
        for task in (*self._tasks,):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="guests")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give(self, request: web.Request) -> web.StreamResponse:
        self._own(request)
        address = self._address(request)
        if wait := self._begun.wait_s(address):
            raise web.HTTPTooManyRequests(text="too many calls from here\n", headers={"Retry-After": f"{wait:.0f}"})
        self._begun.failed(address)
        # Counted before anything is awaited, so that requests at the same time count too.
        self._opening += 1
        try:
            if len(await self._lines.guests()) + self._opening > self._settings.at_once:
                raise web.HTTPServiceUnavailable(text="all lines are busy\n", headers={"Retry-After": "30"})
            line = await self._lines.open_guest(self._number)
        except AsteriskError as error:
            _log.warning("a guest gets no telephone", error=str(error))
            raise web.HTTPBadGateway(text="the telephone system is not reached\n") from None
        finally:
            self._opening -= 1
        proof = f"?line={self._signer.sign(line.user).decode()}"
        telephone = {"user": line.user, "password": line.password, "path": SIP_PATH + proof}
        return web.json_response({**telephone, "captions": CAPTIONS_PATH + proof})

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self._own(request)
        user = await self._line_of(request)
        self._connected[user] += 1
        try:
            return await self._relay.serve(request, user, GUEST)
        finally:
            self._connected[user] -= 1
            self._connected += Tally()  # drops zeros
            self._begin(self._let_go(user))

    async def _line_of(self, request: web.Request) -> str:
        given = request.query.get("line", "")
        user = given.rpartition(".")[0]
        if not self._signer.validate(given) or not await self._lines.is_open(user):
            raise web.HTTPConflict(text="this telephone is not open; load the page again\n")
        return user

    async def _captions(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events `said`: {id, who, text}; an id that comes again has a longer text. They end with the line."""
        user = await self._line_of(request)
        if self._watched[user] >= _WATCHERS:
            raise web.HTTPTooManyRequests(text="too many pages are told about this call\n")
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self._watched[user] += 1
        try:
            await answer.prepare(request)
            await self._tell(request, answer, user)
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._watched[user] -= 1
            self._watched += Tally()  # drops zeros
        return answer

    async def _tell(self, request: web.Request, answer: web.StreamResponse, user: str) -> None:
        told: dict[str, str] = {}
        while self._connected[user] and request.transport is not None:
            for key, text in (await self._said(user)).items():
                if text and told.get(key) != text:
                    told[key] = text
                    line = {"id": key, "who": key.partition(" ")[0], "text": text}
                    await answer.write(f"event: said\ndata: {json.dumps(line)}\n\n".encode())
            await asyncio.sleep(_LOOK_S)

    async def _let_go(self, user: str) -> None:
        await asyncio.sleep(_GRACE_S)
        await self._tidy({user})

    async def _sweep(self) -> None:
        idle: set[str] = set()
        while True:
            idle = await self._tidy(idle)
            await asyncio.sleep(_SWEEP_S)

    async def _tidy(self, named: set[str]) -> set[str]:
        """Close those of `named` that nobody uses; all that nobody uses."""
        unused: set[str] = set()
        try:
            unused = {user for user, busy in (await self._lines.guests()).items() if not busy}
            unused -= set(self._connected)
            for user in unused & named:
                await self._lines.close(user)
        except AsteriskError as error:
            _log.warning("guests' telephones are not tidied up", error=str(error))
        return unused
