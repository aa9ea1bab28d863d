"""What a person is asked for, and what they decide: the API behind the desktop's buttons.

A write that only a person may make is kept with its arguments and the reason. One person approves or declines it, once;
approved, it runs through the same gate, audit and limits as everything else, with the person as its actor, and whatever
happens to the controller meanwhile it is made once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from ccaas.actions.audit import Audit, Outcome, ToolRun, write_key
from ccaas.actions.books import Books
from ccaas.actions.phase import Limits
from ccaas.actions.requests import ApprovalError, Request, Standing
from ccaas.actions.runner import CallTools
from ccaas.actions.tool import Tools
from ccaas.errors import CcaasError, ToolError
from ccaas.journal.masking import masked, masked_text
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import Effect, Party

__all__ = ["ApprovalError", "Approvals", "Listener", "Request", "Standing"]

_log = structlog.get_logger(__name__)

Listener = Callable[[Request], None]
"""Told of each request that is new or has changed, on the event loop; it must not block."""
AGAIN_S = 60.0
"""How often it is asked what became of a write."""
_UNSURE = frozenset({"timeout", "fault", "unavailable"})
"""Errors after which it may or may not have been made: asking again under the same key tells."""


class Approvals:
    """All requests of a controller. `limits` are those of an entry and a channel."""

    def __init__(
        self,
        tools: Tools,
        books: Books,
        audit: Audit,
        limits: Callable[[str, str], Limits],
        now: Callable[[], datetime],
    ) -> None:
        self._tools = tools
        self._books = books
        self._audit = audit
        self._limits = limits
        self._now = now
        self.outcomes: Callable[[Request], Awaitable[None]] | None = None
        """Told, at least once, of each request that is decided or settled, for the customer's journey. What it raises of
        ours (CcaasError) means that it is told again."""
        self.orphans: Callable[[], Awaitable[Iterable[Request]]] | None = None
        """Writes that conversations which are over have left behind."""
        self._listeners: list[Listener] = []
        self._running = asyncio.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change; what is returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def keep(self, request: Request) -> Request:
        """`Preparing.keep`: what the agent of a conversation asks for."""
        if masked(request.arguments) != request.arguments:
            raise ApprovalError(
                f"{request.tool} cannot wait for a person: its arguments hold a card number or a secret"
            )
        request = replace(request, reason=masked_text(request.reason))
        kept, new = await self._books.put(request)
        if new:
            self._tell(kept)
        return kept

    async def prepare(
        self,
        tool: str,
        arguments: Mapping[str, object],
        reason: str,
        by: str,
        *,
        conversation_id: str,
        customer_id: str,
        entry: str = "",
        channel: str = "",
    ) -> Request:
        """Ask for a write on a person's own account: who prepares it at the desktop is `by`, their login.

        The same conversation, tool, arguments and reason are the same request.

        Raises:
            ToolError: the gate refuses it, or its arguments.
            CcaasError: it could not be kept.
        """
        turn = f"desktop:{write_key(conversation_id, by, tool, reason)[:12]}"
        box = self._box(f"human:{by}", conversation_id, customer_id, entry, channel)
        told = await box.prepare(tool, arguments, turn, reason)
        request = await self._books.request(str(told["request_id"]))
        assert request is not None  # it was just kept
        return request

    async def find(self, request_id: str) -> Request:
        """The request of that id. Raises ApprovalError when there is none."""
        request = await self._books.request(request_id)
        if request is None:
            raise ApprovalError(f"there is no request {request_id}")
        return request

    async def of(self, *, conversation_id: str = "", customer_id: str = "") -> tuple[Request, ...]:
        """All requests of a conversation, or of a customer, the oldest first. Raises CcaasError."""
        return await self._books.requests(conversation_id=conversation_id, customer_id=customer_id)

    async def waiting(self) -> tuple[Request, ...]:
        """All requests that nobody has decided, the oldest first. Raises CcaasError."""
        return await self._books.requests(standings={Standing.WAITING})

    async def watch(self) -> None:
        """`resume` for ever, every minute."""
        while True:
            await asyncio.sleep(AGAIN_S)
            try:
                await self.resume()
            except CcaasError as error:
                _log.error("what became of some writes cannot be asked now", error=str(error))

    async def rehearse(self, request_id: str, by: str) -> dict[str, Any]:
        """What approving it would do now; see `Toolbox.rehearse`. Raises ApprovalError, ToolError."""
        request = await self.find(request_id)
        box = self._box_for(request, f"human:{by}")
        return await box.rehearse(request.tool, request.arguments, request.turn_id, intent=request.intent)

    async def approve(self, request_id: str, by: str) -> Request:
        """Run it for the person with the login `by`; the request with its outcome, DONE or FAILED.

        It stays APPROVED while the system of record has not said what became of it: approving it again asks again,
        under the same key. It is not cancelled with whoever waits for it.

        Raises:
            ApprovalError: it was decided before, or there is none.
            CcaasError: the decision could not be kept; nothing was done.
        """
        actor = f"human:{by}"
        request = await self._books.decide(request_id, Standing.APPROVED, actor, time.time())
        if request is None:
            request = await self.find(request_id)
            if request.standing is not Standing.APPROVED:
                raise _decided(request)
        else:
            self._tell(request)
        return await asyncio.shield(asyncio.ensure_future(self._run(request)))

    async def decline(self, request_id: str, by: str, why: str = "") -> Request:
        """Say no, with a reason if there is one; nothing is done.

        Raises:
            ApprovalError: it was decided before, or there is none.
            CcaasError: the decision could not be kept.
        """
        actor = f"human:{by}"
        request = await self._books.decide(request_id, Standing.DECLINED, actor, time.time(), why)
        if request is None:
            raise _decided(await self.find(request_id))
        await self._audit.store(_row(request, actor, why))
        self._tell(request)
        await self._tell_outcome(request)
        return request

    async def resume(self) -> None:
        """Ask again for everything whose outcome is not known: left by an earlier controller, or by a system of record
        that did not answer. Raises CcaasError."""
        for left in await self.orphans() if self.orphans is not None else ():
            await self._books.put(left)
        for request in await self._books.requests(standings={Standing.APPROVED}):
            await self._run(request)
        for request in await self._books.untold() if self.outcomes is not None else ():
            await self._tell_outcome(request)

    async def _run(self, request: Request) -> Request:
        async with self._running:  # of two who approve it at once, the second sees what the first one's came to
            request = await self.find(request.id)
            if request.standing is not Standing.APPROVED:
                return request
            box = self._box_for(request, request.decided_by)
            try:
                result = await self._made(box, request)
                request = replace(request, standing=Standing.DONE, result=result, error="")
            except ToolError as error:
                standing = Standing.APPROVED if error.code in _UNSURE else Standing.FAILED
                request = replace(request, standing=standing, error=f"{error.code}: {error}")
            await self._keep_outcome(request)
        self._tell(request)
        if request.standing is not Standing.APPROVED:
            await self._tell_outcome(request)
        return request

    @staticmethod
    async def _made(box: CallTools, request: Request) -> dict[str, Any]:
        if request.decided_by == Party.BUTLER.value:  # begun in a conversation, where the customer had confirmed it
            return await box.repeat(request)
        return await box.write(
            request.tool, request.arguments, request.turn_id, request.decided_by, intent=request.intent
        )

    async def _keep_outcome(self, request: Request) -> None:
        try:
            await self._books.finish(request)
        except CcaasError as error:
            _log.error("a request's outcome is not kept; it is asked for again", request=request.id, error=str(error))

    async def _tell_outcome(self, request: Request) -> None:
        if self.outcomes is None:
            return
        try:
            await self.outcomes(request)
            await self._books.told(request.id)
        except CcaasError as error:
            _log.warning("an outcome is not told yet; it is told again", request=request.id, error=str(error))

    def _box_for(self, request: Request, actor: str) -> CallTools:
        return self._box(actor, request.conversation_id, request.customer_id, request.entry, request.channel)

    def _box(self, actor: str, conversation_id: str, customer_id: str, entry: str, channel: str) -> CallTools:
        return CallTools(
            self._tools,
            self._limits(entry, channel),
            self._audit,
            call_id=conversation_id,
            customer_id=customer_id,
            now=self._now,
            assurance=Assurance.NONE,
            books=self._books,
            desk=self,
            actor=actor,
        )

    def _tell(self, request: Request) -> None:
        for listener in tuple(self._listeners):
            listener(request)


def _decided(request: Request) -> ApprovalError:
    return ApprovalError(f"{request.decided_by} has decided request {request.id} ({request.standing.value})")


def _row(request: Request, actor: str, why: str) -> ToolRun:
    return ToolRun(
        key=f"{request.key}:declined",
        call_id=request.conversation_id,
        turn_id=request.turn_id,
        customer_id=request.customer_id,
        tool=request.tool,
        effect=Effect.WRITE,
        arguments=request.arguments,
        confirmed_by="",
        outcome=Outcome.DECLINED,
        at=request.decided_at,
        error=f"declined: {why}" if why else "declined: ",
        actor=actor,
        intent=request.intent or request.reason,
    )
