"""Customers from CSV files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ccaas.errors import CcaasError, JourneyError
from ccaas.journey.customers import BadRow, rows, take_in
from ccaas.ports.journey import Consent, Identity, IdentityKind, Profile
from ccaas.testing.fakes.journey import FakeJourney

HEAD = (
    "phone,email,id,first_name,last_name,tier,lifetime_value_cents,timezone,language,preferred_channel,preferred_hours"
)
MIA = '"(614) 555-0109; +16145550110",Mia@Example.com,mia_1,Mia,"Li, of Köln",gold,125000,America/New_York,en-US,sms,09:00-18:00'


def csv(folder: Path, *lines: str) -> Path:
    file = folder / "customers.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


async def imported(file: Path, journey: FakeJourney) -> tuple[int, list[BadRow]]:
    done = await take_in(journey, rows(file, "US"))
    return done.customers, done.bad


async def test_a_row_becomes_a_customer_with_all_that_it_says(tmp_path: Path) -> None:
    journey = FakeJourney()
    file = csv(tmp_path, f"{HEAD},consent:sms:marketing,consent:voice:service,consent_at", f"{MIA},no,yes,2026-03-01")
    assert await imported(file, journey) == (1, [])
    context = await journey.context("mia_1")
    assert context is not None
    assert context.profile == Profile(
        "mia_1",
        "Mia",
        "Li, of Köln",
        "gold",
        125_000,
        "America/New_York",
        "en-US",
        {"channel": "sms", "hours": "09:00-18:00"},
    )
    assert context.identities == (
        Identity(IdentityKind.EMAIL, "mia@example.com"),
        Identity(IdentityKind.PHONE, "+16145550109"),
        Identity(IdentityKind.PHONE, "+16145550110"),
    )
    at = 1_772_323_200.0
    assert context.consents == (
        Consent("sms", "marketing", granted=False, at=at, proof="import customers.csv"),
        Consent("voice", "service", granted=True, at=at, proof="import customers.csv"),
    )


async def test_the_same_file_again_doubles_nothing(tmp_path: Path) -> None:
    journey = FakeJourney()
    lines = [f"+1614555{i:04},Person {i}" for i in range(1_200)]
    file = csv(tmp_path, "phone,first_name", *lines)
    half = csv(tmp_path, "phone,first_name", *lines[:700])
    assert (await imported(half, journey))[0] == 700
    csv(tmp_path, "phone,first_name", *lines)
    for _ in range(2):
        assert await imported(file, journey) == (1_200, [])
    found = {await journey.find(Identity(IdentityKind.PHONE, f"+1614555{i:04}")) for i in range(1_200)}
    assert len(found) == 1_200


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("12,,a", "is no telephone number: it is too short"),
        (",mia,a", "is no e-mail address"),
        (",,", "neither phone, email, sip nor id"),
        ("+16145550109,,a,b,c,d,1,America/New_York,en,sms,x,more", "more or fewer fields"),
        ("+16145550109", "more or fewer fields"),
        (",,a,,,,12.5,,,,", "is no amount in cents"),
        (",,a,,,,,Mars/Olympus,,,", "there is no time zone Mars/Olympus"),
        (",,a,,,,,,klingon!,,", "is no language"),
        (",,a,,,,,,,fax,", "there is no channel fax"),
    ],
)
async def test_a_bad_row_is_named_by_its_line_and_skipped_whole(tmp_path: Path, row: str, reason: str) -> None:
    row += "," * (10 - row.count(",")) if row.count(",") == 2 else ""
    journey = FakeJourney()
    file = csv(tmp_path, HEAD, "+16145550100,,good,,,,,,,,", row, '+16145550101,,"multi\nline",,,,,,,,', "x,,,,,,,,,,")
    customers, bad = await imported(file, journey)
    assert customers == 2
    assert [one.line for one in bad] == [3, 6]
    assert reason in bad[0].reason
    assert await journey.context("a") is None


async def test_a_row_of_two_customers_is_refused_by_the_store(tmp_path: Path) -> None:
    journey = FakeJourney()
    await journey.recognise(Identity(IdentityKind.PHONE, "+16145550109"))
    await journey.recognise(Identity(IdentityKind.EMAIL, "mia@example.com"))
    file = csv(tmp_path, "phone,email", "+16145550109,mia@example.com", "+16145550100,")
    customers, bad = await imported(file, journey)
    assert (customers, [one.line for one in bad]) == (1, [2])
    assert "merge them first" in bad[0].reason


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["", ""], r":1: the first line must name the columns"),
        (["first_name,tier"], r":1: the first line must name the columns"),
        (["phone,emial"], r":1: there is no column emial; did you mean .email"),
        (["phone,phone"], r":1: the column phone stands twice"),
        (["phone,consent:fax:marketing,consent_at"], r"there is no column consent:fax:marketing"),
        (["phone,consent:sms:marketing"], r"consents need the column consent_at"),
        (["phone,first_name", '+16145550109,"open'], r"this is no CSV"),
    ],
)
async def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, lines: list[str], problem: str) -> None:
    with pytest.raises(CcaasError, match=problem):
        await imported(csv(tmp_path, *lines), FakeJourney())


async def test_other_encodings_and_missing_files_are_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes("phone,last_name\n+16145550109,Köln\n".encode("latin-1"))
    with pytest.raises(CcaasError, match="is not UTF-8"):
        await imported(file, FakeJourney())
    with pytest.raises(CcaasError, match="cannot be read"):
        await imported(tmp_path / "none.csv", FakeJourney())


@pytest.mark.parametrize(
    ("cell", "at", "reason"), [("maybe", "2026-03-01", "neither yes nor no"), ("yes", "soon", "is no date")]
)
async def test_a_consent_must_be_plain(tmp_path: Path, cell: str, at: str, reason: str) -> None:
    file = csv(tmp_path, "phone,consent:sms:marketing,consent_at", f"+16145550109,{cell},{at}")
    customers, (bad,) = await imported(file, FakeJourney())
    assert customers == 0
    assert reason in bad.reason


async def test_progress_counts_good_and_bad_rows(tmp_path: Path) -> None:
    file = csv(tmp_path, "phone", *(f"+1614555{i:04}" for i in range(1_001)), "x")
    told: list[int] = []
    await take_in(FakeJourney(), rows(file, "US"), told.append)
    assert sum(told) == 1_002


async def test_a_store_that_fails_ends_the_import_and_names_the_rows(tmp_path: Path) -> None:
    journey = FakeJourney()
    journey.fails = JourneyError("the store is down")
    customers, bad = await imported(csv(tmp_path, "phone", "+16145550109"), journey)
    assert (customers, [one.reason for one in bad]) == (0, ["the store is down"])
    assert not asyncio.all_tasks() - {asyncio.current_task()}
