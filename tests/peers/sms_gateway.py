"""An SMS gateway as carriers run one, in a process of its own: takes messages by HTTP, calls back with a signature.

    python tests/peers/sms_gateway.py CALLBACK_URL SECRET

It prints its port. What a test wants of the far side goes to /far/…: write, again, got, mode.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time

import aiohttp
from aiohttp import web


class Gateway:
    def __init__(self, callback: str, secret: str) -> None:
        self.callback = callback
        self.secret = secret
        self.got: list[str] = []
        self.taken: dict[str, str] = {}
        self.last = b""
        self.number = 0
        self.mode = "well"
        self.telling: set[asyncio.Task[int]] = set()

    async def send(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer key-1":
            return web.json_response({"error": "who are you?"}, status=401)
        if self.mode == "no such number":
            return web.json_response({"error": "no such number"}, status=422)
        if self.mode == "down":
            return web.json_response({"error": "down"}, status=503)
        asked = await request.json()
        key = request.headers["Idempotency-Key"]
        if key not in self.taken:
            self.taken[key] = f"gw-{len(self.taken) + 1}"
            self.got.append(asked["message"]["text"])
        theirs = self.taken[key]
        task = asyncio.create_task(self.tell({"event": "status", "message": {"id": theirs}, "state": "delivered"}))
        self.telling.add(task)
        task.add_done_callback(self.telling.discard)
        return web.json_response({"message": {"id": theirs}}, status=202)

    async def tell(self, content: object) -> int:
        return await self.post(json.dumps(content).encode())

    async def post(self, body: bytes) -> int:
        stamp = str(int(time.time()))
        signed = hmac.new(self.secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Stamp": stamp, "X-Signature": f"sha256={signed}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.callback, data=body, headers=headers) as answer,
        ):
            return answer.status

    async def write(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.number += 1
        self.last = json.dumps(
            {
                "event": "message",
                "message": {"id": f"mo-{self.number}", "from": asked["from"], "to": asked["to"], "text": asked["text"]},
            }
        ).encode()
        return web.json_response({"status": await self.post(self.last)})

    async def again(self, _: web.Request) -> web.Response:
        return web.json_response({"status": await self.post(self.last)})

    async def read(self, _: web.Request) -> web.Response:
        return web.json_response(self.got)

    async def set_callback(self, request: web.Request) -> web.Response:
        self.callback = (await request.json())["url"]
        return web.json_response({})

    async def set_mode(self, request: web.Request) -> web.Response:
        self.mode = (await request.json())["mode"]
        return web.json_response({})


async def main(callback: str, secret: str) -> None:
    gateway = Gateway(callback, secret)
    app = web.Application()
    app.add_routes(
        [
            web.post("/messages", gateway.send),
            web.post("/far/write", gateway.write),
            web.post("/far/again", gateway.again),
            web.get("/far/got", gateway.read),
            web.post("/far/mode", gateway.set_mode),
            web.post("/far/callback", gateway.set_callback),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    # Ends with the test, whatever ends that: the pipe closes.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
