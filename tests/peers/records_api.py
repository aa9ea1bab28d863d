"""A system of record over HTTP that describes itself by OpenAPI, and misbehaves when told to: a process of its own.

`python records_api.py PORT`. `POST /mood {"mood": …, "times": N}` spoils the next N writes; `GET /books` tells what was booked.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiohttp import web

Json = dict[str, Any]
TOKEN = "Bearer of-the-test"

DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1"},
    "servers": [{"url": "http://127.0.0.1/"}],
    "paths": {
        "/orders/{order}": {
            "parameters": [{"name": "order", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "getOrder",
                "summary": "One order.",
                "parameters": [{"name": "full", "in": "query", "schema": {"type": "boolean"}}],
                "responses": {"200": {"$ref": "#/components/responses/Order"}},
            },
        },
        "/orders/{order}/refunds": {
            "post": {
                "operationId": "refundOrder",
                "summary": "Give money back.",
                "parameters": [{"name": "order", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}},
                },
                "responses": {"201": {"$ref": "#/components/responses/Booked"}},
            }
        },
        "/refunds/{id}/reversal": {
            "post": {
                "operationId": "reverseRefund",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"201": {"$ref": "#/components/responses/Booked"}},
            }
        },
    },
    "components": {
        "schemas": {
            "Money": {"type": "number", "exclusiveMinimum": 0},
            "Refund": {
                "type": "object",
                "required": ["amount"],
                "properties": {"amount": {"$ref": "#/components/schemas/Money"}, "note": {"type": "string"}},
            },
            "Order": {
                "type": "object",
                "required": ["order", "total"],
                "properties": {"order": {"type": "string"}, "total": {"$ref": "#/components/schemas/Money"}},
            },
            "Booked": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
        },
        "responses": {
            "Order": {
                "description": "It.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
            },
            "Booked": {
                "description": "Done.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Booked"}}},
            },
        },
    },
}


class Books:
    """What is booked, by idempotency key."""

    def __init__(self) -> None:
        self.booked: dict[str, Json] = {}
        self.requests = 0
        self.mood, self.times = "", 0

    def spoiled(self) -> str:
        """The mood of this request."""
        if not self.times:
            return ""
        self.times -= 1
        return self.mood

    async def get(self, request: web.Request) -> web.StreamResponse:
        match self.spoiled():
            case "error":
                raise web.HTTPInternalServerError
            case "nonsense":
                return web.json_response({"order": 7})
            case "hang":
                await asyncio.Event().wait()
        if request.headers.get("Authorization") != TOKEN:
            raise web.HTTPUnauthorized
        if request.match_info["order"] != "A1":
            raise web.HTTPNotFound(
                text='{"detail": "There is no such order."}', content_type="application/problem+json"
            )
        return web.json_response({"order": "A1", "total": 40.5, "full": request.query.get("full", "")})

    async def post(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        mood, key = self.spoiled(), request.headers["Idempotency-Key"]
        body = await request.json() if request.can_read_body else {}
        if mood == "error":
            raise web.HTTPInternalServerError
        if body.get("amount", 0) > 100:
            raise web.HTTPUnprocessableEntity(
                text='{"message": "Refunds are 100 at most."}', content_type="application/json"
            )
        told = self.booked.setdefault(key, {"id": len(self.booked) + 1, "path": request.path, **body})
        match mood:
            case "error after":
                raise web.HTTPInternalServerError
            case "nonsense after":
                return web.json_response({"id": "what?"}, status=201)
            case "hang after":
                await asyncio.Event().wait()
            case "break after":
                assert request.transport is not None
                request.transport.abort()
        return web.json_response({"id": told["id"]}, status=201)

    async def set(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.mood, self.times = body["mood"], body["times"]
        return web.json_response({})

    async def tell(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"requests": self.requests, "booked": list(self.booked.values())})


def main(port: int) -> None:
    books, app = Books(), web.Application()
    app.router.add_get("/openapi.json", describe)
    app.router.add_get("/orders/{order}", books.get)
    app.router.add_post("/orders/{order}/refunds", books.post)
    app.router.add_post("/refunds/{id}/reversal", books.post)
    app.router.add_post("/mood", books.set)
    app.router.add_get("/books", books.tell)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda _: print("ready", flush=True), handler_cancellation=True)


async def describe(_: web.Request) -> web.StreamResponse:
    return web.json_response(DOCUMENT)


if __name__ == "__main__":
    main(int(sys.argv[1]))
