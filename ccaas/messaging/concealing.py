"""Tells a channel that keeps what was written of words that nobody keeps: answers to a check of who the customer is."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from ccaas.journal.messages import MessageReceived
from ccaas.messaging.parts import Line

_log = structlog.get_logger(__name__)


async def conceal(line: Line, letters: Iterable[MessageReceived]) -> None:
    """Have the channel forget the words of these messages; the conversation goes on whatever it does."""
    for letter in letters:
        try:
            await line.channel.conceal(letter.message.address, letter.message.id)
        except Exception:  # noqa: BLE001  (whatever a channel raises here, the answer is given)
            _log.exception("a channel still has an answer to a check", channel=line.name)
