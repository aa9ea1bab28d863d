"""Two ids for one person. Nothing but `customers` changes, so that it can be undone exactly."""

from __future__ import annotations

from ccaas.errors import JourneyError
from ccaas.journey.auditing import note
from ccaas.journey.brief import ALL, locked, renew
from ccaas.journey.statements import Many, One, Steps


def merge(kept: str, gone: str, why: str, by: str) -> Steps[None]:
    """`Journey.merge`."""
    leads = yield from locked(kept, gone)
    kept, gone = leads[kept], leads[gone]
    if kept == gone:
        raise JourneyError(f"{kept} and the other are one customer already; nothing was changed")
    yield One("UPDATE customers SET parent = ? WHERE id = ?", (kept, gone))
    yield One("UPDATE customers SET root = ?, brief = '' WHERE root = ?", (kept, gone))
    yield from renew({kept: ALL})
    yield from note("merge", kept, gone, why, by)


def unmerge(gone: str, why: str, by: str) -> Steps[None]:
    """`Journey.unmerge`."""
    root = (yield from locked(gone))[gone]
    family = yield One("SELECT id, parent FROM customers WHERE root = ?", (root,))
    parents = {row[0]: row[1] for row in family}
    parent = parents[gone]
    if not parent:
        raise JourneyError(f"{gone} is not merged into anybody; `journey audit` lists the merges")
    yield One("UPDATE customers SET parent = '' WHERE id = ?", (gone,))
    freed = [(gone, id_) for id_ in parents if gone in _ancestors(id_, parents)]
    yield Many("UPDATE customers SET root = ? WHERE id = ?", freed)
    yield from renew({root: ALL, gone: ALL})
    yield from note("unmerge", parent, gone, why, by)


def _ancestors(id_: str, parents: dict[str, str]) -> set[str]:
    """The id, whom it was merged into, and so on."""
    found = set()
    while id_:
        found.add(id_)
        id_ = parents[id_]
    return found
