"""Facts, threads and cases."""

from __future__ import annotations

from collections.abc import Sequence

from ccaas.errors import JourneyError
from ccaas.journey import rows
from ccaas.journey.brief import FAMILY, Part, locked, renew, roots
from ccaas.journey.statements import Many, One, Steps
from ccaas.ports.journey import Case, Fact, FactKind, Thread

EVER = 1e300
"""Later than any fact."""

_TYPES = tuple("double precision" if column == "at" else "text" for column in rows.FACT_COLUMNS.split(", "))
_INSERT = (
    f"INSERT INTO facts ({rows.FACT_COLUMNS}) VALUES ({', '.join('?' * len(_TYPES))})"
    " ON CONFLICT (id) DO NOTHING RETURNING id"
)


def append(facts: Sequence[Fact]) -> Steps[None]:
    """`Journey.append`."""
    ids = {fact.customer_id for fact in facts}
    leads = yield from roots(sorted(ids))
    for id_ in ids - set(leads):
        raise JourneyError(f"there is no customer {id_}; recognise or describe them first")
    if briefed := {fact.customer_id for fact in facts if _is_contact(fact) or _concerns_promises(fact)}:
        leads.update((yield from locked(*briefed)))
    stored = yield Many(_INSERT, [rows.fact_values(fact, leads[fact.customer_id]) for fact in facts], _TYPES)
    if not briefed:
        return
    new = {row[0] for row in stored}
    changed: dict[str, tuple[Part, ...]] = {}
    contacts: dict[str, tuple[float, str]] = {}
    for fact in facts:
        root = leads[fact.customer_id]
        if fact.id not in new:
            continue
        if _is_contact(fact):
            changed.setdefault(root, ())
            if root not in contacts or fact.at >= contacts[root][0]:
                contacts[root] = (float(fact.at), fact.channel)
        elif _concerns_promises(fact):
            changed[root] = (Part.PROMISES,)
    yield from renew(changed, contacts)


def _is_contact(fact: Fact) -> bool:
    return fact.kind is FactKind.CONTACTED


def _concerns_promises(fact: Fact) -> bool:
    return fact.kind is FactKind.PROMISED or (fact.kind is FactKind.DONE and bool(fact.data.get("promise")))


def timeline(customer_id: str, limit: int, before: float | None) -> Steps[tuple[Fact, ...]]:
    """`Journey.timeline`."""
    leads = yield from roots([customer_id])
    if not leads or limit < 1:
        return ()
    root, until = leads[customer_id], EVER if before is None else float(before)
    oldest = f"SELECT at FROM facts WHERE customer_id IN {FAMILY} AND at < ? ORDER BY at DESC LIMIT 1 OFFSET ?"
    found = yield One(
        f"SELECT {rows.READ_FACT} FROM facts f WHERE f.customer_id IN {FAMILY} AND f.at < ?"
        f" AND f.at >= coalesce(({oldest}), ?) ORDER BY f.at, f.seq",
        (root, until, root, until, limit - 1, -EVER),
    )
    return tuple(rows.fact(row, root) for row in found)


def page(root: str, after: tuple[float, int], count: int) -> Steps[tuple[tuple[tuple[float, int], Fact], ...]]:
    """The oldest facts after one of them, each with its place."""
    found = yield One(
        f"SELECT f.seq, {rows.READ_FACT} FROM facts f WHERE f.customer_id IN {FAMILY}"
        " AND (f.at, f.seq) > (?, ?) ORDER BY f.at, f.seq LIMIT ?",
        (root, *after, count),
    )
    return tuple(((row[2], row[0]), rows.fact(tuple(row)[1:], root)) for row in found)


def threads(customer_id: str) -> Steps[tuple[Thread, ...]]:
    """`Journey.threads`."""
    leads = yield from roots([customer_id])
    if not leads:
        return ()
    root = leads[customer_id]
    found = yield One(f"SELECT body FROM threads WHERE customer_id IN {FAMILY} ORDER BY updated_at DESC, id", (root,))
    return tuple(rows.thread(body, root) for (body,) in found)


def thread(one: Thread) -> Steps[None]:
    """`Journey.thread`."""
    yield from _keep("threads", one, one.state.value, (Part.THREADS, Part.OUTCOME))


def case(one: Case) -> Steps[None]:
    """`Journey.case`."""
    yield from _keep("cases", one, one.state, (Part.CASES,))


def _keep(table: str, one: Thread | Case, state: str, parts: tuple[Part, ...]) -> Steps[None]:
    root = (yield from locked(one.customer_id))[one.customer_id]
    # What was stored under an id that was merged stays that one's own, for `unmerge`.
    stored = yield One(
        f"INSERT INTO {table} (id, customer_id, state, updated_at, body) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at, body = excluded.body"
        f" WHERE {table}.customer_id IN {FAMILY} RETURNING id",
        (one.id, root, state, float(one.updated_at), rows.body(one), root),
    )
    if not stored:
        raise JourneyError(f"{one.id} is another customer's; choose another id")
    yield from renew({root: parts})
