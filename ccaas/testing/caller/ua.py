"""The SIP caller: a phone with many lines, in a child process, scripted from asyncio."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from ccaas.testing.caller import wire
from ccaas.testing.caller.call import Call, CallEnd

_READY_S = 20.0
_LEAVE_S = 6.0

_EVENTS: msgspec.msgpack.Decoder[wire.AnyEvent] = msgspec.msgpack.Decoder(wire.AnyEvent)


class CallerError(Exception):
    """The caller's child process could not be started, ended by itself, or refused a command."""


@dataclass(frozen=True, slots=True)
class Text:
    """A SIP MESSAGE that came in."""

    sender: str
    """The From URI."""
    text: str


class SipCaller:
    """A SIP phone. Use as `async with`; holds up to 4 calls at a time (a limit that PJSIP is built with)."""

    def __init__(self, server_host: str, server_port: int, log: Path | None = None) -> None:
        """`server_host` and `server_port`: the SIP server (UDP). `log`: where the SIP stack writes what it does."""
        self._host = server_host
        self._port = server_port
        self._log = log
        self._calls: dict[int, Call] = {}
        self._numbers = itertools.count(1)
        self._incoming: asyncio.Queue[Call] = asyncio.Queue()
        self._signed_in: asyncio.Future[wire.SignedIn] | None = None
        self.port = 0
        """UDP port of 127.0.0.1 at which this phone takes calls, once entered."""
        self._writing = asyncio.Lock()
        self._written: asyncio.Future[int] | None = None
        self._texts: asyncio.Queue[Text] = asyncio.Queue()
        self.refusals: list[str] = []
        """Commands that the SIP stack could not do, each with its reason."""

    async def __aenter__(self) -> Self:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ccaas.testing.caller.child",
                str(theirs.fileno()),
                self._host,
                str(self._port),
                str(self._log or ""),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        stream, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 22)
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(wire.Reader(stream)))
        try:
            async with asyncio.timeout(_READY_S):
                await asyncio.shield(self._ready)
        except (TimeoutError, CallerError):
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    async def dial(
        self,
        number: str,
        *,
        codec: str | tuple[str, ...] = ("PCMU", "PCMA", "G722"),
        from_number: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        """Call `number` at the server; returns at once, before it rings.

        `codec`: one of PCMU, PCMA, G722, or several in order of preference. `from_number`: user part of the From URI.
        """
        call = Call(next(self._numbers), self._order)
        self._calls[call.number] = call
        codecs = (codec,) if isinstance(codec, str) else codec
        identity = f"<sip:{from_number}@{self._host}:{self._port}>" if from_number else ""
        self._order(wire.Dial(call.number, number, codecs, identity, tuple((headers or {}).items())))
        return call

    async def register(self, user: str, password: str, timeout: float = 5.0) -> None:
        """Sign in at the server, so that it can call us. Raises CallerError when it says no, TimeoutError."""
        self._signed_in = asyncio.get_running_loop().create_future()
        self._order(wire.SignIn(0, user, password))
        async with asyncio.timeout(timeout):
            result = await self._signed_in
        if result.status != 200:
            raise CallerError(f"the SIP server refused to register {user}: {result.status} {result.reason}")

    async def incoming(self, timeout: float = 10.0) -> Call:
        """The next call that comes in; answer, refuse or ring it. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            return await self._incoming.get()

    async def write(self, number: str, text: str, *, from_number: str = "", timeout: float = 10.0) -> int:
        """Send a SIP MESSAGE to `number` at the server; the status of its final answer. Raises TimeoutError."""
        async with self._writing:
            ticket = next(self._numbers)
            self._written = asyncio.get_running_loop().create_future()
            identity = f"<sip:{from_number}@{self._host}:{self._port}>" if from_number else ""
            self._order(wire.Write(ticket, number, text, identity))
            async with asyncio.timeout(timeout):
                return await self._written

    async def text(self, timeout: float = 10.0) -> Text:
        """The next SIP MESSAGE that comes in. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            return await self._texts.get()

    async def close(self) -> None:
        """Hang up everything, unregister and end the child. Safe to call twice."""
        if not self._writer.is_closing():
            self._order(wire.Leave(0))
        try:
            async with asyncio.timeout(_LEAVE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    def _order(self, command: wire.Command) -> None:
        self._writer.write(wire.pack(command))

    async def _read(self, reader: wire.Reader) -> None:
        while (event := await reader.read(_EVENTS)) is not None:
            self._take(event)
        stderr = (await self._process.stderr.read()).decode(errors="replace").strip() if self._process.stderr else ""
        if not self._ready.done():
            self._ready.set_exception(CallerError(f"the SIP caller's process ended while starting: {stderr[-2000:]}"))
        elif stderr:
            self.refusals.append(stderr)
        for call in self._calls.values():
            call.ended(CallEnd(0, "the caller's process ended", 0, True, time.monotonic()))

    def _take(self, event: wire.AnyEvent) -> None:
        match event:
            case wire.Ready(port=port):
                self.port = port
                self._ready.set_result(None)
            case wire.SignedIn() if self._signed_in and not self._signed_in.done():
                self._signed_in.set_result(event)
            case wire.Written(status=status) if self._written and not self._written.done():
                self._written.set_result(status)
            case wire.TextHeard(sender=sender, text=text):
                self._texts.put_nowait(Text(sender, text))
            case wire.Incoming(call=number, caller=caller, called=called, replaces=replaces):
                call = Call(number, self._order, caller, called)
                self._calls[number] = call
                if replaces in self._calls:
                    self._calls[replaces].move(call)
                else:
                    self._incoming.put_nowait(call)
            case wire.Refused(call=number, message=message):
                self.refusals.append(message)
                if (refused := self._calls.get(number)) and message.startswith("Dial:"):
                    refused.ended(CallEnd(0, message, 0, True, time.monotonic()))
            case _:
                if call_ := self._calls.get(event.call):
                    call_.take(event)


def number_of(uri: str) -> str:
    """The user part of a SIP URI or name-addr; empty when there is none."""
    found = re.search(r"sips?:([^@>;]+)@", uri)
    return found[1] if found else ""
