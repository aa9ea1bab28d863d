"""Campaigns on the control server: records in, where they stand, and what is asked of them."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ccaas.dialler import records
from ccaas.dialler.importing import Bad, row_of
from ccaas.dialler.records import Figures, Row
from ccaas.dialler.settings import CampaignSettings
from ccaas.dialler.state import CampaignStep, RecordStep
from ccaas.dialler.store import CampaignStore
from ccaas.errors import CcaasError
from ccaas.spelling import nearest

SHOWN_S = 300.0
"""So long a record stays before an agent who looks at it."""
MOST_ATTEMPTS = 500


class Given(BaseModel):
    """Records to be called: the columns of each, as in a CSV file."""

    model_config = ConfigDict(extra="forbid")

    records: list[dict[str, str]] = Field(min_length=1, max_length=10_000)


class Looked(BaseModel):
    """An agent looks at the next record, or has decided on one."""

    model_config = ConfigDict(extra="forbid")

    agent: str = ""
    record: int = 0
    do: str = Field(default="release", pattern="^(release|put back|skip)$")


class Recycled(BaseModel):
    """Which outcomes are begun anew; none: all but answered and refused."""

    model_config = ConfigDict(extra="forbid")

    outcomes: list[str] = Field(default_factory=list)


class CampaignRoutes:
    """GET /campaigns, GET /campaigns/NAME, POST /campaigns/NAME/{records,pause,resume,stop,recycle,next,decide}."""

    def __init__(
        self,
        store: CampaignStore,
        campaigns: Mapping[str, CampaignSettings],
        region: str,
        extensions: Collection[str],
        days: float,
    ) -> None:
        """`days`: over which abandoned calls are counted."""
        self._store = store
        self._campaigns = campaigns
        self._region = region
        self._extensions = extensions
        self._days = days

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/campaigns", self._all)
        app.router.add_get("/campaigns/{name}", self._one)
        app.router.add_post("/campaigns/{name}/records", self._answering(self._take))
        app.router.add_post("/campaigns/{name}/recycle", self._answering(self._recycle))
        app.router.add_post("/campaigns/{name}/next", self._answering(self._next))
        app.router.add_post("/campaigns/{name}/decide", self._answering(self._decide))
        for step in (CampaignStep.PAUSE, CampaignStep.RESUME, CampaignStep.STOP):
            app.router.add_post(f"/campaigns/{{name}}/{step.value}", self._answering(self._step(step)))

    def _answering(
        self, ask: Callable[[str, bytes], Awaitable[object]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            name = request.match_info["name"]
            if name not in self._campaigns:
                raise web.HTTPNotFound(text=f"there is no campaign {name}; {nearest(name, self._campaigns)}\n")
            try:
                return web.json_response(await ask(name, await request.read()))
            except ValidationError as error:
                where = ".".join(str(step) for step in error.errors()[0]["loc"])
                raise web.HTTPBadRequest(text=f"{where}: {error.errors()[0]['msg']}\n") from None
            except CcaasError as error:
                raise web.HTTPConflict(text=f"{error}\n") from None

        return answer

    async def _take(self, name: str, body: bytes) -> object:
        given = Given.model_validate_json(body).records
        rows = [row_of(one, place, self._region, self._extensions) for place, one in enumerate(given, 1)]
        good = [(place, row) for place, row in enumerate(rows, 1) if isinstance(row, Row)]
        known = await self._store.write(records.taking_in(name, [row for _, row in good], time.time()))
        bad = [{"record": one.line, "why": one.why} for one in rows if isinstance(one, Bad)]
        return {"taken": len(good) - len(known), "known": [good[place][0] for place in known], "bad": bad}

    async def _recycle(self, name: str, body: bytes) -> object:
        wanted = Recycled.model_validate_json(body or b"{}").outcomes
        return {"recycled": await self._store.write(records.recycling(name, wanted, time.time()))}

    async def _next(self, name: str, body: bytes) -> object:
        agent, now = Looked.model_validate_json(body or b"{}").agent, time.time()
        shown = await self._store.write(records.showing(name, agent, now, now + SHOWN_S))
        return {"record": None if shown is None else asdict(shown)}

    async def _decide(self, name: str, body: bytes) -> object:
        asked = Looked.model_validate_json(body)
        await self._store.write(records.deciding(name, asked.record, RecordStep(asked.do), time.time()))
        return {}

    def _step(self, step: CampaignStep) -> Callable[[str, bytes], Awaitable[object]]:
        async def ask(name: str, _: bytes) -> object:
            return {"state": (await self._store.write(records.stepping(name, step, time.time()))).value}

        return ask

    async def _all(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"campaigns": [shown(one) for one in await self._figures()]})

    async def _one(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        found = next((one for one in await self._figures() if one.name == name), None)
        if found is None:
            raise web.HTTPNotFound(text=f"nothing was imported into {name} yet\n")
        attempts = await self._store.read(records.listed(name, MOST_ATTEMPTS))
        return web.json_response(shown(found) | {"attempts": attempts}, dumps=json.dumps)

    async def _figures(self) -> list[Figures]:
        return await self._store.read(records.figures(time.time() - self._days * 86_400))


def shown(one: Figures) -> dict[str, Any]:
    """A campaign's figures as JSON."""
    found = asdict(one)
    found["state"] = one.state.value
    return found
