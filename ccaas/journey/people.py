"""Customers and their identities."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from ccaas.errors import JourneyError
from ccaas.journey import rows
from ccaas.journey.brief import Part, locked, renew, roots
from ccaas.journey.statements import Again, Many, One, Steps
from ccaas.ports.journey import Consent, Identity, JourneyContext, Profile


def find(identity: Identity) -> Steps[str | None]:
    """`Journey.find`."""
    found = yield One(
        "SELECT c.root FROM identities i JOIN customers c ON c.id = i.customer_id WHERE i.kind = ? AND i.value = ?",
        (identity.kind.value, identity.value),
    )
    return str(found[0][0]) if found else None


def context(customer_id: str) -> Steps[JourneyContext | None]:
    """`Journey.context`: one read over two primary keys."""
    found = yield One(
        "SELECT r.brief FROM customers c JOIN customers r ON r.id = c.root WHERE c.id = ?", (customer_id,)
    )
    return rows.context(found[0][0]) if found else None


def register(profile: Profile, identities: Sequence[Identity], consents: Sequence[Consent]) -> Steps[str]:
    """`Journey.register`."""
    owners = set()
    for one in identities:
        owner = yield from find(one)
        if owner is not None:
            owners.add(owner)
    known = (yield from roots([profile.id])) if profile.id else {}
    owners |= set(known.values())
    if len(owners) > 1:
        raise JourneyError(f"the identities belong to {' and '.join(sorted(owners))}; merge them first")
    if owners:
        root = owners.pop()
        yield from locked(root)
    else:
        root = profile.id or f"c-{secrets.token_hex(8)}"
        yield from _make(root, root, Profile(root))
    if profile.id and profile.id != root and profile.id not in known:
        yield from _make(profile.id, root, Profile(profile.id))
    yield from _describe(root, profile)
    yield from _attach(root, identities)
    yield from consent(root, consents)
    yield from renew({root: (Part.PROFILE, Part.IDENTITIES, Part.CONSENTS)})
    return root


def attach(customer_id: str, identity: Identity) -> Steps[None]:
    """`Journey.attach`."""
    root = (yield from locked(customer_id))[customer_id]
    owner = yield from find(identity)
    if owner not in (None, root):
        raise JourneyError(f"{identity.value} belongs to {owner}; merge the two customers first")
    yield from _attach(root, [identity])
    yield from renew({root: (Part.IDENTITIES,)})


def consented(customer_id: str, given: Consent) -> Steps[None]:
    """`Journey.consent`."""
    root = (yield from locked(customer_id))[customer_id]
    yield from consent(root, [given])
    yield from renew({root: (Part.CONSENTS,)})


def consent(root: str, consents: Sequence[Consent]) -> Steps[None]:
    """Store consents; one that is there already stays."""
    yield Many(
        "INSERT INTO consents (customer_id, channel, purpose, granted, at, proof) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(root, c.channel, c.purpose, int(c.granted), float(c.at), rows.clean(c.proof)) for c in consents],
    )


def _make(id_: str, root: str, profile: Profile) -> Steps[None]:
    own = id_ == root
    made = yield One(
        "INSERT INTO customers (id, parent, root, profile, brief) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING RETURNING id",
        (
            id_,
            "" if own else root,
            root,
            rows.profile_text(profile),
            rows.context_text(JourneyContext(profile)) if own else "",
        ),
    )
    if not made:
        raise Again


def _describe(root: str, profile: Profile) -> Steps[None]:
    found = yield One("SELECT profile FROM customers WHERE id = ?", (root,))
    text = rows.profile_text(rows.over(rows.profile(found[0][0]), replace(profile, id=root)))
    yield One("UPDATE customers SET profile = ? WHERE id = ?", (text, root))


def _attach(root: str, identities: Sequence[Identity]) -> Steps[None]:
    """Identities of this customer, or of nobody yet."""
    yield Many(
        "INSERT INTO identities (kind, value, customer_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(one.kind.value, one.value, root) for one in identities],
    )
    for one in identities:
        if (yield from find(one)) != root:
            raise Again
