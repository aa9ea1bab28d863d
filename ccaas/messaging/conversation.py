"""One conversation by text: one owner task, on the same reasoning, tools and gate as a call.

A turn becomes real in one transaction of the journal: its record, the dialogue's snapshot, the messages that it answers
and the answer itself. What a crash leaves before that is taken again, with the writes it had made known by their keys;
what it leaves after that is only sent.

This module is long because a conversation's steps share its one state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from ccaas.acquaintance import Known
from ccaas.chapter import Chapter, Moment, Rows
from ccaas.chronicle import ToldAudit
from ccaas.conversation.answer import Outcome
from ccaas.conversation.escalation import Escalation
from ccaas.conversation.events import TurnRecord, TurnTimes
from ccaas.errors import CcaasError
from ccaas.journal.entries import Entry, Snapshot, Turn
from ccaas.journal.journal import Journal
from ccaas.journal.messages import (
    ConversationBegan,
    ConversationEnded,
    MessageQueued,
    MessageReceived,
    MessagesTaken,
)
from ccaas.journal.texts import WITH_PERSON, OpenConversation
from ccaas.messaging import figures
from ccaas.messaging.concealing import conceal
from ccaas.messaging.outbox import Outbox, messages
from ccaas.messaging.parts import Line, TextParts
from ccaas.messaging.pause import Pause
from ccaas.messaging.with_person import Back, Finished, Types, WithPerson
from ccaas.ports.journey import Json, ThreadState
from ccaas.ports.messaging import OutboundMessage
from ccaas.ports.queueing import With
from ccaas.ports.reasoning import NOT_KEPT, CallerTurn, Dialogue, DialogueContext, Draft, Ending, Reply, Topic
from ccaas.ports.sentiment import Mood

_log = structlog.get_logger(__name__)

WITH_A_PERSON = Topic("person", "speaking with a colleague", ThreadState.WAITING)
"""What it is about when a person has to go on and the dialogue names nothing else."""


@dataclass(frozen=True, slots=True)
class Opening:
    """First words that somebody was shown before they wrote."""

    conversation_id: str
    text: str
    snapshot: Json


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a turn comes to."""

    turn: CallerTurn
    draft: Draft | None
    """None where the dialogue was not asked, or broke."""
    replies: tuple[Reply, ...]
    ends: str = ""
    """Why the conversation ends with it; empty: it goes on."""
    promise: str = ""
    """What we owe from now on."""
    private: bool = False
    """The dialogue broke over an answer to a check."""
    mood: Mood | None = None
    waits: bool = False
    """A person has been asked for: it can be offered as soon as this is stored."""


