"""Preview at the desk: an agent sees the next record of a campaign, and decides whether it is called."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from ccaas.dialler import records
from ccaas.dialler.pages import SHOWN_S
from ccaas.dialler.state import CampaignState, RecordState, RecordStep
from ccaas.dialler.store import CampaignStore
from ccaas.errors import CcaasError
from ccaas.ports.accounts import Role
from ccaas.web.staff.routes import Routes, account_of

_Ask = Callable[[str, str, bytes], Awaitable[dict[str, object]]]
"""Campaign, login, body."""


class Decision(BaseModel):
    """What the agent does with the record that they see."""

    model_config = ConfigDict(extra="forbid", strict=True)

    record: int
    do: Literal["release", "put back", "skip"]


class PreviewPages:
    """GET /desk/preview, GET /desk/preview/NAME/RECORD, POST /desk/preview/NAME/{next,decide}."""

    def __init__(self, store: CampaignStore, campaigns: Mapping[str, Collection[str]]) -> None:
        """`campaigns`: those that preview, and the logins that may take their calls."""
        self._store = store
        self._campaigns = campaigns

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        routes.add("GET", "/desk/preview", self._mine, role=Role.AGENT)
        routes.add("GET", "/desk/preview/{name}/{record:[0-9]+}", self._became, role=Role.AGENT)
        routes.add("POST", "/desk/preview/{name}/next", self._answering(self._next), role=Role.AGENT)
        routes.add("POST", "/desk/preview/{name}/decide", self._answering(self._decide), role=Role.AGENT)

    def _may(self, name: str, login: str) -> bool:
        return login in self._campaigns.get(name, ())

    def _answering(self, ask: _Ask) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            name, login = request.match_info["name"], account_of(request).login
            if not self._may(name, login):
                raise web.HTTPNotFound(text=f"there is no campaign {name} that you see records of\n")
            try:
                return web.json_response(await ask(name, login, await request.read()))
            except ValidationError as error:
                where = ".".join(str(step) for step in error.errors()[0]["loc"])
                raise web.HTTPBadRequest(text=f"{where}: {error.errors()[0]['msg']}\n") from None
            except CcaasError as error:
                raise web.HTTPConflict(text=f"{error}\n") from None

        return answer

    async def _mine(self, request: web.Request) -> web.StreamResponse:
        login = account_of(request).login
        states = await self._store.read(records.states)
        names = [name for name in self._campaigns if self._may(name, login)]
        shown = await self._store.read(records.shown_to(login, time.time()))
        return web.json_response(
            {
                "campaigns": [name for name in names if states.get(name) is CampaignState.RUNNING],
                "shown": [{"campaign": name, **asdict(one)} for name, one in shown if name in names],
            }
        )

    async def _next(self, name: str, login: str, _: bytes) -> dict[str, object]:
        now = time.time()
        if any(campaign == name for campaign, _ in await self._store.read(records.shown_to(login, now))):
            raise CcaasError("decide on the one that you see first")
        shown = await self._store.write(records.showing(name, login, now, now + SHOWN_S))
        return {"record": None if shown is None else asdict(shown)}

    async def _decide(self, name: str, login: str, body: bytes) -> dict[str, object]:
        asked = Decision.model_validate_json(body)
        await self._store.write(records.deciding(name, asked.record, RecordStep(asked.do), time.time(), login))
        return {}

    async def _became(self, request: web.Request) -> web.StreamResponse:
        name, login = request.match_info["name"], account_of(request).login
        found = await self._store.read(records.came_to(name, int(request.match_info["record"]), login))
        if found is None or not self._may(name, login):
            raise web.HTTPNotFound(text="that record is none that you have decided on\n")
        state, disposition, words = found
        over = state not in (RecordState.RELEASED, RecordState.DIALLING)
        return web.json_response({"over": over, "state": state.value, "disposition": disposition, "words": words})
