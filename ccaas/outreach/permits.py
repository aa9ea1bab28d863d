"""Permits: made by the gate alone, honoured once, and known to whoever really reaches a customer.

What can be forged is not the proof: a permit counts because the register has it, not because of its type or its fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ccaas.errors import CcaasError
from ccaas.ports.outreach import Permit

SENDING: ContextVar[Permit | None] = ContextVar("sending", default=None)
"""The permit under which a channel is sending just now."""


class ContactRefused(CcaasError):
    """A contact that the gate does not allow; the sentence says which rule is against it."""

    exit_code = 2

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(f"not allowed ({rule}): {words}; `ccaas contacts` shows it")
        self.rule = rule


class Register:
    """The permits that are open."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._permits: dict[int, Permit] = {}
        self._used: dict[int, Permit] = {}

    def issue(self, permit: Permit) -> Permit:
        """Open a new permit."""
        self._permits[id(permit)] = permit
        return permit

    def redeem(self, permit: object, channel: str, address: str) -> None:
        """Use a permit. Raises ContactRefused when it is none of ours, was used, or is for somebody else."""
        found = self._permits.pop(id(permit), None)
        if found is None or found is not permit:
            raise ContactRefused("permit", "nobody is contacted without the gate's own permit, and with one only once")
        if (found.channel, found.address) != (channel, address):
            raise ContactRefused("permit", "the permit is for another channel or address")

    def void(self, permit: Permit) -> None:
        """A permit that is not needed after all."""
        self._permits.pop(id(permit), None)

    @contextmanager
    def sending(self, permit: Permit, channel: str, address: str) -> Iterator[None]:
        """Redeem; within, what the channel does counts as this contact. Raises ContactRefused."""
        self.redeem(permit, channel, address)
        self._used[id(permit)] = permit
        token = SENDING.set(permit)
        try:
            yield
        finally:
            SENDING.reset(token)
            self._used.pop(id(permit), None)

    def one_text(self, to: str) -> None:
        """A SIP message is about to leave. Raises ContactRefused unless it belongs to a contact that is allowed: within
        `sending`, one message, to its address."""
        permit = SENDING.get()
        known = permit is not None and self._used.get(id(permit)) is permit
        if permit is None or not known or permit.texts <= 0 or not _means(to, permit):
            raise ContactRefused("permit", "a SIP message belongs to no contact that is allowed")
        permit.texts -= 1


def _means(to: str, permit: Permit) -> bool:
    if to in permit.aliases:
        return True
    return bool(permit.address) and permit.address in (to.rpartition("/")[2], _user(to))


def _user(to: str) -> str:
    return to.rpartition("/")[2].partition(":")[2].partition("@")[0]
