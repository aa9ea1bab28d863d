"""Who said STOP: kept in the journal, whatever the journey's store does, and told to the journey as a consent withdrawn."""

from __future__ import annotations

from collections.abc import Iterator

from ccaas.chapter import Page, Rows, Whose, rows
from ccaas.journal import texts
from ccaas.journal.entries import Entry
from ccaas.journal.journal import Journal
from ccaas.journal.messages import OptedIn, OptedOut
from ccaas.ports.journey import Consent

PURPOSES = ("service", "marketing")
"""What STOP and START are about: everything."""


class OptOuts:
    """Channel and address of everybody who said STOP."""

    def __init__(self) -> None:
        self._stopped: set[tuple[str, str]] = set()
        self._anywhere: set[str] = set()

    async def resume(self, journal: Journal) -> None:
        """Read what an earlier controller stored."""
        self._stopped = set(await journal.ask(texts.opted_out))
        self._anywhere = {address for _, address in self._stopped}

    @staticmethod
    def spelled(address: str) -> str:
        """An address as it is kept here."""
        return address.strip().casefold()

    def stopped(self, channel: str, address: str) -> bool:
        """Whether nothing may be sent there."""
        return (channel, self.spelled(address)) in self._stopped

    def stopped_anywhere(self, address: str) -> bool:
        """Whether its owner said STOP on any channel."""
        return self.spelled(address) in self._anywhere

    def stop(self, channel: str, address: str, whose: Whose, proof: str, at: float) -> tuple[Entry, ...]:
        """From now on nothing is sent there; what is to be journalled of it. `at`: Unix seconds, on the timeline."""
        self._stopped.add((channel, self.spelled(address)))
        self._anywhere.add(self.spelled(address))
        return (OptedOut(channel, self.spelled(address), proof), *_consents(channel, whose, proof, at, granted=False))

    def start(self, channel: str, address: str, whose: Whose, proof: str, at: float) -> tuple[Entry, ...]:
        """From now on messages are sent there again."""
        self._stopped.discard((channel, self.spelled(address)))
        self._anywhere = {one for _, one in self._stopped}
        return (OptedIn(channel, self.spelled(address)), *_consents(channel, whose, proof, at, granted=True))


def _consents(channel: str, whose: Whose, proof: str, at: float, *, granted: bool) -> Rows:
    def pages() -> Iterator[Rows]:
        for purpose in PURPOSES:
            yield rows(Page(whose, consent=Consent(channel, purpose, granted, at, proof)))

    return tuple(row for some in pages() for row in some)
