"""From written conversations to the queues: which queue, on what signs, and what they know there."""

from __future__ import annotations

from functools import partial

from ccaas.acquaintance import Known
from ccaas.config.settings import CcaasSettings
from ccaas.conversation.escalation import Escalation
from ccaas.handing import Handing, TextHanding
from ccaas.hooks import PluginHost
from ccaas.ports.sentiment import Conversing, Sentiment

_LOCALE = "en-US"


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
        return self._handing.for_text(conversation_id, kind, address, known, entry)

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
