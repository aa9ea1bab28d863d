"""Whether a contact may be. Pure: the approach, what is known, the rules of the YAML and the time in; a verdict out.

The rules stand in one order, the first that is against it speaks. What is no contact of ours (an answer to the customer's
own message, a text that belongs to their conversation) is looked at first, but never past a STOP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ccaas.outreach.abandonment import Met, may_go_ahead
from ccaas.outreach.hours import allowed_at, is_holiday, next_allowed, zones_of
from ccaas.outreach.settings import OutreachSettings, minutes_of
from ccaas.ports.journey import Consent, Identity, IdentityKind, Profile
from ccaas.ports.outreach import Approach, Later, Purpose, Refused

CONTACT = "contact"
"""The rule of what is a contact of ours, and allowed."""
CONVERSATION = "conversation"
"""The rule of a text that belongs to a conversation which the customer began: it is no contact, but what they have
forbidden stays forbidden."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Past:
    """A contact that was allowed before."""

    channel: str
    purpose: str
    at: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a contact is wanted."""

    now: datetime
    """The business's clock (aware)."""
    region: str
    """The installation's country."""
    free: str = ""
    """`CONVERSATION` where it belongs to one; empty when it is a contact of ours."""
    stopped: bool = False
    """They said STOP, from any of their addresses."""
    listed: str = ""
    """The list that the address or the customer is on; empty when on none."""
    readable: bool = True
    """What the journey knows could be read."""
    profile: Profile | None = None
    identities: Sequence[Identity] = ()
    consents: Sequence[Consent] = ()
    against: Mapping[str, str] = field(default_factory=dict)
    """What plug-ins say against it, by plug-in."""
    past: Sequence[Past] = ()
    """Contacts with this customer or address that were allowed before."""
    met: Met = field(default_factory=lambda: Met(0, 0))
    """Of the campaign, where the call is begun ahead of an agent."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Nothing is against it."""

    rule: str
    text: str
    """What is to be sent, or said first."""


Verdict = Clear | Refused | Later


def judge(approach: Approach, facts: Facts, settings: OutreachSettings) -> Verdict:
    """Decide; see above."""
    for rule in _ALWAYS if facts.free else _RULES:
        verdict = rule(approach, facts, settings)
        if verdict is not None:
            return verdict
    return Clear(facts.free, approach.text) if facts.free else _worded(approach, settings)


def _stopped(approach: Approach, facts: Facts, settings: OutreachSettings) -> Refused | None:
    return Refused("stopped", "they said that they want no more") if facts.stopped else None


def _listed(approach: Approach, facts: Facts, settings: OutreachSettings) -> Refused | None:
    return Refused("listed", f"they are on the list {facts.listed}") if facts.listed else None


def _unknown(approach: Approach, facts: Facts, settings: OutreachSettings) -> Refused | None:
    if not facts.readable:
        return Refused("unreadable", "what they allow cannot be read")
    if facts.profile is None and settings.unknown == "refuse":
        return Refused("unknown", "we do not know who this is")
    return None


def _consent(approach: Approach, facts: Facts, settings: OutreachSettings) -> Refused | None:
    purpose = approach.purpose.value
    # What forbids service forbids its proofs too.
    covering = {purpose, Purpose.SERVICE.value} if approach.purpose is Purpose.TRANSACTIONAL else {purpose}
    given = [one for one in facts.consents if one.channel == approach.channel and one.purpose in covering]
    forbidden = next((one for one in given if not one.granted), None)
    if forbidden is not None:
        return Refused("consent", f"they have forbidden it ({forbidden.proof})")
    if purpose in settings.consent_for and not any(one.granted and one.proof for one in given):
        return Refused("consent", f"there is no consent with a proof for {purpose} by {approach.channel}")
    return None


def _plugins(approach: Approach, facts: Facts, settings: OutreachSettings) -> Refused | None:
    plugin = next(iter(facts.against), None)
    return Refused(f"plugin:{plugin}", facts.against[plugin]) if plugin is not None else None


def _frequency(approach: Approach, facts: Facts, settings: OutreachSettings) -> Refused | None:
    now = facts.now.timestamp()
    for cap in settings.caps:
        if cap.channel not in (None, approach.channel) or cap.purpose not in (None, approach.purpose.value):
            continue
        count = sum(
            one.at > now - cap.days * DAY_S
            and cap.channel in (None, one.channel)
            and cap.purpose in (None, one.purpose)
            for one in facts.past
        )
        if count >= cap.most:
            of = " ".join(word for word in (cap.channel, cap.purpose) if word)
            return Refused(
                "frequency", f"{count} contacts{f' ({of})' if of else ''} within {cap.days:g} days are enough"
            )
    return None


def _abandonment(approach: Approach, facts: Facts, settings: OutreachSettings) -> Refused | None:
    """A call that is begun ahead of an agent may find nobody; where too many did, none is."""
    limit = settings.abandonment.limit
    if not approach.ahead or may_go_ahead(facts.met, limit):
        return None
    found = f"{facts.met.abandoned} of {facts.met.answered} who answered found nobody"
    return Refused("abandonment", f"{found}, and {limit:.1%} are the most; calls wait for free agents")


def _hours(approach: Approach, facts: Facts, settings: OutreachSettings) -> Later | Refused | None:
    purpose = approach.purpose.value
    zones = _zones(approach, facts, settings)
    if purpose in settings.holidays_for and is_holiday(facts.now, zones, settings.holidays):
        return Later("holiday", "it is a holiday there", (facts.now + timedelta(hours=1)).timestamp())
    hours = [settings.hours_of(purpose), *_preferred(facts.profile)]
    if allowed_at(facts.now, zones, hours):
        return None
    when = next_allowed(facts.now, zones, hours)
    if when is None:
        return Refused(
            "hours", f"no hour is known at which it is day in all of {', '.join(zones[:3])}…; give their zone"
        )
    local = when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Later("hours", f"it is outside the hours of {zones[0]}; again at {local}", when.timestamp())


def _zones(approach: Approach, facts: Facts, settings: OutreachSettings) -> tuple[str, ...]:
    phones = [one.value for one in facts.identities if one.kind is IdentityKind.PHONE]
    timezone = facts.profile.timezone if facts.profile is not None else ""
    return zones_of(timezone, approach.channel, [approach.address, *phones], settings.zone, facts.region)


def _preferred(profile: Profile | None) -> list[tuple[int, int]]:
    wanted = profile.preferences.get("hours", "") if profile is not None else ""
    try:
        return [minutes_of(wanted)] if wanted else []
    except ValueError:
        return []


def _worded(approach: Approach, settings: OutreachSettings) -> Clear | Refused:
    """Add what must be said."""
    must = settings.must_say(approach.channel, approach.purpose.value)
    missing = [words for words in must if words.casefold() not in approach.text.casefold()]
    text = " ".join([approach.text, *missing]).strip()
    if approach.longest is not None and missing and len(text) > approach.longest:
        return Refused("words", f"there is no room for what must be said ({' '.join(missing)})")
    return Clear(CONTACT, text)


_Rule = Callable[[Approach, Facts, OutreachSettings], Refused | Later | None]
_ALWAYS: tuple[_Rule, ...] = (_stopped, _listed, _unknown, _consent)
_RULES: tuple[_Rule, ...] = (
    *_ALWAYS,
    _plugins,
    _abandonment,
    _frequency,
    _hours,
)
