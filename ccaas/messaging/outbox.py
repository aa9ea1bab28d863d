"""What goes out: in the journal before it is sent, in order for each address, again while that can help, and once.

A message whose sending a crash left unknown is handed over again under its id; channels deliver an id once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

import structlog

from ccaas.chapter import Page, Rows, Whose, rows
from ccaas.chronicle import Chronicle
from ccaas.errors import CcaasError, MessageFailed
from ccaas.journal import texts
from ccaas.journal.journal import Journal
from ccaas.journal.messages import DELIVERED, FAILED, REFUSED, SENT, MessageIs, MessageQueued
from ccaas.messaging import figures
from ccaas.messaging.parts import Line
from ccaas.messaging.plain import split
from ccaas.outreach.gate import ComplianceGate
from ccaas.outreach.permits import ContactRefused
from ccaas.ports.journey import Fact, FactKind
from ccaas.ports.messaging import Delivery, OutboundMessage
from ccaas.ports.outreach import Allowed, Later, Permit

_log = structlog.get_logger(__name__)

SEND_S = 30.0
"""What a channel may take to hand over one message."""
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 300.0
_LONGEST_PARKED_S = 3_600.0
"""A message that may go out later is looked at again at least this often."""
NOT_AFTER = "not_after"
"""Key in a message's data: Unix seconds after which it is not sent any more."""
_STATES = {Delivery.SENT: SENT, Delivery.DELIVERED: DELIVERED, Delivery.FAILED: FAILED}


