"""All conversations by text: one owner task for each customer, and each message to its conversation, or to their call."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from typing import Any
from weakref import WeakValueDictionary

import structlog

from ccaas.acquaintance import Known
from ccaas.errors import CcaasError
from ccaas.journal import texts
from ccaas.journal.journal import Journal
from ccaas.journal.messages import (
    ConversationBegan,
    ConversationEnded,
    MessageQueued,
    MessageReceived,
    MessagesTaken,
)
from ccaas.journal.texts import OpenConversation
from ccaas.messaging import figures
from ccaas.messaging.concealing import conceal
from ccaas.messaging.conversation import Opening, TextConversation
from ccaas.messaging.outbox import Outbox
from ccaas.messaging.parts import Line, TextParts
from ccaas.ports.journey import Assurance, Contact, Identity, Traces
from ccaas.ports.messaging import InboundMessage
from ccaas.ports.reasoning import DialogueContext

_log = structlog.get_logger(__name__)

_OPENINGS = 2_000
"""First words that were shown to visitors who have not written yet; the oldest are forgotten."""
_STOP_S = 10.0
"""What turns that are under way may take when the controller stops."""


class Correspondence:
    """Owns the conversations."""

    def __init__(self, lines: Mapping[str, Line], journal: Journal, outbox: Outbox, parts: TextParts) -> None:
        """`lines`: the channels, by name; may still be filled."""
        self._lines = lines
        self._journal = journal
        self._outbox = outbox
        self._parts = parts
        self._conversations: dict[str, TextConversation] = {}
        """By the customer's key."""
        self._by_address: dict[tuple[str, str], TextConversation] = {}
        """By channel and address, while who writes from there is not in question."""
        self._openings: OrderedDict[tuple[str, str], Opening] = OrderedDict()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._owners: dict[asyncio.Task[None], TextConversation] = {}
        self._closed = False
        outbox.of_people = self._settled

    @property
    def open(self) -> tuple[TextConversation, ...]:
        """The conversations that have not ended."""
        return tuple(self._conversations.values())

    async def resume(self) -> None:
        """Go on with what an earlier controller left: conversations, and messages that nobody has answered."""
        for before in await self._journal.ask(texts.open_conversations):
            await self._resume(before)
        for letter in await self._journal.ask(texts.received):
            self.deliver(letter)

    def deliver(self, letter: MessageReceived) -> None:
        """Bring a message that is in the journal to its conversation. Messages of one address stay in their order."""
        if not self._closed:
            self._spawn(self._deliver_in_order(letter), f"message {letter.receipt}")

    def typing(self, line: Line, address: str, on: bool) -> None:
        """Somebody is writing, or has stopped."""
        conversation = self._by_address.get((line.name, address))
        if conversation is not None and not conversation.ended:
            conversation.typing(on)

    def stopped(self, line: Line, letter: MessageReceived, *, stopped: bool) -> None:
        """Somebody wrote STOP, or START: a person who writes with them has to know."""
        conversation = self._by_address.get((line.name, letter.message.address))
        if conversation is not None and not conversation.ended:
            conversation.customer_stopped(letter, stopped=stopped)

    def _settled(self, queued: MessageQueued, state: str, detail: str) -> None:
        """What became of a message that a person wrote."""
        for conversation in self._conversations.values():
            if conversation.id == queued.conversation_id:
                conversation.settled(queued, state, detail)

    async def opened(
        self, line: Line, address: str, to: str, identity: Identity | None, customer_id: str
    ) -> tuple[str, ...]:
        """What is shown to somebody who has opened a chat: the first words; nothing while a conversation goes on."""
        place = (line.name, address)
        if (opening := self._openings.get(place)) is not None:
            return (opening.text,)
        if place in self._by_address:
            return ()
        name = new_conversation_id()
        seen = InboundMessage("", address, to, "", time.time(), identity, _sure(customer_id), customer_id)
        known = await self._meet(name, line, seen, register=False)
        other = self._conversations.get(known.whose.key)
        if other is not None and other.goes_on_for(line, known):
            return ()
        tools = self._parts.make_tools(
            name, _record_of(known), known.assurance, self._journal, (), line.entry, line.kind
        )
        context = DialogueContext(
            name,
            line.kind,
            address,
            to,
            known.customer,
            tools,
            self._parts.clock.wall(),
            journey=known.context,
            assurance=known.assurance,
        )
        try:
            async with asyncio.timeout(self._parts.settings.longest_turn_s):
                dialogue = line.reasoner.open(context)
                reply = await dialogue.open()
        except TimeoutError:
            return ()
        except Exception:  # noqa: BLE001  (a visitor is not greeted; their message will be answered)
            _log.exception("the reasoner broke in its first words", channel=line.name)
            return ()
        dialogue.heard(reply.text, True)
        self._openings[place] = Opening(name, reply.text, dialogue.snapshot())
        while len(self._openings) > _OPENINGS:
            self._openings.popitem(last=False)
        return (reply.text,)

    async def let_go(self, traces: Traces) -> None:
        """End the conversations of somebody who is to be forgotten; what they wrote is answered before. Returns when
        nothing of them is under way."""
        for place, _ in [one for one in self._openings.items() if one[0][1] in addresses_of(traces)]:
            del self._openings[place]
        gone = [one for one in self._owners.values() if _is_of(one.known, traces)]
        for conversation in gone:
            conversation.supersede(leave=True)
        owners = {task for task, one in self._owners.items() if one in gone}
        if not owners:
            return
        _, late = await asyncio.wait(owners, timeout=_STOP_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def begin_anew(self, customer_id: str) -> None:
        """What this customer (the journey's id) writes next begins a new conversation, which knows what is new of them."""
        conversation = self._conversations.get(customer_id)
        if conversation is not None:
            conversation.supersede()

    async def idle(self) -> None:
        """Return when every message has reached its conversation."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Let turns that are under way come to their end, and leave the rest to the next controller."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for conversation in self._owners.values():
            conversation.stop()
        owners = set(self._owners)
        if owners:
            await asyncio.wait(owners, timeout=_STOP_S)
        for task in owners:
            task.cancel()
        await asyncio.gather(*owners, *self._tasks, return_exceptions=True)

    # — a message on its way —

    async def _deliver_in_order(self, letter: MessageReceived) -> None:
        place = (letter.channel, letter.message.address)
        lock = self._locks.setdefault(place, asyncio.Lock())
        async with lock:
            line = self._lines.get(letter.channel)
            if line is None:
                await self._take(letter, "no channel")
                _log.warning("a message's channel is no longer in the YAML", channel=letter.channel)
                return
            try:
                await self._deliver(letter, line)
            except Exception:  # noqa: BLE001  (it stays unanswered in the journal, and the others are delivered)
                _log.exception("a message could not be delivered", receipt=letter.receipt, channel=line.name)

    async def _deliver(self, letter: MessageReceived, line: Line) -> None:
        message = letter.message
        conversation = self._by_address.get((line.name, message.address))
        if conversation is None or conversation.ended or not _same_person(conversation.known, message):
            name = new_conversation_id()
            known = await self._meet(name, line, message)
            conversation = self._of(name, letter, line, known)
        call = self._parts.brain.presence.of(conversation.known.whose)
        if call is not None and message.text and not conversation.with_person:
            # Its answer is spoken; meanwhile the next messages must not overtake it.
            call_id, listener = call
            turn_id = await listener.tell(message.text, line.kind)
            if turn_id is not None:
                await self._take(letter, f"{call_id} {turn_id}")
                if await self._journal.ask(texts.private_turn(call_id, turn_id)):
                    await conceal(line, [letter])
                figures.RECEIVED.labels(line.name, "call").inc()
                return
            if conversation.ended:
                await self._deliver(letter, line)
                return
        self._own(conversation, line, message.address)
        conversation.post(letter, line)

    async def _meet(self, name: str, line: Line, message: InboundMessage, *, register: bool = True) -> Known:
        acquaintance = self._parts.brain.acquaintance
        named = message.customer_id or await acquaintance.owner(message.identity)
        contact = Contact(name, line.kind, message.address, message.to, named)
        customer = await self._parts.host.identify(contact)
        return await acquaintance.meet(
            contact, customer, message.identity, message.assurance, named=message.customer_id, register=register
        )

    def _of(self, name: str, letter: MessageReceived, line: Line, known: Known) -> TextConversation:
        """The customer's conversation, made where there is none that can go on."""
        key = known.whose.key or f"{line.name} {letter.message.address}"
        there = self._conversations.get(key)
        if there is not None and there.goes_on_for(line, known):
            return there
        opening = self._openings.pop((line.name, letter.message.address), None)
        if opening is not None:
            name = opening.conversation_id
        began = ConversationBegan(name, line.name, letter.message, line.entry)
        return TextConversation(began, line, known, self._parts, self._outbox, opening=opening)

    def _own(self, conversation: TextConversation, line: Line, address: str) -> None:
        """Start the conversation's owner, unless it runs; another one of this customer's comes to its end."""
        key = conversation.known.whose.key or f"{line.name} {address}"
        there = self._conversations.get(key)
        if there is not None and there is not conversation and there.with_person:
            # A person has the one; this one is beside it.
            key = f"{key} {line.name} {address}"
            there = self._conversations.get(key)
        if there is not conversation and conversation not in self._owners.values():
            earlier = None
            if there is not None:
                there.supersede()
                earlier = next((task for task, one in self._owners.items() if one is there), None)
            self._conversations[key] = conversation
            figures.OPEN.set(len(self._conversations))
            task = asyncio.create_task(self._live(conversation, key, earlier), name=f"owner of {conversation.id}")
            self._owners[task] = conversation
            task.add_done_callback(self._owners.pop)
        self._by_address[line.name, address] = conversation

    async def _live(self, conversation: TextConversation, key: str, earlier: asyncio.Task[None] | None) -> None:
        """The owner task, once the customer's earlier conversation has ended. Whatever happens in it, the others go on and
        the customer's next message is answered."""
        try:
            if earlier is not None:
                await asyncio.wait({earlier})
            await conversation.run()
            await conversation.settle()
        except Exception:  # noqa: BLE001  (one conversation's fault is not another's)
            _log.exception("the conversation's own code failed", conversation=conversation.id)
        finally:
            conversation.ended = True
            if self._conversations.get(key) is conversation:
                del self._conversations[key]
            for place in [place for place, one in self._by_address.items() if one is conversation]:
                del self._by_address[place]
            figures.OPEN.set(len(self._conversations))

    async def _resume(self, before: OpenConversation) -> None:
        began = before.began
        line = self._lines.get(began.channel)
        left_s = before.last_at + self._parts.settings.idle_minutes * 60 - time.time()
        people = self._parts.people
        held = people is not None and people.has(began.conversation_id)
        if line is None or began.entry != line.entry or (left_s <= 0 and not held):
            if held and people is not None:
                people.drop(began.conversation_id)
            reason = "idle" if line is not None and left_s <= 0 else "changed"
            self._parts.brain.chronicle.post(ConversationEnded(began.conversation_id, reason))
            return
        known = await self._meet(began.conversation_id, line, began.message)
        conversation = TextConversation(began, line, known, self._parts, self._outbox, before=before)
        await conversation.resume(self._journal)
        self._own(conversation, line, began.message.address)
        _log.info("picking up a conversation", conversation=conversation.id)

    async def _take(self, letter: MessageReceived, turn: str) -> None:
        try:
            await self._parts.brain.chronicle.append(MessagesTaken((letter.receipt,), turn))
        except CcaasError as error:
            _log.error("it could not be stored that a message was taken", receipt=letter.receipt, error=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def new_conversation_id() -> str:
    """Sorts by time, unique over restarts; told from a call's by its first letter."""
    return f"t{time.strftime('%Y%m%d%H%M%S', time.gmtime())}{secrets.token_hex(4)}"


def _same_person(known: Known, message: InboundMessage) -> bool:
    """Whether the address is still used by who was met there: nobody has signed in or out meanwhile."""
    if message.customer_id and message.customer_id not in (_record_of(known), known.whose.customer_id):
        return False
    return message.assurance is known.assurance or (
        message.assurance is Assurance.CLAIMED and known.assurance is Assurance.NONE
    )


def _sure(customer_id: str) -> Assurance:
    return Assurance.VERIFIED if customer_id else Assurance.CLAIMED


def addresses_of(traces: Traces) -> set[str]:
    """From where somebody wrote, in whatever spelling."""
    return {spelled for one in traces.identities for spelled in (one.value, one.value.removeprefix("+"))}


def _is_of(known: Known, traces: Traces) -> bool:
    ids = {known.whose.customer_id, _record_of(known)} - {""}
    return not ids.isdisjoint(traces.customers) or known.whose.identity in traces.identities


def _record_of(known: Known) -> str:
    return known.customer.id if known.customer is not None else ""
