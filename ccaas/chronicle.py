"""Tells the journey what the journal has kept for it: in each customer's order, and again until the store has it.

Nothing waits for this: a store that is slow or down costs no turn, and what it was not told stands in the journal.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import structlog
from prometheus_client import Counter

from ccaas.actions.audit import ToolRun
from ccaas.chapter import Chapter, Page, Whose, page_of
from ccaas.errors import CcaasError, JourneyError
from ccaas.journal.entries import Entry
from ccaas.journal.journal import Journal
from ccaas.journal.messages import ChronicleTold
from ccaas.journal.texts import chronicled
from ccaas.ports.journey import Identity, Journey

_log = structlog.get_logger(__name__)

FACTS = Counter("ccaas_journey_pages_total", "Facts, threads and consents that the journey was told", ["result"])

_BATCH = 500
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 30.0
_MOST_FAILURES = 20
"""So many customers' pages may fail in one round before the store is taken to be down."""
_KNOWN = 5_000
"""Identities whose customer is remembered."""


class Chronicle:
    """One task (`run`) between the journal and the journey."""

    def __init__(self, journal: Journal, journey: Journey) -> None:
        self._journal = journal
        self._journey = journey
        self._news = asyncio.Event()
        self._known: OrderedDict[Identity, str] = OrderedDict()
        self._telling = asyncio.Lock()

    def post(self, *entries: Entry) -> None:
        """Journal these, and tell the journey what of them is for it. Never waits, never raises."""
        self._journal.post(*entries)
        self._news.set()

    async def append(self, *entries: Entry) -> None:
        """As `post`, but returns when they are stored. Raises JournalError."""
        await self._journal.append(*entries)
        self._news.set()

    async def run(self) -> None:
        """Tell what there is, and then what comes, until cancelled."""
        wait_s = _FIRST_WAIT_S
        self._news.set()
        while True:
            await self._news.wait()
            self._news.clear()
            if await self.tell():
                wait_s = _FIRST_WAIT_S
                continue
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            self._news.set()

    async def tell(self) -> bool:
        """Tell what the journal holds. False: something is left, for the store has failed."""
        async with self._telling:
            return await self._tell_all()

    async def _tell_all(self) -> bool:
        while True:
            try:
                found = await self._journal.ask(chronicled(_BATCH))
                told, failed = await self._tell([(number, page_of(row.record)) for number, row in found])
                if told:
                    await self._journal.append(ChronicleTold(tuple(told)))
            except CcaasError as error:
                _log.warning("the chronicle waits for the journal", error=str(error))
                return False
            if failed:
                return False
            if len(found) < _BATCH:
                return True

    async def _tell(self, pages: Sequence[tuple[int, Page]]) -> tuple[list[int], int]:
        """Numbers of the pages that the store has, and how many customers' it refused. After one that failed, nothing
        more of the same customer is told in this round."""
        told: list[int] = []
        failed: set[str] = set()
        for numbers, together in _bundles(pages):
            key = together[0].whose.key
            if key in failed:
                continue
            try:
                await self._keep(together)
            except JourneyError as error:
                if (identity := together[0].whose.identity) is not None:
                    # Whose it was may have been erased: who is there in the next round is asked anew.
                    self._known.pop(identity, None)
                if await self._gone(together[0].whose):
                    _log.warning("left out of the journey: its customer was erased", pages=len(together))
                    told += numbers
                    continue
                failed.add(key)
                FACTS.labels("failed").inc(len(together))
                _log.warning("the journey could not be told; trying again", pages=len(together), error=str(error))
                if len(failed) >= _MOST_FAILURES:
                    break
            else:
                told += numbers
                FACTS.labels("told").inc(len(together))
        return told, len(failed)

    async def _keep(self, pages: Sequence[Page]) -> None:
        customer = await self._customer(pages[0].whose)
        facts = [replace(page.fact, customer_id=customer) for page in pages if page.fact is not None]
        if facts:
            await self._journey.append(*facts)
        for page in pages:
            if page.thread is not None:
                await self._journey.thread(replace(page.thread, customer_id=customer))
            if page.consent is not None:
                await self._journey.consent(customer, page.consent)

    async def _gone(self, whose: Whose) -> bool:
        """Whether the store answers, and does not have this customer any more."""
        try:
            return bool(whose.customer_id) and await self._journey.context(whose.customer_id) is None
        except JourneyError:
            return False

    async def _customer(self, whose: Whose) -> str:
        if whose.customer_id:
            return whose.customer_id
        assert whose.identity is not None  # a page that is nobody's is not journalled
        known = self._known.get(whose.identity)
        if known is None:
            known = await self._journey.recognise(whose.identity, whose.profile)
            self._known[whose.identity] = known
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return known


class ToldAudit:
    """An `Audit` whose writes are on the customer's timeline too, in one transaction with their rows."""

    def __init__(self, chronicle: Chronicle, chapter: Callable[[], Chapter | None], at: Callable[[], float]) -> None:
        """`chapter`: the conversation's, None while it is not known whose it is; `at`: now on the timeline (Unix s)."""
        self._chronicle = chronicle
        self._chapter = chapter
        self._at = at

    async def store(self, run: ToolRun) -> None:
        """See the protocol."""
        chapter = self._chapter()
        await self._chronicle.append(run, *(chapter.did(run, self._at()) if chapter is not None else ()))

    def note(self, run: ToolRun) -> None:
        """See the protocol."""
        self._chronicle.post(run)


def _bundles(pages: Iterable[tuple[int, Page]]) -> Iterable[tuple[list[int], list[Page]]]:
    """Facts of one customer that follow each other are told in one transaction; everything else alone."""
    numbers: list[int] = []
    together: list[Page] = []
    for number, page in pages:
        joins = together and page.fact is not None and together[-1].fact is not None
        if together and not (joins and page.whose == together[-1].whose):
            yield numbers, together
            numbers, together = [], []
        numbers.append(number)
        together.append(page)
    if together:
        yield numbers, together
