"""What can be wrong with a model's answer."""

from __future__ import annotations

from enum import Enum

from ccaas.errors import CcaasError


class Why(Enum):
    """Why the model does not have the word; the values are Prometheus labels."""

    SLOW = "slow"
    """No first clause within the budget."""
    STALLED = "stalled"
    """Nothing more came in the middle of a reply, or the turn took too long."""
    BUSY = "busy"
    """The server is overloaded (429) or broken (5xx)."""
    REFUSED = "refused"
    """The server does not take the request (4xx)."""
    DISCONNECTED = "disconnected"
    """The server cannot be reached, or went away in the middle."""
    WRONG = "wrong"
    """What came is no answer: another schema, a tool call that cannot be read, nothing at all."""
    LOOP = "loop"
    """The same over and over: a tool call, or a sentence."""
    POLICY = "policy"
    """It said what must not be said."""
    LIMIT = "limit"
    """The conversation's tokens or money are used up."""
    RESTING = "resting"
    """It failed just now, and is left alone for a while."""


class ModelFault(CcaasError):
    """The model did not answer, or not with anything that can be used."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why