class TextConversation:
    """Made for its first message, or after a crash. `run` is its owner task."""

    def __init__(
        self,
        began: ConversationBegan,
        line: Line,
        known: Known,
        parts: TextParts,
        outbox: Outbox,
        *,
        opening: Opening | None = None,
        before: OpenConversation | None = None,
    ) -> None:
        self.id = began.conversation_id
        self.line = line
        self.known = known
        self.ended = False
        """No message is taken any more."""
        self._began = began
        self._parts = parts
        self._settings = parts.settings
        self._outbox = outbox
        self._opening = opening
        self._before = before
        self._log = _log.bind(conversation=self.id)
        context = known.context
        threads = context.threads if context is not None else ()
        kept = before.thread if before is not None else ""
        self._chapter = Chapter(self.id, line.kind, line.reasoner_name, known.whose, threads, kept)
        people = parts.people
        handing = people.handing(self.id, line.kind, began.message.address, known, line.entry) if people else None
        audit = ToldAudit(parts.brain.chronicle, lambda: self._chapter, parts.at)
        self._tools = parts.make_tools(
            self.id,
            known.customer.id if known.customer is not None else "",
            known.assurance,
            handing.audited(audit) if handing is not None else audit,
            before.writes if before is not None else (),
            line.entry,
            line.kind,
        )
        if people is not None:
            self._escalation = people.escalation(self.id, line.kind, known)
        else:
            self._escalation = Escalation(parts.sentiment.open() if parts.sentiment is not None else None)
        if handing is not None and before is not None:
            handing.remember(before.turns)
        self._turns = len(before.turns) if before is not None else 0
        self._stored = before is not None
        """The journal knows of this conversation."""
        self._dialogue: Dialogue | None = None
        self._spoken_on: Line | None = None
        """For which line the dialogue was opened."""
        self._greeting: Reply | None = None
        """First words that nobody has seen."""
        self._pending: list[tuple[MessageReceived, Line]] = []
        self._pause = Pause(parts.clock.now, self._settings)
        self._idle_from = parts.clock.now()
        self._stopping = False
        self._superseded = False
        self._person: WithPerson | None = None
        """What there is of people; None where there are no queues."""
        if handing is not None:
            self._person = WithPerson(
                self.id,
                handing,
                parts,
                outbox,
                lambda: self._chapter,
                known.whose.customer_id,
                self._store,
                self._pause.stir,
            )

    def post(self, letter: MessageReceived, line: Line) -> None:
        """A message has come, on this line. Only while it has not ended."""
        assert not self.ended  # its owner has looked
        self._pending.append((letter, line))
        self._pending.sort(key=lambda item: item[0].message.at)
        self._pause.came()

    def typing(self, on: bool) -> None:
        """The customer is writing, or has stopped."""
        self._pause.typing(on)
        if self._person is not None:
            self._person.handing.customer_types(on)

    def supersede(self, *, leave: bool = False) -> None:
        """The customer has another conversation now: answer what is there, and end. A person who has it keeps it, unless
        they must `leave` it."""
        if self.with_person and not leave:
            return
        self._superseded = True
        self._pause.stir()

    def stop(self) -> None:
        """Finish the turn that is under way, and take no more: another controller goes on."""
        self._stopping = True
        self._pause.stir()

    async def run(self) -> None:
        """Answer until it ends. Raises nothing of the reasoner's: a turn that breaks ends the conversation honestly."""
        try:
            while await self._wait():
                await self._obey()
                if self._pending and not self.ended:
                    await self._answer_or_pass_on(self._first_of_one_line())
                self._idle_from = self._parts.clock.now()
                if self.ended:
                    break
        except Exception:
            self._leave()
            raise
        if self.ended:
            self._leave()

    def _leave(self) -> None:
        """No person need have it any more."""
        if self._person is not None:
            self._person.handing.left()

    async def _answer_or_pass_on(self, letters: list[MessageReceived]) -> None:
        """The AI answers; or, while a person has it or is about to, it says nothing."""
        if self._person is None or not self._person.silent:
            await self._turn(letters)
            return
        del self._pending[: len(letters)]
        await self._store(*self._beginning(letters[0]))
        await self._person.record(letters, self.line)

    async def _obey(self) -> None:
        """Do what people have asked for."""
        while self._person is not None and self._person.orders:
            order = self._person.orders.pop(0)
            if isinstance(order, Types):
                await self._person.show(order)
            elif isinstance(order, Back):
                await self._person.say(self._settings.returned, "back")
            else:
                await self._finish(order)

    async def _finish(self, order: Finished) -> None:
        """A person has finished with it: it is over, and what comes next begins anew. What has just come the AI answers."""
        assert self._person is not None  # only they do
        self.ended = not self._pending
        topic = self._dialogue.topic() if self._dialogue is not None else None
        closed = replace(topic or WITH_A_PERSON, state=ThreadState.CLOSED, outcome=order.disposition)
        at = self._parts.at()
        told: Rows = () if topic is not None else self._chapter.about(closed, {}, f"t{self._turns}", at)
        ends = self._end(WITH_PERSON) if self.ended else []
        await self._store(*told, *self._person.ending(order), *ends)

    async def resume(self, journal: Journal) -> None:
        """Go on with a conversation of an earlier controller: with a person, where it was with one."""
        if self._person is not None and await self._person.resume(self.line, journal):
            self._person.handing.follow(self._person)

    @property
    def with_person(self) -> bool:
        """Whether it waits for a person, or one has it."""
        return self._person is not None and self._person.waits

    @property
    def silent(self) -> bool:
        """Whether the AI says nothing in it now."""
        return self._person is not None and self._person.silent

    def customer_stopped(self, letter: MessageReceived, *, stopped: bool) -> None:
        """They wrote STOP, or START."""
        if self._person is not None and self._person.waits:
            self._person.customer_stopped(letter, stopped=stopped)

    def settled(self, queued: MessageQueued, state: str, detail: str) -> None:
        """What became of a message that a person wrote."""
        if self._person is not None:
            self._person.settled(queued, state, detail)

    async def _wait(self) -> bool:
        """Until there is something to answer. False: it is over, or the controller stops."""
        limit = self._settings.idle_minutes * 60
        while not self._pending and not self._stopping and not (self._person is not None and self._person.orders):
            left = limit if self.with_person else self._idle_from + limit - self._parts.clock.now()
            if self._superseded or left <= 0:
                self.ended = True
                await self._store(*self._end("superseded" if self._superseded else "idle"))
                return False
            await self._pause.news(left)
        return not self._stopping

    def _first_of_one_line(self) -> list[MessageReceived]:
        self.line = self._pending[0][1]
        letters: list[MessageReceived] = []
        for letter, line in self._pending:
            if line is not self.line or letter.message.address != self._pending[0][0].message.address:
                break
            letters.append(letter)
        return letters

    # — one turn —

    async def _turn(self, letters: list[MessageReceived]) -> None:
        turn_id = f"t{self._turns + 1}"
        address = letters[0].message.address
        await self._show(address, on=True)
        try:
            answer, letters = await self._answer(turn_id, letters)
        except TimeoutError:
            self._log.error("the reasoner took too long", turn=turn_id, limit_s=self._settings.longest_turn_s)
            answer = self._broken(turn_id, letters)
        except Exception:  # noqa: BLE001  (whatever a reasoner raises: the customer is told, the others go on)
            self._log.exception("the reasoner broke", turn=turn_id)
            answer = self._broken(turn_id, letters)
        finally:
            await self._show(address, on=False)
        del self._pending[: len(letters)]
        if self._person is not None and self._person.stands.who is With.PERSON:
            # Somebody has taken it meanwhile: they answer.
            await self._store(*self._beginning(letters[0]))
            await self._person.record(letters, self.line)
            return
        self._turns += 1
        await self._make_real(answer, letters)

    async def _answer(self, turn_id: str, letters: list[MessageReceived]) -> tuple[_Answer, list[MessageReceived]]:
        """The answer to these messages, and to those that come before it is given."""
        if not any(letter.message.text for letter in letters):
            turn = CallerTurn(turn_id, "")
            return _Answer(turn, None, (Reply(self._settings.unreadable),)), letters
        dialogue = await self._open(letters[0])
        until = self._parts.clock.now() + self._settings.longest_settle_s
        while True:
            turn = CallerTurn(turn_id, "\n".join(letter.message.text for letter in letters if letter.message.text))
            async with asyncio.timeout(self._settings.longest_turn_s):
                draft = await dialogue.draft(turn)
            if not await self._more(len(letters), until):
                break
            letters = self._first_of_one_line()
        self._log.info("customer", turn=turn_id, text=draft.text_to_keep, intent=draft.intent)
        mood = await self._escalation.turn(turn.text, self._parts.clock.now())
        if mood is not None and not draft.private and await self._escalation.weigh(draft, mood, dialogue.topic()):
            replies = tuple([reply async for reply in self._escalation.replies()])
            return replace(self._outcome(turn, draft, replies, letters), mood=mood), letters
        greeting, self._greeting = self._greeting, None
        if greeting is not None and not draft.intent:
            # What says nothing yet is answered by the first words, which they have not seen.
            return _Answer(turn, draft, (greeting,), mood=mood), letters
        replies = await self._commit(dialogue, draft)
        return replace(self._outcome(turn, draft, replies, letters), mood=mood), letters

    async def _more(self, count: int, until: float) -> bool:
        """Whether more has come than `count`, once it is quiet enough to answer."""
        while not self._stopping and (left := min(self._pause.quiet_at, until) - self._parts.clock.now()) > 0:
            if len(self._first_of_one_line()) != count:
                return True
            await self._pause.news(left)
        return len(self._first_of_one_line()) != count

    async def _commit(self, dialogue: Dialogue, draft: Draft) -> tuple[Reply, ...]:
        replies: list[Reply] = []
        source = dialogue.commit(draft)
        while True:
            async with asyncio.timeout(self._settings.longest_turn_s):
                reply = await anext(source, None)
            if reply is None:
                return tuple(replies)
            replies.append(reply)

    def _outcome(
        self, turn: CallerTurn, draft: Draft, replies: Sequence[Reply], letters: Sequence[MessageReceived]
    ) -> _Answer:
        last = next((reply for reply in replies if reply.ending is not None), None)
        ending = last.ending if last is not None else None
        if last is not None and ending is Ending.TRANSFER:
            said = tuple(reply for reply in replies if reply.ending is None)
            if (words := self._enter(last.destination, letters)) is not None:
                return _Answer(turn, draft, (*said, Reply(words)), promise=self._settings.colleague, waits=True)
            # What is said on the phone while it is put through would be no true word here.
            promise = self._settings.colleague
            return _Answer(turn, draft, (*said, Reply(promise, ending=ending)), "person", promise)
        return _Answer(turn, draft, tuple(replies), "goodbye" if ending is Ending.HANG_UP else "")

    def _broken(self, turn_id: str, letters: Sequence[MessageReceived]) -> _Answer:
        turn = CallerTurn(turn_id, "\n".join(letter.message.text for letter in letters))
        private = self._dialogue is not None and self._dialogue.expectation.private
        self._dialogue = None
        waits = self._enter("", letters)
        if waits is not None:
            words = f"{self._settings.failed} {waits}"
            return _Answer(turn, None, (Reply(words),), "", self._settings.colleague, private, waits=True)
        words = f"{self._settings.failed} {self._settings.colleague}"
        return _Answer(turn, None, (Reply(words),), "failed", self._settings.colleague, private)

    async def _make_real(self, answer: _Answer, letters: Sequence[MessageReceived]) -> None:
        """Store the turn, and send its answer."""
        at = self._parts.at()
        text = " ".join(reply.text for reply in answer.replies if reply.text)
        kept = " ".join(reply.to_keep for reply in answer.replies if reply.text)
        if any(letter.cut_from for letter in letters):
            cut = self._settings.cut.format(longest=self._settings.longest_message)
            text, kept = f"{cut} {text}".strip(), f"{cut} {kept}".strip()
        outgoing = self._outgoing(answer.turn, letters[-1], text, private=kept != text)
        private = answer.private or (answer.draft is not None and answer.draft.private)
        mood = answer.mood
        record = TurnRecord(
            turn_id=answer.turn.id,
            caller_text=NOT_KEPT if private else answer.turn.text,
            keys="",
            intent=answer.draft.intent if answer.draft is not None else "",
            slots=dict(answer.draft.slots) if answer.draft is not None else {},
            agent_text=kept,
            heard_text=kept,
            times=TurnTimes(committed=self._parts.clock.now()),
            channel=self.line.kind,
            sentiment=round(mood.score, 3) if mood is not None else None,
            mood=mood,
            private=private,
            over=True,
        )
        entries: list[Entry] = [*self._beginning(letters[0]), Turn(self.id, record)]
        entries += self._state(answer, at)
        for letter in letters:
            wrote = NOT_KEPT if private else letter.message.text
            entries += self._chapter.wrote(letter.receipt, wrote, letter.at, answer.turn.id, self.line.kind)
        if mood is not None:
            entries += self._chapter.felt(mood, Moment(letters[-1].at), answer.turn.id, self.line.kind)
        if text:
            entries += self._chapter.answered(kept, at, answer.turn.id, self.line.kind)
        entries += [MessagesTaken(tuple(one.receipt for one in letters), f"{self.id} {answer.turn.id}"), *outgoing]
        if answer.ends:
            self.ended = True
            entries += self._end(answer.ends)
        await self._store(*entries)
        if private:
            await conceal(self.line, letters)
        self._log.info("agent", turn=answer.turn.id, text=kept)
        for message in outgoing:
            self._outbox.put(message)
        figures.REPLY_SECONDS.labels(self.line.name).observe(max(self._pause.since_last, 0.0))
        self._parts.host.turn_event(self.id, record)
        if self._person is not None:
            self._person.reads(letters, self.line)
            self._person.handing.topic = self._dialogue.topic() if self._dialogue is not None else None
            if answer.waits:
                self._person.handing.follow(self._person)

    def _enter(self, destination: str, letters: Sequence[MessageReceived]) -> str | None:
        """Ask for a person, and what the customer is told of it; None where there is no queue."""
        queue = self._parts.people.queue(destination) if self._parts.people is not None else ""
        if self._person is None or not queue:
            return None
        self._person.reads(letters, self.line)
        mood = self._escalation.mood
        wish = mood is not None and mood.wants_human
        why = "upset" if self._escalation.waits and not wish else "wish" if wish else "message"
        self._escalation.ended(Outcome(ending=Ending.TRANSFER))
        return self._person.words() if self._person.handing.enter(queue, why) else None

    def _state(self, answer: _Answer, at: float) -> list[Entry]:
        """The dialogue's snapshot, and what the journey is told of the thread."""
        dialogue = self._dialogue
        if dialogue is None:
            topic = WITH_A_PERSON if answer.promise else None
            told: Rows = self._chapter.waits(topic, {}, answer.promise, answer.turn.id, at) if topic else ()
            return list(told)
        if answer.draft is not None:
            for reply in answer.replies:
                dialogue.heard(reply.text, True)
        snapshot, topic = dialogue.snapshot(), dialogue.topic()
        if answer.promise:
            told = self._chapter.waits(topic or WITH_A_PERSON, snapshot, answer.promise, answer.turn.id, at)
        else:
            told = self._chapter.about(topic, snapshot, answer.turn.id, at)
        return [Snapshot(self.id, snapshot, self._chapter.thread), *told]

    def _outgoing(
        self, turn: CallerTurn, asked: MessageReceived, text: str, *, private: bool
    ) -> tuple[MessageQueued, ...]:
        message = OutboundMessage(
            id=f"{self.id}-{turn.id}",
            address=asked.message.address,
            sender=asked.message.to,
            text=text,
            reference=asked.message.id,
            subject=asked.message.subject,
            data=asked.message.data,
        )
        queued = MessageQueued(self.line.name, message, self.id, self.known.whose.customer_id, private=private)
        return messages(queued, self.line.channel.capabilities.longest)

    def _beginning(self, first: MessageReceived) -> list[Entry]:
        if self._stored:
            return []
        began = self._chapter.contacted(
            f"Wrote by {self.line.kind}.", "customer", first.at, {"entry": self._began.entry}
        )
        shown: Rows = ()
        if self._opening is not None and self._opening.text:
            shown = self._chapter.answered(self._opening.text, first.at, "open", self.line.kind)
        return [self._began, *began, *shown]

    def _end(self, reason: str) -> list[Entry]:
        return [ConversationEnded(self.id, reason)] if self._stored or reason != "idle" else []

    async def _store(self, *entries: Entry) -> bool:
        if not entries:
            return True
        try:
            await self._parts.brain.chronicle.append(*entries)
        except CcaasError as error:
            # The customer gets the answer all the same; a restart would find the messages unanswered.
            self._log.error("a turn by text could not be stored", error=str(error))
            return False
        self._stored = True
        return True

    # — the dialogue —

    async def _open(self, letter: MessageReceived) -> Dialogue:
        """The dialogue, ready for a message on this line."""
        if self._dialogue is not None and self._spoken_on is self.line:
            return self._dialogue
        snapshot: Json | None = None
        if self._dialogue is not None:
            snapshot = self._dialogue.snapshot()
        elif self._before is not None:
            snapshot = self._before.snapshot
        elif self._opening is not None:
            snapshot = self._opening.snapshot
        dialogue = self.line.reasoner.open(self.context(letter), snapshot)
        if snapshot is None:
            async with asyncio.timeout(self._settings.longest_turn_s):
                self._greeting = await dialogue.open()
            dialogue.heard("", False)
        self._dialogue, self._spoken_on = dialogue, self.line
        return dialogue

    def context(self, letter: MessageReceived) -> DialogueContext:
        """What the dialogue knows when it begins."""
        return DialogueContext(
            call_id=self.id,
            channel=self.line.kind,
            ani=letter.message.address,
            dnis=letter.message.to,
            customer=self.known.customer,
            tools=self._tools,
            now=self._parts.clock.wall(),
            journey=self.known.context,
            assurance=self.known.assurance,
        )

    async def _show(self, address: str, *, on: bool) -> None:
        """Show that an answer is being written, where the channel can."""
        channel = self.line.channel
        if channel.capabilities.typing:
            try:
                async with asyncio.timeout(2.0):
                    await channel.typing(address, on)
            except Exception as error:  # noqa: BLE001  (whatever a channel raises here, the answer is given)
                self._log.warning("not shown that the agent writes", error=repr(error))

    async def settle(self) -> None:
        """Wait for the writes that still run."""
        await self._tools.settle()

    def goes_on_for(self, line: Line, known: Known) -> bool:
        """Whether a message of this customer on this line belongs here: the same reasoning, and as sure who it is.

        Otherwise who was proved on one channel would be taken for proved on another, where an address can be forged.
        """
        return (
            not self.ended
            and not self._stopping
            and not self._superseded
            and line.reasoner is self.line.reasoner
            and known.assurance is self.known.assurance
            and (known.customer and known.customer.id) == (self.known.customer and self.known.customer.id)
        )
