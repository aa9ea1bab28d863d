"""Queues and agents over HTTP, for the command line: the board, an agent's state, and the YAML read anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Literal, Protocol

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from ccaas.errors import CcaasError
from ccaas.ports.contact import AgentState, ContactCentre

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HasQueues(Protocol):
    """What is asked of a controller."""

    @property
    def centre(self) -> ContactCentre: ...


class SetState(BaseModel):
    """Body of POST /agents/{login}."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["available", "away", "offline"]
    reason: str = ""
    by: str = "command line"


class QueueRoutes:
    """Adds its routes to an application whose middleware has checked the token."""

    def __init__(self, controlled: HasQueues) -> None:
        self._controlled = controlled

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/board", _answered(self._board))
        app.router.add_post("/agents/{login}", _answered(self._set))
        app.router.add_post("/reload", _answered(self._reload))

    async def _board(self, _: web.Request) -> web.StreamResponse:
        board = self._controlled.centre.board()
        return web.json_response(msgspec.to_builtins(board))

    async def _set(self, request: web.Request) -> web.StreamResponse:
        wanted = SetState.model_validate_json(await request.read())
        login = request.match_info["login"]
        await self._controlled.centre.set_state(login, AgentState(wanted.state), wanted.reason, by=wanted.by)
        agent = next(one for one in self._controlled.centre.board().agents if one.login == login)
        return web.json_response({"login": login, "state": agent.state.value, "reason": agent.reason})

    async def _reload(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"changed": list(await self._controlled.centre.reload())})


def _answered(respond: Respond) -> Respond:
    """What cannot be done is one sentence."""

    @wraps(respond)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await respond(request)
        except ValidationError as error:
            raise web.HTTPBadRequest(text=f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}\n") from None
        except CcaasError as error:
            raise web.HTTPConflict(text=f"{error}\n") from None

    return answer
