"""The brief: what `context` answers, kept ready in the customer's own row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from ccaas.errors import JourneyError
from ccaas.journey import rows
from ccaas.journey.statements import Again, Many, Row, Rows, Steps
from ccaas.ports.journey import Fact, Identity, IdentityKind, JourneyContext, Profile

THREADS = 8
"""Most threads of a brief."""

FAMILY = "(SELECT id FROM customers WHERE root = ?)"
"""The ids of a customer and of all that were merged into them."""


class Part(Enum):
    """What of a brief has changed."""

    PROFILE = auto()
    IDENTITIES = auto()
    THREADS = auto()
    OUTCOME = auto()
    CONTACT = auto()
    PROMISES = auto()
    CASES = auto()
    CONSENTS = auto()


ALL = frozenset(Part)


def roots(ids: Iterable[str]) -> Steps[dict[str, str]]:
    """Whom ids lead to; ids that are nobody's are left out."""
    found = yield Many("SELECT id, root FROM customers WHERE id = ?", [(id_,) for id_ in ids])
    return {row[0]: row[1] for row in found}


def locked(*ids: str) -> Steps[dict[str, str]]:
    """Whom customers lead to, held until the transaction ends. Raises JourneyError when one is not there."""
    leads = yield from roots(sorted(set(ids)))
    for id_ in ids:
        if id_ not in leads:
            raise JourneyError(f"there is no customer {id_}; recognise or describe them first")
    # In one order for all, so that two transactions never wait for each other.
    wanted = [(root,) for root in sorted(set(leads.values()))]
    held = yield Many("SELECT id, root FROM customers WHERE id = ? /*lock*/", wanted)
    if len(held) < len(wanted) or any(id_ != root for id_, root in held):
        raise Again
    return leads


def renew(
    changed: Mapping[str, Iterable[Part]], contacts: Mapping[str, tuple[float, str]] | None = None
) -> Steps[None]:
    """Bring parts of briefs up to date; the customers are roots and locked. As many statements for many as for one.

    Args:
        changed: the parts of each customer that are read anew.
        contacts: time and channel of new contacts, of customers of `changed`; nothing is read for these.
    """
    found = yield Many("SELECT id, brief FROM customers WHERE id = ?", [(root,) for root in sorted(changed)])
    briefs = {row[0]: rows.context(row[1]) if row[1] else JourneyContext(Profile(row[0])) for row in found}
    for part, section in _SECTIONS.items():
        of = [root for root in briefs if part in changed[root]]
        if not of:
            continue
        answers: dict[str, list[Row]] = {root: [] for root in of}
        for key, *row in (yield Many(section.sql, [(root, root) for root in of])):
            answers[key].append(row)
        for root, answer in answers.items():
            briefs[root] = replace(briefs[root], **section.read(root, answer))
    for root, (at, channel) in (contacts or {}).items():
        last = briefs[root].last_contact_at
        if last is None or at >= last:
            briefs[root] = replace(briefs[root], last_contact_at=at, last_channel=channel)
    texts = [(rows.context_text(brief), root) for root, brief in briefs.items()]
    yield Many("UPDATE customers SET brief = ? WHERE id = ?", texts)


@dataclass(frozen=True, slots=True)
class _Section:
    """How a part is read: the statement takes the root twice and answers it first."""

    sql: str
    read: Callable[[str, Rows], Mapping[str, Any]]


def _profile(root: str, found: Rows) -> Mapping[str, Any]:
    profile = Profile(root)
    for _, text in sorted(found, key=lambda row: (row[0] != root, row[0]), reverse=True):
        profile = rows.over(profile, rows.profile(text))
    return {"profile": profile}


def _identities(_: str, found: Rows) -> Mapping[str, Any]:
    return {"identities": tuple(Identity(IdentityKind(kind), value) for kind, value in sorted(map(tuple, found)))}


def _threads(root: str, found: Rows) -> Mapping[str, Any]:
    return {"threads": tuple(rows.thread(body, root) for (body,) in found)}


def _outcome(root: str, found: Rows) -> Mapping[str, Any]:
    return {"last_outcome": rows.thread(found[0][0], root).outcome if found else ""}


def _contact(_: str, found: Rows) -> Mapping[str, Any]:
    at, channel = found[0] if found else (None, "")
    return {"last_contact_at": at, "last_channel": channel}


def _promises(root: str, found: Rows) -> Mapping[str, Any]:
    return {"promises": tuple(sorted((rows.fact(row, root) for row in found), key=_due))}


def _due(promise: Fact) -> tuple[float, float, str]:
    due = promise.data.get("due")
    return (float(due) if isinstance(due, int | float) else float("inf"), promise.at, promise.id)


def _cases(root: str, found: Rows) -> Mapping[str, Any]:
    return {"cases": tuple(rows.case(body, root) for (body,) in found)}


def _consents(_: str, found: Rows) -> Mapping[str, Any]:
    newest = {(row[0], row[1]): rows.consent(row) for row in found}
    return {"consents": tuple(newest[key] for key in sorted(newest))}


OWED = "NOT EXISTS (SELECT 1 FROM facts d WHERE d.keeps = f.id AND d.keeps <> '')"
"""Nothing has been done yet that keeps the promise `f`."""

_KEY = "SELECT CAST(? AS TEXT),"
_OF = f"WHERE customer_id IN {FAMILY}"
_NEWEST = "ORDER BY updated_at DESC, id"

_SECTIONS = {
    Part.PROFILE: _Section(f"{_KEY} id, profile FROM customers WHERE root = ?", _profile),
    Part.IDENTITIES: _Section(f"{_KEY} kind, value FROM identities {_OF}", _identities),
    Part.THREADS: _Section(f"{_KEY} body FROM threads {_OF} AND state <> 'closed' {_NEWEST} LIMIT {THREADS}", _threads),
    Part.OUTCOME: _Section(f"{_KEY} body FROM threads {_OF} AND state = 'closed' {_NEWEST} LIMIT 1", _outcome),
    Part.CONTACT: _Section(
        f"{_KEY} at, channel FROM facts {_OF} AND kind = 'contacted' ORDER BY at DESC LIMIT 1", _contact
    ),
    Part.PROMISES: _Section(
        f"{_KEY} {rows.READ_FACT} FROM facts f {_OF} AND f.kind = 'promised' AND {OWED}", _promises
    ),
    Part.CASES: _Section(f"{_KEY} body FROM cases {_OF} AND state = 'open' {_NEWEST}", _cases),
    Part.CONSENTS: _Section(
        f"{_KEY} channel, purpose, granted, at, proof FROM consents {_OF} ORDER BY at, seq", _consents
    ),
}
