"""Erasing a customer, and what is older than an installation keeps."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence

from ccaas.errors import JourneyError
from ccaas.journey import rows
from ccaas.journey.auditing import note
from ccaas.journey.brief import FAMILY, OWED, Part, locked, renew, roots
from ccaas.journey.statements import Many, One, Steps
from ccaas.ports.journey import Erased, Identity, IdentityKind, Traces

WINDOW = 5_000
"""Facts that are looked at together, so that others are not kept waiting."""

_TABLES = ("facts", "identities", "threads", "cases", "consents")


def receipt() -> str:
    """A name for an erasure that tells nothing of the person."""
    return f"e-{secrets.token_hex(6)}"


def forget(customer_id: str, why: str, by: str) -> Steps[Erased]:
    """`Journey.forget`, but for the files."""
    root = (yield from locked(customer_id))[customer_id]
    found = yield One("SELECT id, profile FROM customers WHERE root = ?", (root,))
    ids = [row[0] for row in found]
    each = [(id_,) for id_ in ids]
    left = yield from traces(root)
    words = set(ids) | {identity.value for identity in left.identities}
    for _, text in found:
        profile = rows.profile(text)
        words |= {profile.first_name, profile.last_name}
    counted = yield Many("SELECT count(*) FROM facts WHERE customer_id = ?", each)
    for table in _TABLES:
        yield Many(f"DELETE FROM {table} WHERE customer_id = ?", each)
    yield Many("DELETE FROM customers WHERE id = ?", each)
    name = receipt()
    for column in ("customer", "other"):
        yield Many(
            f"UPDATE audit SET customer = ?, other = '', why = '' WHERE {column} = ? AND {column} <> ''",
            [(name, id_) for id_ in ids],
        )
    erased = Erased(name, sum(row[0] for row in counted), left.recordings)
    yield from _files(erased.recordings)
    yield from note("forget", name, "", without(why, words), by, erased.facts)
    return erased


def traces(customer_id: str) -> Steps[Traces]:
    """`Journey.traces`."""
    root = yield from known(customer_id)
    ids = yield One("SELECT id FROM customers WHERE root = ? ORDER BY id", (root,))
    identities = yield One(
        f"SELECT kind, value FROM identities WHERE customer_id IN {FAMILY} ORDER BY kind, value", (root,)
    )
    of = f"FROM facts WHERE customer_id IN {FAMILY} AND"
    recordings = yield One(f"SELECT DISTINCT recording {of} recording <> '' ORDER BY recording", (root,))
    conversations = yield One(
        f"SELECT DISTINCT conversation_id {of} conversation_id <> '' ORDER BY conversation_id", (root,)
    )
    return Traces(
        tuple(row[0] for row in ids),
        tuple(Identity(IdentityKind(kind), value) for kind, value in identities),
        tuple(row[0] for row in recordings),
        tuple(row[0] for row in conversations),
    )


def without(why: str, words: Iterable[str]) -> str:
    """The reason, without what would tell who it was."""
    for word in sorted(set(words) - {""}, key=len, reverse=True):
        why = why.replace(word, "…")
    return why


def window(after: int) -> Steps[int | None]:
    """The last fact (`seq`) of the next window; None where there are no more."""
    found = yield One(
        "SELECT max(seq) FROM (SELECT seq FROM facts WHERE seq > ? ORDER BY seq LIMIT ?) AS next", (after, WINDOW)
    )
    last: int | None = found[0][0]
    return last


def old_facts(after: int, last: int, older_than: float) -> Steps[list[int]]:
    """Facts (`seq`) of a window that may go: no promise that is still owed, and no deed whose promise stays."""
    stays = "EXISTS (SELECT 1 FROM facts p WHERE p.id = f.keeps AND p.at >= ?)"
    found = yield One(
        "SELECT f.seq FROM facts f WHERE f.seq > ? AND f.seq <= ? AND f.at < ?"
        f" AND NOT (f.kind = 'promised' AND {OWED}) AND NOT (f.keeps <> '' AND {stays})",
        (after, last, older_than, older_than),
    )
    return [row[0] for row in found]


def drop_facts(numbers: Sequence[int]) -> Steps[tuple[int, tuple[str, ...]]]:
    """Delete them; how many, and the recordings that no other fact names."""
    each = [(number,) for number in numbers]
    # The customers first: whoever adds a promise in this moment waits, or we do.
    owners = yield Many("SELECT customer_id, kind FROM facts WHERE seq = ?", each)
    briefed = {owner for owner, kind in owners if kind in ("contacted", "promised", "done")}
    leads = (yield from locked(*briefed)) if briefed else {}
    gone = yield Many("DELETE FROM facts WHERE seq = ? RETURNING recording", each)
    yield from renew(dict.fromkeys(leads.values(), (Part.CONTACT, Part.PROMISES)))
    files = sorted({row[0] for row in gone} - {""})
    still = yield Many(
        "SELECT recording FROM facts WHERE recording = ? AND recording <> '' GROUP BY recording",
        [(file,) for file in files],
    )
    unnamed = tuple(file for file in files if file not in {row[0] for row in still})
    yield from _files(unnamed)
    return len(gone), unnamed


def drop_closed(older_than: float) -> Steps[int]:
    """Delete some closed threads and cases; how many."""
    count = 0
    for table, part in (("threads", Part.OUTCOME), ("cases", Part.CASES)):
        old = yield One(
            f"SELECT id, customer_id FROM {table} WHERE state = 'closed' AND updated_at < ? ORDER BY updated_at LIMIT ?",
            (older_than, WINDOW),
        )
        if not old:
            continue
        leads = yield from locked(*{row[1] for row in old})
        yield Many(f"DELETE FROM {table} WHERE id = ? AND state = 'closed'", [(row[0],) for row in old])
        yield from renew(dict.fromkeys(leads.values(), (part,)))
        count += len(old)
    return count


def _files(paths: Sequence[str]) -> Steps[None]:
    """Remember files until they are deleted: the process may die between."""
    yield Many(
        "INSERT INTO erased_files (path, at) VALUES (?, ?) ON CONFLICT DO NOTHING", [(p, time.time()) for p in paths]
    )


def files() -> Steps[tuple[str, ...]]:
    """Files that are still to be deleted."""
    found = yield One("SELECT path FROM erased_files")
    return tuple(row[0] for row in found)


def files_gone(paths: Sequence[str], before: float) -> Steps[None]:
    """They are deleted; what was not found on any machine since `before` (Unix seconds) is given up."""
    yield Many("DELETE FROM erased_files WHERE path = ?", [(path,) for path in paths])
    yield One("DELETE FROM erased_files WHERE at < ?", (before,))


def known(customer_id: str) -> Steps[str]:
    """Whom an id leads to. Raises JourneyError when it is nobody's."""
    leads = yield from roots([customer_id])
    if not leads:
        raise JourneyError(f"there is no customer {customer_id}; nothing was changed")
    return leads[customer_id]
