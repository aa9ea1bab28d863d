"""The rules of the compliance gate: each of them refuses, puts off or adds, and says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from ccaas.outreach.abandonment import Met
from ccaas.outreach.compliance import CONVERSATION, Clear, Facts, Past, judge
from ccaas.outreach.settings import OutreachSettings
from ccaas.ports.journey import Consent, Identity, IdentityKind, Profile
from ccaas.ports.outreach import Approach, Later, Purpose, Refused

NOON_IN_BOSTON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
BOSTON, NOWHERE = "+16175550142", "+18005550142"
ANN = Profile("ann")
YES = Consent("sms", "marketing", True, 1.0, "a form")


def sms(text: str = "Your flight is late.", purpose: Purpose = Purpose.SERVICE, **more: Any) -> Approach:
    return Approach("c-1", "ann", more.pop("channel", "sms"), more.pop("address", BOSTON), purpose, text, **more)


def known(now: datetime = NOON_IN_BOSTON, **more: Any) -> Facts:
    return Facts(now=now, region="US", **{"profile": ANN, **more})


def settings(**more: Any) -> OutreachSettings:
    return OutreachSettings.model_validate(more)


def test_a_contact_that_nothing_is_against_gets_the_words_that_it_lacks() -> None:
    assert judge(sms(), known(), settings()) == Clear("contact", "Your flight is late. Reply STOP to opt out.")
    said = sms("Late. REPLY stop TO OPT OUT.")
    assert judge(said, known(), settings()) == Clear("contact", said.text)
    call = sms("", channel="voice")
    assert judge(call, known(), settings()) == Clear("contact", "This is an automated assistant calling.")
    tight = judge(sms(longest=30), known(), settings())
    assert isinstance(tight, Refused) and tight.rule == "words"


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"stopped": True}, "stopped"),
        ({"listed": "register.txt"}, "listed"),
        ({"readable": False}, "unreadable"),
        ({"profile": None}, "unknown"),
        ({"consents": [Consent("sms", "service", False, 1.0, "m-1")]}, "consent"),
        ({"against": {"crm": "they are on board"}}, "plugin:crm"),
        ({"past": [Past("sms", "service", NOON_IN_BOSTON.timestamp() - 60)] * 6}, "frequency"),
    ],
)
def test_each_rule_refuses_with_its_name(more: dict[str, Any], rule: str) -> None:
    verdict = judge(sms(), known(**more), settings())
    assert isinstance(verdict, Refused)
    assert verdict.rule == rule
    assert verdict.words


def test_marketing_needs_a_consent_with_its_proof_for_that_channel() -> None:
    offer = sms(purpose=Purpose.MARKETING)
    for consents in ((), (replace(YES, proof=""),), (replace(YES, channel="voice"),), (replace(YES, granted=False),)):
        verdict = judge(offer, known(consents=consents), settings())
        assert isinstance(verdict, Refused) and verdict.rule == "consent"
    assert isinstance(judge(offer, known(consents=[YES]), settings()), Clear)


def test_caps_count_what_they_name_and_forget_what_is_old() -> None:
    now = NOON_IN_BOSTON.timestamp()
    caps = settings(caps=[{"most": 1, "days": 1, "channel": "sms", "purpose": "service"}])
    for past, allowed in (
        (Past("voice", "service", now - 60), True),
        (Past("sms", "marketing", now - 60), True),
        (Past("sms", "service", now - 86_401), True),
        (Past("sms", "service", now - 60), False),
    ):
        assert isinstance(judge(sms(), known(past=[past]), caps), Clear) is allowed


@pytest.mark.parametrize(
    ("local", "profile", "address", "until"),
    [
        # Boston is at UTC-5 in March: 8:00 there is 13:00 UTC.
        ("12:59", ANN, BOSTON, "13:00"),
        ("13:00", ANN, BOSTON, None),
        ("01:59", ANN, BOSTON, None),
        ("02:00", ANN, BOSTON, "13:00"),
        # What the journey knows goes before the number.
        ("08:00", Profile("ann", timezone="Europe/Berlin"), BOSTON, None),
        # A number of no place: day must it be everywhere in its country, from Maine to Hawaii.
        ("17:00", ANN, NOWHERE, "18:00"),
        ("18:00", ANN, NOWHERE, None),
        ("02:15", ANN, NOWHERE, "18:00"),
        # The customer's own hours narrow them.
        ("17:00", Profile("ann", preferences={"hours": "18:00-20:00"}), BOSTON, "23:00"),
    ],
)
def test_nobody_is_woken(local: str, profile: Profile, address: str, until: str | None) -> None:
    hour, minute = map(int, local.split(":"))
    now = NOON_IN_BOSTON.replace(hour=hour, minute=minute)
    verdict = judge(sms(address=address), known(now, profile=profile), settings())
    if until is None:
        assert isinstance(verdict, Clear)
        return
    assert isinstance(verdict, Later)
    when = datetime.fromtimestamp(verdict.until, UTC)
    assert (when.strftime("%H:%M"), when > now, when - now < timedelta(days=1)) == (until, True, True)


def test_an_e_mail_goes_by_the_zone_of_the_customers_telephone() -> None:
    mail = sms(channel="email", address="ann@x.example")
    now = NOON_IN_BOSTON.replace(hour=12)  # 7 in Boston, 9 in Rio
    rio = known(now, identities=[Identity(IdentityKind.PHONE, "+552130000000")])
    assert isinstance(judge(mail, rio, settings(zone="America/New_York")), Clear)
    assert isinstance(judge(mail, known(now), settings(zone="America/New_York")), Later)


def test_a_purpose_may_have_its_own_hours_and_rests_on_holidays() -> None:
    given = known(consents=[YES])
    late = judge(sms(purpose=Purpose.MARKETING), given, settings(hours_for={"marketing": "13:00-14:00"}))
    assert isinstance(late, Later) and late.rule == "hours"
    for day in ("03-02", "2026-03-02"):
        rests = settings(holidays=[day])
        assert judge(sms(purpose=Purpose.MARKETING), given, rests).rule == "holiday"
        assert isinstance(judge(sms(), given, rests), Clear)
    assert isinstance(judge(sms(purpose=Purpose.MARKETING), given, settings(holidays=["2025-03-02"])), Clear)


def test_what_belongs_to_the_customers_conversation_is_free_of_hours_but_not_of_what_they_forbade() -> None:
    night = NOON_IN_BOSTON.replace(hour=6)
    proof = sms(purpose=Purpose.TRANSACTIONAL)
    assert judge(proof, known(night, free=CONVERSATION), settings()) == Clear(CONVERSATION, proof.text)
    assert isinstance(judge(proof, known(night), settings()), Later)
    for more in ({"stopped": True}, {"listed": "x"}, {"consents": [Consent("sms", "service", False, 1.0, "m")]}):
        assert isinstance(judge(proof, known(night, free=CONVERSATION, **more), settings()), Refused)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": "21:00-08:00"},
        {"hours": "8-21"},
        {"holidays": ["25.12."]},
        {"zone": "Boston"},
        {"voice": {"endpoint": "PJSIP/carrier", "entry": "x"}},
        {"caps": [{"most": -1, "days": 1}]},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_too_many_abandoned_calls_forbid_what_is_begun_ahead_and_nothing_else() -> None:
    call = sms("", channel="voice", ahead=True)
    verdict = judge(call, known(met=Met(100, 4)), settings())
    assert isinstance(verdict, Refused)
    assert (verdict.rule, verdict.words) == (
        "abandonment",
        "4 of 100 who answered found nobody, and 3.0% are the most; calls wait for free agents",
    )
    assert isinstance(judge(call, known(met=Met(100, 1)), settings()), Clear)
    assert isinstance(judge(replace(call, ahead=False), known(met=Met(100, 4)), settings()), Clear)
    strict = settings(abandonment={"limit": 0.01})
    assert isinstance(judge(call, known(met=Met(100, 1)), strict), Refused)
