"""The `Journey` over any of the databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

import structlog

from ccaas.errors import JourneyError
from ccaas.journey import auditing, erasure, exporting, merging, people, timeline
from ccaas.journey.commits import Commits
from ccaas.journey.database import Database
from ccaas.ports.journey import Case, Consent, Erased, Fact, Identity, JourneyContext, Json, Profile, Thread, Traces

_log = structlog.get_logger(__name__)

GIVEN_UP_S = 30 * 86_400.0
"""A recording that no machine has found for so long is no longer looked for."""


class StoredJourney:
    """A `Journey`. `state_dir`: the folder below which recordings lie; their files are deleted with their facts."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self._database = database
        self._commits = Commits(database)
        self._state_dir = state_dir

    async def find(self, identity: Identity) -> str | None:
        return await self._database.read(partial(people.find, identity), quick=True)

    async def recognise(self, identity: Identity, profile: Profile | None = None) -> str:
        found = await self.find(identity)
        return found if found is not None else await self.register(profile or Profile(""), (identity,))

    async def register(
        self, profile: Profile, identities: Sequence[Identity] = (), consents: Sequence[Consent] = ()
    ) -> str:
        return await self._commits.change(partial(people.register, profile, tuple(identities), tuple(consents)))

    async def attach(self, customer_id: str, identity: Identity) -> None:
        await self._commits.change(partial(people.attach, customer_id, identity))

    async def describe(self, profile: Profile) -> None:
        if not profile.id:
            raise JourneyError("a customer needs an id; give the profile one")
        await self.register(profile)

    async def append(self, *facts: Fact) -> None:
        if facts:
            await self._commits.append(facts)

    async def thread(self, thread: Thread) -> None:
        await self._commits.change(partial(timeline.thread, thread))

    async def case(self, case: Case) -> None:
        await self._commits.change(partial(timeline.case, case))

    async def consent(self, customer_id: str, consent: Consent) -> None:
        await self._commits.change(partial(people.consented, customer_id, consent))

    async def context(self, customer_id: str) -> JourneyContext | None:
        return await self._database.read(partial(people.context, customer_id), quick=True)

    async def timeline(self, customer_id: str, limit: int = 200, before: float | None = None) -> tuple[Fact, ...]:
        return await self._database.read(partial(timeline.timeline, customer_id, limit, before))

    async def threads(self, customer_id: str) -> tuple[Thread, ...]:
        return await self._database.read(partial(timeline.threads, customer_id))

    async def merge(self, kept: str, gone: str, why: str, by: str = "") -> None:
        await self._commits.change(partial(merging.merge, kept, gone, why, by))

    async def unmerge(self, gone: str, why: str, by: str = "") -> None:
        await self._commits.change(partial(merging.unmerge, gone, why, by))

    async def traces(self, customer_id: str) -> Traces:
        return await self._database.read(partial(erasure.traces, customer_id))

    async def forget(self, customer_id: str, why: str, by: str = "") -> Erased:
        erased = await self._commits.change(partial(erasure.forget, customer_id, why, by))
        await self._database.scour()
        await self.delete_files()
        return erased

    async def retain(self, older_than: float, by: str = "") -> Erased:
        gone, after = 0, 0
        recordings: list[str] = []
        while (last := await self._database.read(partial(erasure.window, after))) is not None:
            old = await self._database.read(partial(erasure.old_facts, after, last, older_than))
            if old:
                count, unnamed = await self._commits.change(partial(erasure.drop_facts, old))
                gone += count
                recordings += unnamed
            after = last
        while await self._commits.change(partial(erasure.drop_closed, older_than)):
            pass
        erased = Erased(erasure.receipt(), gone, tuple(recordings))
        await self._commits.change(partial(auditing.note, "retain", "", "", f"older than {older_than:.0f}", by, gone))
        if gone:
            await self._database.scour()
        await self.delete_files()
        return erased

    async def export(self, customer_id: str, by: str = "") -> AsyncIterator[Json]:
        root = await self._commits.change(partial(exporting.begin, customer_id, by))
        for line in await self._database.read(partial(exporting.head, root)):
            yield line
        place: tuple[float, int] | None = exporting.BEGIN
        while place is not None:
            lines, place = await self._database.read(partial(exporting.facts, root, place))
            for line in lines:
                yield line

    async def audit(self, limit: int = 100) -> Sequence[Json]:
        return await self._database.read(partial(auditing.newest, limit))

    async def close(self) -> None:
        await self._commits.close()
        await self._database.close()

    async def delete_files(self) -> None:
        """Delete recordings whose facts are gone, also those of a process that died before it could."""
        paths = await self._database.read(erasure.files)
        if paths:
            gone = await asyncio.to_thread(_delete, self._state_dir, paths)
            await self._commits.change(partial(erasure.files_gone, gone, time.time() - GIVEN_UP_S))


def _delete(folder: Path, paths: Sequence[str]) -> list[str]:
    """Delete files below the folder; those that were there. On other machines there may be others."""
    found = []
    for name in paths:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            _log.warning("a recording that is to be erased lies outside the state folder", path=name)
            continue
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.error("a recording could not be erased", path=name, error=str(error))
            continue
        found.append(name)
    return found
