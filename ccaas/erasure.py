"""Erasing a person from one machine and from the journey: calls and conversations in the journal, recordings, logs, what
plug-ins keep.

All of it is tried, whatever fails. The journey comes last, and only when nothing else is left: while it still knows the
person, the same can be done again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from ccaas.actions.books import FILE, Books
from ccaas.dialler.records import forget as forget_records
from ccaas.dialler.store import FILE as CAMPAIGNS
from ccaas.dialler.store import CampaignStore
from ccaas.errors import CcaasError, JourneyError
from ccaas.hooks import PluginHost
from ccaas.journal.erasing import conversations_of
from ccaas.journal.erasing import erase as erase_from_journal
from ccaas.log_erasing import erase as erase_from_logs
from ccaas.outreach.cases import cases_of, names_of
from ccaas.outreach.cases import forget as forget_cases
from ccaas.outreach.play_settings import ProactiveSettings
from ccaas.outreach.store import FILE as CONTACTS
from ccaas.outreach.store import file_of as contacts_of
from ccaas.ports.journey import Erased, Journey, Traces
from ccaas.ports.site import Site
from ccaas.scorecard.incidents.ledger import FILE as INCIDENTS
from ccaas.scorecard.incidents.ledger import forget as forget_incidents


class ErasureError(CcaasError):
    """Something of a person is left. The sentence says what, and how to go on."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Of one installation; works beside calls that go on."""

    journey: Journey
    site: Site
    host: PluginHost
    let_go: Callable[[Traces], Awaitable[None]] | None = None
    """Ends what is going on by text with a person; None where this process takes no texts."""
    proactive: ProactiveSettings = field(default_factory=ProactiveSettings)
    """Where the workflows of plays are."""

    async def erase(self, customer_id: str, why: str, by: str) -> Erased:
        """Erase a person from everywhere.

        Raises:
            ErasureError, JourneyError: something is left; do it again.
        """
        await self.erase_here(customer_id)
        return await self.journey.forget(customer_id, why, by)

    async def erase_here(self, customer_id: str) -> int:
        """Erase what this machine keeps beside the journey; how many calls and conversations that were.

        Raises:
            ErasureError, JourneyError: something is left; do it again.
        """
        traces = await self.journey.traces(customer_id)
        if self.let_go is not None:
            await self.let_go(traces)
        failed: list[str] = []
        journal, state = self.site.state_dir / "journal.sqlite", self.site.state_dir
        ids: tuple[str, ...] = ()
        try:
            ids = await asyncio.to_thread(conversations_of, journal, traces)
        except CcaasError as error:
            failed.append(str(error))
        traces = replace(traces, conversations=tuple(sorted({*traces.conversations, *ids})))
        for plugin, what in (await self.host.forget(traces, self.site)).items():
            failed.append(f'plug-in "{plugin}": {what}')
        for work in (
            asyncio.to_thread(_delete_recordings, state / "recordings", ids),
            asyncio.to_thread(erase_from_logs, state / "log", _names(traces)),
            _erase_actions(self.site, traces.customers, ids),
            asyncio.to_thread(_erase_contacts, self.site, self.proactive, traces),
            _erase_campaigns(state / CAMPAIGNS, traces),
            asyncio.to_thread(erase_from_journal, journal, traces),
        ):
            try:
                await work
            except CcaasError as error:
                failed.append(str(error))
        if failed:
            raise ErasureError(
                f"not everything is erased: {'; '.join(failed)}. The journey keeps the customer until it is: mend that, and"
                " run `ccaas journey forget` again"
            )
        return len(ids)


async def _erase_actions(site: Site, customers: Collection[str], conversations: Collection[str]) -> None:
    if not (site.state_dir / FILE).exists():
        return
    books = await Books.open(site.state_dir / FILE)
    try:
        await books.forget(customers, conversations)
    finally:
        await books.close()


async def _erase_campaigns(path: Path, traces: Traces) -> None:
    if not path.exists():
        return
    store = await CampaignStore.open(path)
    try:
        people = {*traces.customers, *(one.value for one in traces.identities)}
        await store.write(lambda db: forget_records(db, people))
        await store.read(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    finally:
        await store.close()


def _erase_contacts(site: Site, proactive: ProactiveSettings, traces: Traces) -> None:
    """Whom we contacted, and what was decided about it. Who may not be contacted stays: it must be kept to."""
    people = {*traces.customers, *(one.value for one in traces.identities)}
    state = site.state_dir
    path = state / CONTACTS
    if not path.exists():
        forget_incidents(state / INCIDENTS, people)
        return
    file = contacts_of(path)
    columns = {
        "customer_id": traces.customers,
        "conversation_id": traces.conversations,
        "address": [one.value for one in traces.identities],
    }
    try:
        with closing(file.open()) as db:
            db.execute("PRAGMA secure_delete = ON").fetchone()
            # Only the cases tell under what name the system of record, and so the ledger, knows them.
            people |= names_of(db, people)
            forget_incidents(state / INCIDENTS, people)
            _erase_workflows(site, proactive, cases_of(db, people))
            db.execute("BEGIN IMMEDIATE")
            for column, values in columns.items():
                db.executemany(f"DELETE FROM contacts WHERE {column} = ?", [(value,) for value in values])
            forget_cases(db, people)
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise file.explained(error) from error


def _erase_workflows(site: Site, proactive: ProactiveSettings, case_ids: Collection[str]) -> None:
    if case_ids:
        from ccaas.outreach.workflow_store import forget  # noqa: PLC0415  (half a second, for who has plays)

        forget(proactive, site, case_ids)


def _names(traces: Traces) -> set[str]:
    """What a line about the person has in it."""
    return {*traces.conversations, *traces.customers, *(one.value.removeprefix("+") for one in traces.identities)}


def _delete_recordings(folder: Path, calls: tuple[str, ...]) -> None:
    """Recordings of calls, also where no fact names them."""
    for call in calls:
        for path in folder.glob(f"{_plain(call)}[!0-9A-Za-z]*") if _plain(call) else ():
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise JourneyError(f"{path} cannot be erased ({error.strerror}); mend its permissions") from None


def _plain(call: str) -> str:
    """The id, where it can be part of a file's name."""
    return call if call.replace("-", "").replace("_", "").isalnum() else ""
