"""What the one brain lends to calls and to conversations by text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ccaas.acquaintance import Acquaintance
from ccaas.chronicle import Chronicle
from ccaas.ports.journey import Identity
from ccaas.presence import Presence


@dataclass(frozen=True, slots=True)
class Brain:
    """Made by the composition root."""

    acquaintance: Acquaintance
    chronicle: Chronicle
    presence: Presence
    spell: Callable[[str, str], Identity | None]
    """Channel ("voice", "sms", …) and address → the address in its one spelling; None when it is no usable one."""
