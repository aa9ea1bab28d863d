"""Everything that is kept of a customer, as JSON objects."""

from __future__ import annotations

from ccaas.journey import rows
from ccaas.journey.auditing import note
from ccaas.journey.brief import FAMILY
from ccaas.journey.erasure import known
from ccaas.journey.statements import One, Steps
from ccaas.journey.timeline import page
from ccaas.ports.journey import Fact, Json

PAGE = 500
"""Facts that are read together."""
BEGIN = (-1e300, 0)
"""Before the first fact."""


def begin(customer_id: str, by: str) -> Steps[str]:
    """Note it in the audit; whom the id leads to."""
    root = yield from known(customer_id)
    yield from note("export", root, "", "", by)
    return root


def head(root: str) -> Steps[list[Json]]:
    """All but the facts."""
    found = yield One("SELECT brief FROM customers WHERE id = ?", (root,))
    context = rows.context(found[0][0])
    lines: list[Json] = [rows.to_line("customer", context.profile)]
    merged = yield One("SELECT id FROM customers WHERE root = ? AND id <> ? ORDER BY id", (root, root))
    lines += [{"type": "merged", "id": row[0]} for row in merged]
    lines += [rows.to_line("identity", one) for one in context.identities]
    found = yield One(
        f"SELECT channel, purpose, granted, at, proof FROM consents WHERE customer_id IN {FAMILY} ORDER BY at, seq",
        (root,),
    )
    lines += [rows.to_line("consent", rows.consent(row)) for row in found]
    found = yield One(f"SELECT body FROM cases WHERE customer_id IN {FAMILY} ORDER BY updated_at, id", (root,))
    lines += [rows.to_line("case", rows.case(row[0], root)) for row in found]
    found = yield One(f"SELECT body FROM threads WHERE customer_id IN {FAMILY} ORDER BY updated_at, id", (root,))
    lines += [rows.to_line("thread", rows.thread(row[0], root)) for row in found]
    return lines


def facts(root: str, after: tuple[float, int]) -> Steps[tuple[list[Json], tuple[float, int] | None]]:
    """The next facts, and the place of the last of them; None when there are no more."""
    found: tuple[tuple[tuple[float, int], Fact], ...] = yield from page(root, after, PAGE)
    return [rows.to_line("fact", one) for _, one in found], found[-1][0] if found else None
