"""Health and metrics for everybody who reaches the port; calls, originate, drain and journeys for who holds the token.

The token is made anew by each controller and lies in the state folder, readable by its owner alone.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ccaas.config.settings import Web
from ccaas.errors import CcaasError, SetupError
from ccaas.outreach.permits import ContactRefused
from ccaas.outreach.settings import PurposeName
from ccaas.telephony.supervisor import Supervisor
from ccaas.web.journey import JourneyRoutes, Remembering
from ccaas.web.queues import HasQueues, QueueRoutes

TOKEN_HEADER = "X-Ccaas-Token"
TOKEN_FILE = "control.token"
"""Name within the state folder."""

TASKS = Gauge("ccaas_tasks", "The controller's tasks; as many after calls as before them")

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Controlled(Remembering, HasQueues, Protocol):
    """What can be asked of a controller."""

    supervisor: Supervisor

    async def originate(self, endpoint: str, entry: str, caller_id: str, purpose: str) -> str: ...

    def drain(self) -> None: ...


class MoreRoutes(Protocol):
    """Routes of another part."""

    def add_to(self, app: web.Application) -> None: ...


class Originate(BaseModel):
    """Body of POST /calls."""

    model_config = ConfigDict(extra="forbid")

    endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[^\s,;&|]+$")]
    entry: str
    caller_id: str = ""
    purpose: PurposeName = "service"


class ControlServer:
    """One aiohttp server. `start` listens; `close` stops."""

    def __init__(self, settings: Web, state_dir: Path, controlled: Controlled, *more: MoreRoutes) -> None:
        """`more`: what else is asked of it by who holds the token."""
        self._more = more
        self._settings = settings
        self._token_file = state_dir / TOKEN_FILE
        self._token = secrets.token_urlsafe(32)
        self._controlled = controlled
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Raises SetupError when the port is taken."""
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/calls", self._calls)
        app.router.add_post("/calls", self._originate)
        app.router.add_post("/drain", self._drain)
        JourneyRoutes(self._controlled).add_to(app)
        for more in self._more:
            more.add_to(app)
        QueueRoutes(self._controlled).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.bind, self._settings.port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            await self.close()
            where = f"{self._settings.bind}:{self._settings.port}"
            raise SetupError(
                f"web.port: {where} cannot be used ({os.strerror(error.errno or 0)}); choose another port"
            ) from None
        descriptor = os.open(self._token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._token)

    async def close(self) -> None:
        """Stop listening. Safe to call twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Respond) -> web.StreamResponse:
        if request.path in ("/health", "/metrics"):
            return await handler(request)
        given = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token.encode()):
            raise web.HTTPUnauthorized(text=f"{TOKEN_HEADER} is missing or wrong; it is in {self._token_file.name}\n")
        return await handler(request)

    async def _health(self, _: web.Request) -> web.StreamResponse:
        connected = self._controlled.supervisor.connected
        calls = len(self._controlled.supervisor.calls)
        body = {"asterisk": "connected" if connected else "lost", "calls": calls, "pid": os.getpid()}
        return web.json_response(body, status=200 if connected else 503)

    async def _metrics(self, _: web.Request) -> web.StreamResponse:
        TASKS.set(len(asyncio.all_tasks()))
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _calls(self, _: web.Request) -> web.StreamResponse:
        calls = self._controlled.supervisor.calls
        rows = [{"id": call.id, "state": call.state.value, "ani": call.ani, "dnis": call.dnis} for call in calls]
        return web.json_response({"calls": rows})

    async def _originate(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = Originate.model_validate_json(await request.read())
            call_id = await self._controlled.originate(wanted.endpoint, wanted.entry, wanted.caller_id, wanted.purpose)
        except ValidationError as error:
            raise web.HTTPBadRequest(text=f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}\n") from None
        except ContactRefused as error:
            raise web.HTTPForbidden(text=f"{error}\n") from None
        except CcaasError as error:
            raise web.HTTPBadGateway(text=f"{error}\n") from None
        return web.json_response({"id": call_id}, status=202)

    async def _drain(self, _: web.Request) -> web.StreamResponse:
        self._controlled.drain()
        return web.json_response({"calls": len(self._controlled.supervisor.calls)}, status=202)
