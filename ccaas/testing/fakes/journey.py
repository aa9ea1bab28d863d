"""A journey in memory: plain dictionaries, the same behaviour as the real stores (one conformance suite for all)."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from ccaas.errors import JourneyError
from ccaas.journey import rows
from ccaas.ports.journey import (
    Case,
    Consent,
    Erased,
    Fact,
    FactKind,
    Identity,
    JourneyContext,
    Json,
    Profile,
    Thread,
    ThreadState,
    Traces,
)


@dataclass(slots=True)
class _Person:
    """One id, with what was stored under it while it stood on its own."""

    profile: Profile
    parent: str = ""
    """Whom it was merged into."""
    identities: set[Identity] = field(default_factory=set)
    facts: list[Fact] = field(default_factory=list)
    threads: dict[str, Thread] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)


class FakeJourney:
    """A `Journey` for tests. `fails`, when set, is raised by every method: a store that is down."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """`now`: Unix seconds, for the audit."""
        self._now = now
        self._people: dict[str, _Person] = {}
        self._audit: list[dict[str, object]] = []
        self._numbers = itertools.count(1)
        self.fails: JourneyError | None = None
        self.closed = False

    async def find(self, identity: Identity) -> str | None:
        self._check()
        return next((self._root(id_) for id_, one in self._people.items() if identity in one.identities), None)

    async def recognise(self, identity: Identity, profile: Profile | None = None) -> str:
        found = await self.find(identity)
        return found if found is not None else await self.register(profile or Profile(""), (identity,))

    async def register(
        self, profile: Profile, identities: Sequence[Identity] = (), consents: Sequence[Consent] = ()
    ) -> str:
        self._check()
        owners = {owner for one in identities if (owner := await self.find(one)) is not None}
        if profile.id in self._people:
            owners.add(self._root(profile.id))
        if len(owners) > 1:
            raise JourneyError(f"the identities belong to {' and '.join(sorted(owners))}; merge them first")
        owner = owners.pop() if owners else profile.id or f"c-{next(self._numbers)}"
        await self.describe(replace(profile, id=owner))
        if profile.id and profile.id not in self._people:
            self._people[profile.id] = _Person(Profile(profile.id), parent=owner)
        for one in identities:
            await self.attach(owner, one)
        for consent in consents:
            await self.consent(owner, consent)
        return owner

    async def attach(self, customer_id: str, identity: Identity) -> None:
        root = self._known(customer_id)
        owner = await self.find(identity)
        if owner not in (None, root):
            raise JourneyError(f"{identity.value} belongs to {owner}; merge the two customers first")
        if owner is None:
            self._people[root].identities.add(identity)

    async def describe(self, profile: Profile) -> None:
        self._check()
        if not profile.id:
            raise JourneyError("a customer needs an id; give the profile one")
        root = self._root(profile.id) if profile.id in self._people else profile.id
        person = self._people.setdefault(root, _Person(Profile(root)))
        person.profile = _over(person.profile, profile)

    async def append(self, *facts: Fact) -> None:
        roots = [self._known(fact.customer_id) for fact in facts]
        there = {fact.id for person in self._people.values() for fact in person.facts}
        for root, fact in zip(roots, facts, strict=True):
            if fact.id not in there:
                there.add(fact.id)
                self._people[root].facts.append(_kept(fact, root))

    async def thread(self, thread: Thread) -> None:
        root = self._known(thread.customer_id)
        owner = next((id_ for id_, one in self._people.items() if thread.id in one.threads), root)
        if self._root(owner) != root:
            raise JourneyError(f"{thread.id} is another customer's; choose another id")
        self._people[owner].threads[thread.id] = rows.thread(rows.body(thread), owner)

    async def case(self, case: Case) -> None:
        root = self._known(case.customer_id)
        owner = next((id_ for id_, one in self._people.items() if case.id in one.cases), root)
        if self._root(owner) != root:
            raise JourneyError(f"{case.id} is another customer's; choose another id")
        self._people[owner].cases[case.id] = rows.case(rows.body(case), owner)

    async def consent(self, customer_id: str, consent: Consent) -> None:
        consents = self._people[self._known(customer_id)].consents
        if consent not in consents:
            consents.append(consent)

    async def context(self, customer_id: str) -> JourneyContext | None:
        self._check()
        if customer_id not in self._people:
            return None
        root = self._root(customer_id)
        people = self._members(root)
        profile = people[0].profile
        for other in people[1:]:
            profile = _over(other.profile, profile)
        facts = [fact for one in people for fact in one.facts]
        threads = await self.threads(root)
        closed = [thread for thread in threads if thread.state is ThreadState.CLOSED]
        contact = max((f for f in facts if f.kind is FactKind.CONTACTED), key=lambda f: f.at, default=None)
        newest: dict[tuple[str, str], Consent] = {}
        for consent in sorted((c for one in people for c in one.consents), key=lambda c: c.at):
            newest[consent.channel, consent.purpose] = consent
        cases = [replace(c, customer_id=root) for one in people for c in one.cases.values() if c.state == "open"]
        return JourneyContext(
            profile=replace(profile, id=root),
            identities=tuple(
                sorted((i for one in people for i in one.identities), key=lambda i: (i.kind.value, i.value))
            ),
            threads=tuple(thread for thread in threads if thread.state is not ThreadState.CLOSED)[:8],
            last_outcome=closed[0].outcome if closed else "",
            last_contact_at=contact.at if contact else None,
            last_channel=contact.channel if contact else "",
            promises=tuple(sorted((replace(f, customer_id=root) for f in _owed(facts)), key=_due)),
            cases=tuple(sorted(cases, key=lambda case: (-case.updated_at, case.id))),
            consents=tuple(newest[key] for key in sorted(newest)),
        )

    async def timeline(self, customer_id: str, limit: int = 200, before: float | None = None) -> tuple[Fact, ...]:
        self._check()
        if customer_id not in self._people or limit < 1:
            return ()
        root = self._root(customer_id)
        facts = [replace(f, customer_id=root) for one in self._members(root) for f in one.facts]
        facts = sorted((f for f in facts if before is None or f.at < before), key=lambda f: f.at)
        oldest = facts[-limit].at if len(facts) > limit else float("-inf")
        return tuple(fact for fact in facts if fact.at >= oldest)

    async def threads(self, customer_id: str) -> tuple[Thread, ...]:
        self._check()
        if customer_id not in self._people:
            return ()
        root = self._root(customer_id)
        threads = [replace(t, customer_id=root) for one in self._members(root) for t in one.threads.values()]
        return tuple(sorted(threads, key=lambda thread: (-thread.updated_at, thread.id)))

    async def merge(self, kept: str, gone: str, why: str, by: str = "") -> None:
        kept, gone = self._known(kept), self._known(gone)
        if kept == gone:
            raise JourneyError(f"{kept} and the other are one customer already; nothing was changed")
        self._people[gone].parent = kept
        self._note("merge", kept, gone, why, by)

    async def unmerge(self, gone: str, why: str, by: str = "") -> None:
        self._known(gone)
        parent = self._people[gone].parent
        if not parent:
            raise JourneyError(f"{gone} is not merged into anybody; `journey audit` lists the merges")
        self._people[gone].parent = ""
        self._note("unmerge", parent, gone, why, by)

    async def traces(self, customer_id: str) -> Traces:
        root = self._known(customer_id)
        ids = sorted(id_ for id_ in self._people if self._root(id_) == root)
        people = [self._people[id_] for id_ in ids]
        facts = [fact for one in people for fact in one.facts]
        return Traces(
            tuple(ids),
            tuple(sorted((i for one in people for i in one.identities), key=lambda i: (i.kind.value, i.value))),
            _recordings(facts),
            tuple(sorted({fact.conversation_id for fact in facts} - {""})),
        )

    async def forget(self, customer_id: str, why: str, by: str = "") -> Erased:
        root = self._known(customer_id)
        ids = {id_ for id_ in self._people if self._root(id_) == root}
        people = [self._people.pop(id_) for id_ in ids]
        facts = [fact for one in people for fact in one.facts]
        receipt = f"e-{next(self._numbers)}"
        for row in self._audit:
            if {row["customer"], row["other"]} & ids:
                row.update(customer=receipt, other="", why="")
        erased = Erased(receipt, len(facts), _recordings(facts))
        self._note("forget", receipt, "", _without(why, people, ids), by, erased.facts)
        return erased

    async def retain(self, older_than: float, by: str = "") -> Erased:
        self._check()
        gone: list[Fact] = []
        for person in self._people.values():
            family = [f for one in self._members(self._root(person.profile.id)) for f in one.facts]
            owed = {fact.id for fact in _owed(family)}
            recent = {fact.id for fact in family if fact.at >= older_than}
            out = [
                f
                for f in person.facts
                if f.at < older_than and f.id not in owed and f.data.get("promise") not in recent
            ]
            gone += out
            person.facts = [fact for fact in person.facts if fact not in out]
            person.threads = {
                key: t
                for key, t in person.threads.items()
                if t.state is not ThreadState.CLOSED or t.updated_at >= older_than
            }
            person.cases = {
                key: c for key, c in person.cases.items() if c.state == "open" or c.updated_at >= older_than
            }
        named = {_file(fact) for one in self._people.values() for fact in one.facts}
        erased = Erased(f"e-{next(self._numbers)}", len(gone), _recordings(gone))
        kept = tuple(file for file in erased.recordings if file not in named)
        self._note("retain", "", "", f"older than {older_than:.0f}", by, erased.facts)
        return replace(erased, recordings=kept)

    async def export(self, customer_id: str, by: str = "") -> AsyncIterator[Json]:
        root = self._known(customer_id)
        self._note("export", root, "", "", by)
        context = await self.context(root)
        assert context is not None
        yield rows.to_line("customer", context.profile)
        for id_ in sorted(id_ for id_ in self._people if id_ != root and self._root(id_) == root):
            yield {"type": "merged", "id": id_}
        members = self._members(root)
        consents = sorted((c for one in members for c in one.consents), key=lambda consent: consent.at)
        cases = sorted((c for one in members for c in one.cases.values()), key=lambda case: case.opened_at)
        parts: tuple[tuple[str, Iterable[object]], ...] = (
            ("identity", context.identities),
            ("consent", consents),
            ("case", [replace(case, customer_id=root) for case in cases]),
            ("thread", reversed(await self.threads(root))),
            ("fact", await self.timeline(root, 10**9)),
        )
        for kind, things in parts:
            for thing in things:
                yield rows.to_line(kind, thing)

    async def audit(self, limit: int = 100) -> Sequence[Json]:
        self._check()
        return tuple(dict(row) for row in reversed(self._audit[-limit:] if limit > 0 else []))

    async def close(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.fails is not None:
            raise self.fails
        if self.closed:
            raise JourneyError("the journey is closed; nothing more can be asked of it")

    def _root(self, id_: str) -> str:
        while parent := self._people[id_].parent:
            id_ = parent
        return id_

    def _known(self, id_: str) -> str:
        self._check()
        if id_ not in self._people:
            raise JourneyError(f"there is no customer {id_}; recognise or describe them first")
        return self._root(id_)

    def _members(self, root: str) -> list[_Person]:
        """The customer first, then those that were merged into them."""
        others = [one for id_, one in sorted(self._people.items()) if id_ != root and self._root(id_) == root]
        return [self._people[root], *others]

    def _note(self, what: str, customer: str, other: str, why: str, by: str, facts: int = 0) -> None:
        row = {"at": self._now(), "what": what, "customer": customer, "other": other, "why": why, "by": by}
        self._audit.append({**row, "facts": facts})


def _kept(fact: Fact, root: str) -> Fact:
    """A fact as a store gives it back."""
    return replace(
        fact, customer_id=root, text=rows.clean(fact.text), data=msgspec.json.decode(rows.to_json(fact.data))
    )


def _over(old: Profile, new: Profile) -> Profile:
    """The old profile with the new one's fields that are not empty."""
    names = ("first_name", "last_name", "tier", "lifetime_value_cents", "timezone", "language")
    changed = {name: value for name in names if (value := getattr(new, name))}
    preferences: Mapping[str, str] = {**old.preferences, **new.preferences}
    return replace(old, **changed, preferences=preferences)


def _owed(facts: Sequence[Fact]) -> list[Fact]:
    kept = {fact.data.get("promise") for fact in facts if fact.kind is FactKind.DONE}
    return [fact for fact in facts if fact.kind is FactKind.PROMISED and fact.id not in kept]


def _due(promise: Fact) -> tuple[float, float, str]:
    due = promise.data.get("due")
    return (float(due) if isinstance(due, int | float) else float("inf"), promise.at, promise.id)


def _file(fact: Fact) -> str:
    return fact.recording.partition("#")[0]


def _recordings(facts: Sequence[Fact]) -> tuple[str, ...]:
    return tuple(sorted({_file(fact) for fact in facts} - {""}))


def _without(why: str, people: Sequence[_Person], ids: Iterable[str]) -> str:
    """The reason, without what would tell who it was."""
    words = set(ids) | {i.value for one in people for i in one.identities}
    words |= {name for one in people for name in (one.profile.first_name, one.profile.last_name)}
    for word in sorted(words - {""}, key=len, reverse=True):
        why = why.replace(word, "…")
    return why
