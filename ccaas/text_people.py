"""From written conversations to the queues: which queue, on what signs, and what they know there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from ccaas.acquaintance import Known
from ccaas.config.settings import CcaasSettings
from ccaas.contact.handoff import Handoff
from ccaas.conversation.escalation import Escalation
from ccaas.handing import CallHanding, Handing
from ccaas.hooks import PluginHost
from ccaas.ports.contact import Line
from ccaas.ports.queueing import Stands, TextSide, With
from ccaas.ports.sentiment import Conversing, Sentiment

_LOCALE = "en-US"


class TextHanding(CallHanding):
    """What one written conversation tells the queues; implements `messaging.parts.Handing`."""

    def __init__(
        self, handing: Handing, conversation_id: str, kind: str, address: str, known: Known, entry: str
    ) -> None:
        super().__init__(handing, conversation_id, address, known.customer, entry)
        self.channel = kind
        self.known = known
        self._one: Handoff | None = None

    @property
    def _unnamed(self) -> str:
        return "A visitor of our chat" if self.channel == "chat" else self._address

    def enter(self, queue: str, why: str) -> bool:
        """Wait for a person of a queue, or go on waiting; False: there is no such queue. `follow` comes after."""
        centre = self._handing.centre
        if self.stands.who is not With.AI:
            return True
        self._one = centre.enqueue(self._caller(), queue, why, self.score)
        return self._one is not None

    def follow(self, side: TextSide) -> None:
        """It can be offered from now on."""
        if self._one is not None:
            self._handing.centre.follow_text(self._one, side)

    def kept(self) -> bool:
        """Whether an earlier controller left it with a person, or waiting for one."""
        self._one = self._handing.centre.kept(self._caller())
        return self._one is not None

    @property
    def stands(self) -> Stands:
        """Who has it."""
        return self._handing.centre.stands(self._one) if self._one is not None else Stands(With.AI)

    def recall(self, lines: Iterable[Line], times: Mapping[str, float]) -> None:
        """What was written with a person before, in an earlier controller, and when each turn with the AI was."""
        self._lines += lines
        self._turns = {name: (times.get(name, at), turn) for name, (at, turn) in self._turns.items()}

    def wrote(self, line: Line) -> None:
        """The customer, or the person who has it, wrote."""
        self._lines.append(line)
        self._handing.centre.said(self._call_id, line)

    def sent(self, message_id: str, state: str, detail: str) -> None:
        """What became of a person's message."""
        if self._one is not None:
            self._handing.centre.sent(self._one, message_id, state, detail)

    def customer_types(self, on: bool) -> None:
        """They are writing, or have stopped."""
        if self._one is not None:
            self._handing.centre.customer_types(self._one, on)

    def closed(self, why: str) -> None:
        """Nothing can be written to them any more; empty: it can."""
        if self._one is not None:
            self._handing.centre.closed_for(self._one, why)


class TextPeople:
    """Implements `messaging.parts.People`."""

    def __init__(
        self, handing: Handing, settings: CcaasSettings, host: PluginHost, sentiment: Sentiment | None
    ) -> None:
        self._handing = handing
        self._settings = settings
        self._host = host
        self._sentiment = sentiment

    def queue(self, name: str) -> str:
        """See the protocol."""
        queues = self._handing.centre.rules.queues
        wanted = (name, self._settings.messaging.queue, next(iter(queues), ""))
        return next((one for one in wanted if one in queues), "")

    def handing(self, conversation_id: str, kind: str, address: str, known: Known, entry: str) -> TextHanding:
        """See the protocol."""
        one = TextHanding(self._handing, conversation_id, kind, address, known, entry)
        self._handing.for_text(conversation_id, one)
        return one

    def has(self, conversation_id: str) -> bool:
        """See the protocol."""
        return self._handing.centre.of_call(conversation_id) is not None

    def drop(self, conversation_id: str) -> None:
        """See the protocol."""
        self._handing.centre.left(conversation_id)

    def escalation(self, conversation_id: str, kind: str, known: Known) -> Escalation:
        """See the protocol."""
        felt = self._settings.sentiment
        if self._sentiment is None or felt is None:
            return Escalation()
        queues = dict.fromkeys(self._handing.centre.rules.queues, "")
        conversing = Conversing(conversation_id, kind, known.customer, _LOCALE, queues)
        return Escalation(
            self._sentiment.open(),
            felt.escalation,
            partial(self._host.escalate, conversing),
            lambda name: bool(self.queue(name)),
            _LOCALE,
        )