class Outbox:
    """All messages that wait to be sent; one task for each address that has some."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        journal: Journal,
        chronicle: Chronicle,
        gate: ComplianceGate,
        give_up_s: float,
    ) -> None:
        """`lines` may still be filled; `give_up_s`: for how long sending is tried."""
        self._lines = lines
        self._journal = journal
        self._chronicle = chronicle
        self._gate = gate
        self._give_up_s = give_up_s
        self._waiting: dict[tuple[str, str], deque[MessageQueued]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._parked: dict[str, tuple[MessageQueued, asyncio.TimerHandle]] = {}
        """Messages that may go out later, by id: they hold up nothing behind them."""
        self._closed = False
        self.wanted: Callable[[MessageQueued], Awaitable[bool]] = _always
        """Asked before each try whether a message is still to be sent."""
        self.told: Callable[[MessageQueued, str, str], None] = lambda *_: None
        """Called with each message, its state and its detail, once that is settled."""
        self.of_people: Callable[[MessageQueued, str, str], None] = lambda *_: None
        """The same for what people wrote, also when it was delivered."""

    async def resume(self) -> None:
        """Go on with what an earlier controller left."""
        for message in await self._journal.ask(texts.queued):
            self.put(message)

    def put(self, message: MessageQueued) -> None:
        """Send a message that is in the journal."""
        key = (message.channel, message.message.address)
        self._waiting.setdefault(key, deque()).append(message)
        if key not in self._tasks and not self._closed:
            self._tasks[key] = asyncio.create_task(self._empty(key), name=f"outbox {message.channel}")

    async def receipt(self, channel: str, message_id: str, delivery: Delivery, detail: str) -> None:
        """Store what became of a message of this channel, once. Raises JournalError."""
        found = await self._journal.ask(texts.sent(message_id))
        if found is None or found[0].channel != channel or found[1] in (DELIVERED, FAILED, REFUSED):
            return
        queued, state = _STATES[delivery], found[1]
        if state == queued:
            return
        told: Rows = ()
        if delivery is not Delivery.SENT:
            figures.SENT.labels(channel, queued).inc()
            words = "Delivered." if delivery is Delivery.DELIVERED else "Not delivered."
            told = self._noted(found[0], queued, words, detail)
        await self._chronicle.append(MessageIs(message_id, queued, detail), *told)
        if found[0].by:
            self.of_people(found[0], queued, detail)

    def let_go(self, customers: Collection[str], addresses: Collection[str]) -> None:
        """Send nothing any more of what waits for somebody who is to be forgotten; its rows are the caller's to delete."""

        def theirs(queued: MessageQueued) -> bool:
            return queued.customer_id in customers or queued.message.address in addresses

        for name in [name for name, (queued, _) in self._parked.items() if theirs(queued)]:
            self._parked.pop(name)[1].cancel()
        for key in [key for key, waiting in self._waiting.items() if any(theirs(queued) for queued in waiting)]:
            self._tasks.pop(key).cancel()
            for queued in self._waiting.pop(key):
                if not theirs(queued):
                    self.put(queued)

    def stopped(self, kind: str, address: str) -> bool:
        """Whether who is at this address wants nothing from us on a channel of this kind."""
        return self._gate.opt_outs.stopped(kind, address)

    async def idle(self) -> None:
        """Return when nothing waits to be sent."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def close(self) -> None:
        """Stop sending; what waits is sent by the next controller."""
        self._closed = True
        for _, timer in self._parked.values():
            timer.cancel()
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _empty(self, key: tuple[str, str]) -> None:
        waiting = self._waiting[key]
        while waiting:
            await self._deal_with(waiting[0])
            waiting.popleft()
        # In one step with the last look, so that nothing is put to a task that has ended.
        del self._waiting[key], self._tasks[key]

    async def _deal_with(self, queued: MessageQueued) -> None:
        """Send it, or find out that it cannot be sent."""
        wait_s = _FIRST_WAIT_S
        while True:
            line = self._lines.get(queued.channel)
            if line is None:
                self._refused(queued, "there is no such channel any more")
                return
            if _too_late(queued) or not await self.wanted(queued):
                self._refused(queued, "it is too late for it")
                return
            decision = await self._gate.text(queued, line.kind, line.channel.capabilities.longest)
            if isinstance(decision, Later):
                self._park(queued, decision)
                return
            if not isinstance(decision, Allowed):
                self._refused(queued, f"{decision.rule}: {decision.words}")
                return
            try:
                await self._send(line, replace(queued.message, text=decision.text), decision.permit)
            except MessageFailed as failed:
                if not failed.again or time.time() - queued.at > self._give_up_s:
                    _log.error("message not sent", message=queued.message.id, channel=queued.channel, error=str(failed))
                    self._is(queued, FAILED, str(failed))
                    return
                figures.RETRIED.labels(queued.channel).inc()
                _log.warning("message is sent again later", message=queued.message.id, error=str(failed))
            else:
                self._is(queued, SENT, "")
                return
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _refused(self, queued: MessageQueued, reason: str) -> None:
        _log.warning("message refused", message=queued.message.id, channel=queued.channel, why=reason)
        self._is(queued, REFUSED, reason)

    def _park(self, queued: MessageQueued, later: Later) -> None:
        """Look at it again when it may go out; what is behind it does not wait."""

        def again() -> None:
            del self._parked[queued.message.id]
            self.put(queued)

        wait_s = min(max(self._gate.seconds_until(later.until), _FIRST_WAIT_S), _LONGEST_PARKED_S)
        if queued.message.id not in self._parked and not self._closed:
            timer = asyncio.get_running_loop().call_later(wait_s, again)
            self._parked[queued.message.id] = (queued, timer)

    async def _send(self, line: Line, message: OutboundMessage, permit: Permit) -> None:
        """Hand it to the channel, with a permit of the gate's and not without."""
        try:
            with self._gate.register.sending(permit, line.kind, message.address):
                async with asyncio.timeout(SEND_S):
                    await line.channel.send(message)
        except MessageFailed:
            raise
        except TimeoutError:
            raise MessageFailed(f"the channel took longer than {SEND_S:g} s", again=True) from None
        except ContactRefused as refused:
            raise MessageFailed(str(refused), again=False) from refused
        except CcaasError as error:
            raise MessageFailed(str(error), again=True) from error
        except Exception as error:  # noqa: BLE001  (a channel's own fault must not stop the other addresses)
            _log.exception("a channel broke", channel=line.name)
            why = type(error).__name__
        else:
            return
        raise MessageFailed(f"the channel broke: {why}", again=False)

    def _is(self, queued: MessageQueued, state: str, detail: str) -> None:
        figures.SENT.labels(queued.channel, state).inc()
        words = {FAILED: "Not sent.", REFUSED: "Not sent: refused."}.get(state)
        told = self._noted(queued, state, words, detail) if words else ()
        self._chronicle.post(MessageIs(queued.message.id, state, detail), *told)
        self.told(queued, state, detail)
        if queued.by:
            self.of_people(queued, state, detail)

    def _noted(self, queued: MessageQueued, state: str, words: str, detail: str) -> Rows:
        return rows(
            Page(
                Whose(queued.customer_id),
                fact=Fact(
                    id=f"{queued.message.id}:{state}",
                    customer_id=queued.customer_id,
                    at=time.time(),
                    kind=FactKind.NOTED,
                    channel=self._lines[queued.channel].kind if queued.channel in self._lines else "",
                    text=words,
                    source=f"channel:{queued.channel}",
                    conversation_id=queued.conversation_id,
                    data={"message": queued.message.id, "detail": detail} if detail else {"message": queued.message.id},
                ),
            )
        )


async def _always(_: MessageQueued) -> bool:
    return True


def _too_late(queued: MessageQueued) -> bool:
    limit = queued.message.data.get(NOT_AFTER, "")
    return bool(limit) and time.time() > float(limit)


def messages(first: MessageQueued, longest: int | None) -> tuple[MessageQueued, ...]:
    """One message, or the several that it takes: their ids are the first's with a number behind."""
    texts_ = split(first.message.text, longest)
    if len(texts_) <= 1:
        return (first,) if texts_ else ()
    return tuple(
        replace(first, message=replace(first.message, id=f"{first.message.id}-{number}", text=text))
        for number, text in enumerate(texts_, start=1)
    )
