"""The journey over HTTP, for a customer-relationship system or an erasure desk: show, export, erase, merge.

Who is meant stands in the path as it is written: a number, an e-mail address, `sip:…`, `chat:…`, or a customer's id.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Annotated, Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ccaas.errors import CcaasError, JourneyError
from ccaas.journey.database import StoreDown
from ccaas.journey.rows import to_line
from ccaas.ports.journey import Erased, Journey

MOST = 2_000
"""Most facts of one answer."""

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Erasing(Protocol):
    """As `ccaas.erasure.Erasure`."""

    async def erase(self, customer_id: str, why: str, by: str) -> Erased:
        """Erase a person from the journey and from this machine. Raises CcaasError."""
        ...

    async def erase_here(self, customer_id: str) -> int:
        """Erase what this machine alone keeps of a person; how many calls and conversations. Raises CcaasError."""
        ...


class Remembering(Protocol):
    """What is asked of a controller."""

    @property
    def journey(self) -> Journey:
        """The store; every method of it may raise JourneyError."""
        ...

    async def customer_of(self, text: str) -> str:
        """Whom an id or an identity means. Raises JourneyError for nobody."""
        ...

    @property
    def erasure(self) -> Erasing:
        """Erases people."""
        ...


class Merge(BaseModel):
    """Body of POST /journey/merge."""

    model_config = ConfigDict(extra="forbid")

    kept: Annotated[str, Field(min_length=1)]
    gone: Annotated[str, Field(min_length=1)]
    why: str = ""
    by: str = "api"


class JourneyRoutes:
    """Adds its routes to an application whose middleware has checked the token."""

    def __init__(self, controlled: Remembering) -> None:
        self._controlled = controlled

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/journey/merge", _answered(self._merge))
        app.router.add_get("/journey/{identity}", _answered(self._show))
        app.router.add_get("/journey/{identity}/export", _answered(self._export))
        app.router.add_delete("/journey/{identity}", _answered(self._forget))

    async def _show(self, request: web.Request) -> web.StreamResponse:
        journey, customer = self._controlled.journey, await self._customer(request)
        try:
            limit = min(MOST, max(1, int(request.query.get("limit", "200"))))
            before = float(request.query["before"]) if "before" in request.query else None
        except ValueError:
            raise web.HTTPBadRequest(text="limit is a whole number, before Unix seconds\n") from None
        context = await journey.context(customer)
        if context is None:
            raise JourneyError(f"there is no customer {customer}")
        body = {
            "context": to_line("context", context),
            "threads": [to_line("thread", thread) for thread in await journey.threads(customer)],
            "timeline": [to_line("fact", fact) for fact in await journey.timeline(customer, limit, before)],
        }
        return web.json_response(body)

    async def _export(self, request: web.Request) -> web.StreamResponse:
        lines = self._controlled.journey.export(await self._customer(request), _by(request))
        first = await anext(aiter(lines))
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        await answer.write(json.dumps(first).encode() + b"\n")
        async for line in lines:
            await answer.write(json.dumps(line).encode() + b"\n")
        return answer

    async def _forget(self, request: web.Request) -> web.StreamResponse:
        customer, why = await self._customer(request), request.query.get("why", "asked to be forgotten")
        if "here" in request.query:
            return web.json_response({"conversations": await self._controlled.erasure.erase_here(customer)})
        erased = await self._controlled.erasure.erase(customer, why, _by(request))
        return web.json_response(
            {"receipt": erased.receipt, "facts": erased.facts, "recordings": len(erased.recordings)}
        )

    async def _merge(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = Merge.model_validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPBadRequest(text=f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}\n") from None
        kept, gone = [await self._controlled.customer_of(text) for text in (wanted.kept, wanted.gone)]
        try:
            await self._controlled.journey.merge(kept, gone, wanted.why, wanted.by)
        except StoreDown:
            raise
        except JourneyError as error:
            raise web.HTTPConflict(text=f"{error}\n") from None
        return web.json_response({"customer": kept})

    async def _customer(self, request: web.Request) -> str:
        return await self._controlled.customer_of(request.match_info["identity"])


def _by(request: web.Request) -> str:
    return request.query.get("by", "api")


def _answered(respond: Respond) -> Respond:
    """Nobody of that name: 404; a store that is down: 503; what failed for another reason: 500. With the sentence."""

    @wraps(respond)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await respond(request)
        except StoreDown as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from None
        except JourneyError as error:
            raise web.HTTPNotFound(text=f"{error}\n") from None
        except CcaasError as error:
            raise web.HTTPInternalServerError(text=f"{error}\n") from None

    return answer
