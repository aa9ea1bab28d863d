"""The SIP messages that channels are lent: they leave under a permit, or not at all."""

from __future__ import annotations

from collections.abc import Callable

from ccaas.errors import MessageFailed
from ccaas.outreach.permits import ContactRefused, Register
from ccaas.ports.messaging import SipMessages, SipText


class PermittedSip:
    """Implements `SipMessages` over another."""

    def __init__(self, sip: SipMessages, register: Register) -> None:
        self._sip = sip
        self._register = register

    async def send(self, to: str, sender: str, text: str) -> None:
        """See the port; only within the sending of a message that the gate has allowed, and to its address."""
        try:
            self._register.one_text(to)
        except ContactRefused as refused:
            raise MessageFailed(str(refused), again=False) from refused
        await self._sip.send(to, sender, text)

    async def listen(self, on_text: Callable[[SipText], None]) -> None:
        """See the port."""
        await self._sip.listen(on_text)
