"""The airline as callers meet it: who calls, which trip, what a change costs, and the change."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airline_world import NOW, published, site
from ccaas_airline import plugin
from ccaas_airline.build import build, main
from ccaas_airline.callers import customer_at, customer_of, known_of
from ccaas_airline.desk import Desk
from ccaas_airline.dump import dump
from ccaas_airline.phones import AREA_CODES, e164, invented_numbers
from ccaas_airline.places import airports
from ccaas_airline.plugin import airline_tools, ccaas_identify, open_desk, tools_of
from ccaas_airline.settings import AirlineSettings
from ccaas_airline.sums import calculate

from ccaas.actions import CallTools, Limits, ToolRun, Tools
from ccaas.errors import SetupError, ToolError
from ccaas.ports.journey import Assurance, Contact
from ccaas.ports.tools import Effect, Party, Phase, ToolContext


class Call:
    """One caller with the airline's tools in hand, without a gate."""

    def __init__(self, desk: Desk, customer_id: str) -> None:
        self._tools = {tool.name: tool for tool in tools_of(desk)}
        self._customer_id = customer_id
        self._writes = 0

    async def __call__(self, name: str, key: str = "", **arguments: Any) -> dict[str, Any]:
        self._writes += 1
        context = ToolContext("call", "turn", self._customer_id, key or f"key-{self._writes}", datetime.now(UTC))
        tool = self._tools[name]
        return (await tool.run(tool.input.model_validate(arguments), context)).model_dump(mode="json")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = await open_desk(AirlineSettings(), site(tmp_path))
    yield desk
    await desk.store.close()


@pytest.fixture
def ann(desk: Desk) -> Call:
    return Call(desk, "ann_lee_1")


@pytest.fixture
def bob(desk: Desk) -> Call:
    return Call(desk, "bob_roe_2")


async def code_of(refused: Any) -> str:
    with pytest.raises(ToolError) as error:
        await refused
    return error.value.code


@pytest.mark.parametrize(
    "spelling",
    [
        "+13035550100",
        "13035550100",
        "3035550100",
        "(303) 555-0100",
        "303.555.0100",
        "0013035550100",
        " +1 303-555-0100 ",
        "sip:+13035550100@127.0.0.1:5060;user=phone",
        "tel:+1-303-555-0100",
        "SIP:3035550100@example.invalid",
    ],
)
async def test_a_customer_is_known_however_the_number_is_spelled(desk: Desk, spelling: str) -> None:
    customer = await customer_of(desk.store, spelling)
    assert customer is not None
    assert (customer.id, customer.first_name, customer.tier) == ("ann_lee_1", "Ann", "regular")


@pytest.mark.parametrize("number", ["", "anonymous", "alice", "+13035550199", "911", "sip:@", "+", "💥", "9" * 200])
async def test_a_stranger_is_nobody(desk: Desk, number: str) -> None:
    assert await customer_of(desk.store, number) is None


async def test_a_customer_is_known_by_what_the_journey_says_and_by_their_address(desk: Desk) -> None:
    async def who(channel: str, address: str, customer_id: str = "") -> str:
        found = await customer_at(desk.store, Contact("c", channel, address, "front", customer_id))
        return found.id if found else ""

    assert await who("sms", "+13035550100") == "ann_lee_1"
    assert await who("email", "Ann_Lee_1@Example.com") == "ann_lee_1"
    assert await who("chat", "visitor", "bob_roe_2") == "bob_roe_2"
    assert await who("sms", "+13035550100", "c-1234") == "ann_lee_1"
    assert await who("chat", "visitor", "c-1234") == ""
    assert await who("email", "nobody@example.com") == ""


async def test_what_is_known_of_a_customer_at_once(desk: Desk) -> None:
    known = await known_of(desk.store, "ann_lee_1", datetime.fromisoformat(NOW))
    assert known is not None
    assert known["membership"] == "regular"
    ahead, soonest = known["flights_ahead"], known["next_flight"]
    assert ahead > 0
    leaves = datetime.fromisoformat(f"{soonest['date']}T{soonest['departs']}")
    assert leaves > datetime.fromisoformat(NOW)
    later = await known_of(desk.store, "ann_lee_1", leaves)
    assert later is not None
    assert later["flights_ahead"] < ahead
    assert later["next_flight"] != soonest
    assert await known_of(desk.store, "nobody", leaves) is None


def test_invented_numbers_are_unique_fictional_and_always_the_same() -> None:
    cities = {f"customer_{n:03d}": city for n, city in enumerate(list(AREA_CODES) * 25)}
    numbers = invented_numbers(cities)
    assert len(numbers) == len(cities) == len(set(numbers.values()))
    assert numbers == invented_numbers(dict(reversed(cities.items())))
    assert all(len(number) == 12 and number[5:10] == "55501" and e164(number) == number for number in numbers)
    with pytest.raises(ValueError, match="more than 100 customers"):
        invented_numbers({str(n): "Denver" for n in range(101)})
    with pytest.raises(ValueError, match="no area code"):
        invented_numbers({"a": "Atlantis"})


async def test_the_hook_knows_callers_once_the_tools_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "_open", [])
    contact = Contact("call", "voice", "3035550100", "100")
    assert await ccaas_identify(contact) is None
    await airline_tools(AirlineSettings(), site(tmp_path))
    customer = await ccaas_identify(contact)
    assert customer is not None
    assert customer.id == "ann_lee_1"
    await plugin._open[0][0].store.close()


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ("Boston", ("BOS",)),
        ("boston airport", ("BOS",)),
        ("SEA", ("SEA",)),
        ("new york", ("JFK", "LGA", "EWR")),
        ("La Guardia", ("LGA",)),
        ("O'Hare", ("ORD",)),
        ("Atlantis", ()),
    ],
)
def test_places(said: str, codes: tuple[str, ...]) -> None:
    assert airports(said) == codes


async def test_trips_by_city_and_date(ann: Call, bob: Call) -> None:
    found = await ann("find_reservations", customer_id="ann_lee_1", origin="Boston", destination="Seattle")
    assert [(trip["reservation_id"], trip["changeable"]) for trip in found["trips"]] == [
        ("AAAAA1", True),
        ("AAAAA2", False),
    ]
    assert found["trips"][1]["why_not"] == "Basic economy flights cannot be changed."
    everything = await ann("find_reservations", customer_id="ann_lee_1", past=True)
    assert everything["count"] == 3
    back = await bob("find_reservations", customer_id="bob_roe_2", origin="Seattle")
    assert [(trip["direction"], trip["date"], trip["departs"]) for trip in back["trips"]] == [
        ("return", "2024-05-23", "22:00")
    ]
    assert (await bob("find_reservations", customer_id="bob_roe_2", date="2024-05-19"))["count"] == 1
    assert (await bob("find_reservations", customer_id="bob_roe_2", date="2024-05-20"))["count"] == 0


async def test_a_quote_lists_direct_flights_and_connections_that_can_be_caught(ann: Call) -> None:
    quote = await ann("quote_flight_change", reservation_id="AAAAA1", date="2024-05-16")
    options = [
        (item["number"], item["flight_numbers"], item["departs"], item["via"], item["fare"], item["difference"])
        for item in quote["options"]
    ]
    # AIR102 lands in Denver at 9:30: AIR103 at 10:30 can be caught, AIR104 at 10:00 cannot.
    assert options == [
        (1, "AIR101", "09:00", "", 150, -50),
        (2, "AIR106", "18:00", "", 120, -80),
        (3, "AIR102 AIR103", "07:00", "Denver", 300, 100),
    ]


@pytest.mark.parametrize(
    ("wish", "first"),
    [
        ({"part_of_day": "evening"}, ["AIR106"]),
        ({"part_of_day": "morning"}, ["AIR101", "AIR102 AIR103"]),
        ({"time": "17:00"}, ["AIR106", "AIR101", "AIR102 AIR103"]),
        ({"part_of_day": "", "time": "", "direction": ""}, ["AIR101", "AIR106", "AIR102 AIR103"]),
        ({"part_of_day": "night"}, []),
    ],
)
async def test_a_quote_follows_the_wish(ann: Call, wish: dict[str, str], first: list[str]) -> None:
    quote = await ann("quote_flight_change", reservation_id="AAAAA1", date="2024-05-16", **wish)
    assert [option["flight_numbers"] for option in quote["options"]] == first


async def test_a_quote_leaves_out_what_is_booked_flown_or_too_small(ann: Call, bob: Call) -> None:
    assert (await ann("quote_flight_change", reservation_id="AAAAA1", date="2024-05-19"))["count"] == 0
    assert (await ann("quote_flight_change", reservation_id="AAAAA1", date="2024-05-14"))["count"] == 0
    # Two travel together: AIR106 has one seat left.
    quote = await bob("quote_flight_change", reservation_id="BBBBB1", date="2024-05-16")
    assert [option["flight_numbers"] for option in quote["options"]] == ["AIR101", "AIR102 AIR103"]
    assert await code_of(ann("quote_flight_change", reservation_id="AAAAA3", date="2024-05-16")) == "not_allowed"
    assert (
        await code_of(ann("quote_flight_change", reservation_id="AAAAA1", date="2024-05-16", direction="return"))
        == "not_found"
    )


async def test_a_change_moves_the_trip_the_money_and_the_seats(ann: Call, desk: Desk) -> None:
    changed = await ann("change_flight", reservation_id="AAAAA1", date="2024-05-16", flight_numbers="air102, AIR103")
    assert (changed["charged"], changed["refunded"], changed["payment"]) == (100, 0, "visa ending in 0101")
    assert (changed["departs"], changed["arrives"], changed["flight_numbers"]) == ("07:00", "12:00", "AIR102 AIR103")
    assert changed["before"]["flights"][0]["flight_number"] == "AIR101"
    state = await desk.store.read(dump)
    booking = state["reservations"]["AAAAA1"]
    assert booking == changed["after"]
    assert booking["payment_history"][-1] == {"payment_id": "credit_card_1", "amount": 100}
    assert state["flights"]["AIR103"]["dates"]["2024-05-16"]["available_seats"]["economy"] == 4
    assert state["flights"]["AIR101"]["dates"]["2024-05-19"]["available_seats"]["economy"] == 6


async def test_the_way_back_changes_alone(bob: Call) -> None:
    changed = await bob(
        "change_flight", reservation_id="BBBBB1", date="2024-05-19", flight_numbers=["AIR101"], direction="outbound"
    )
    assert (changed["charged"], changed["refunded"]) == (0, 0)
    refused = bob(
        "change_flight", reservation_id="BBBBB1", date="2024-05-16", flight_numbers="AIR105", direction="return"
    )
    # Back on the 16th, before the way out on the 19th.
    assert await code_of(refused) == "not_allowed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reservation_id": "AAAAA2"}, "not_allowed"),
        ({"reservation_id": "AAAAA3"}, "not_allowed"),
        ({"reservation_id": "BBBBB1"}, "not_allowed"),
        ({"reservation_id": "NOBODY"}, "not_found"),
        ({"flight_numbers": "AIR105"}, "not_allowed"),
        ({"flight_numbers": "AIR103"}, "not_allowed"),
        ({"flight_numbers": "AIR999"}, "not_found"),
        ({"date": "2024-05-20"}, "not_available"),
        ({"date": "2024-05-14"}, "not_available"),
        ({"payment_id": "certificate_1"}, "payment"),
        ({"payment_id": "gift_card_2"}, "payment"),
        ({"payment_id": "gift_card_1", "flight_numbers": "AIR102 AIR103"}, "payment"),
    ],
)
async def test_refused_changes_change_nothing(ann: Call, desk: Desk, change: dict[str, str], code: str) -> None:
    before = await desk.store.read(dump)
    wanted = {"reservation_id": "AAAAA1", "date": "2024-05-16", "flight_numbers": "AIR101", **change}
    assert await code_of(ann("change_flight", **wanted)) == code
    assert await desk.store.read(dump) == before


def behind_the_gate(desk: Desk, customer_id: str = "") -> CallTools:
    """The toolbox of a call from a number that is a customer's, or nobody's."""

    class NoAudit:
        async def store(self, run: ToolRun) -> None: ...

        def note(self, run: ToolRun) -> None: ...

    limits = Limits(Phase.PROACTIVE)
    return CallTools(
        Tools(tools_of(desk)),
        limits,
        NoAudit(),
        call_id="call",
        customer_id=customer_id,
        now=lambda: datetime.now(UTC),
        assurance=Assurance.CLAIMED if customer_id else Assurance.NONE,
    )


async def test_a_stranger_changes_only_what_they_can_name(desk: Desk) -> None:
    stranger = behind_the_gate(desk)
    change = {"reservation_id": "AAAAA1", "date": "2024-05-16", "flight_numbers": "AIR101"}
    assert await code_of(stranger.write("change_flight", change, "t1", "t1")) == "unverified"
    wrong = {"reservation_id": "AAAAA1", "last_name": "Roe"}
    assert await code_of(stranger.read("identify_customer", wrong, "t2")) == "not_found"
    proved = await stranger.read("identify_customer", {"reservation_id": "a-aaaa1", "last_name": " LEE "}, "t3")
    assert proved["customer_id"] == "ann_lee_1"
    theirs = {**change, "reservation_id": "BBBBB1"}
    assert await code_of(stranger.write("change_flight", theirs, "t4", "t4")) == "not_allowed"
    assert (await stranger.read("find_reservations", {}, "t5"))["count"] == 2
    assert (await stranger.write("change_flight", change, "t6", "t6"))["refunded"] == 50


@pytest.mark.parametrize(("customer_id", "opens"), [("ann_lee_1", True), ("", False)])
async def test_a_date_of_birth_opens_the_bookings_of_whose_number_it_is(
    desk: Desk, customer_id: str, opens: bool
) -> None:
    caller = behind_the_gate(desk, customer_id)
    born = {"date_of_birth": "1980-01-02"}
    if opens:
        assert (await caller.read("verify_customer", born, "t1"))["customer_id"] == customer_id
    else:
        assert await code_of(caller.read("verify_customer", born, "t1")) == "not_identified"
    assert (caller.assurance is Assurance.VERIFIED) is opens


async def test_a_forged_number_opens_nothing(desk: Desk) -> None:
    before = await desk.store.read(dump)
    caller = behind_the_gate(desk, "ann_lee_1")
    open_to_all = {"list_all_airports", "search_direct_flight", "search_onestop_flight", "get_flight_status"}
    open_to_all |= {"calculate", "transfer_to_human_agents", "identify_customer", "verify_customer", "flight_standing"}
    for tool in tools_of(desk):
        if tool.name not in open_to_all:
            ran = (
                caller.read(tool.name, {}, "t") if tool.effect is Effect.READ else caller.write(tool.name, {}, "t", "t")
            )
            code = "unverified" if Party.BUTLER in tool.callers else "needs_approval"
            assert await code_of(ran) == code, tool.name
    for wrong in ("1981-01-02", "1980-02-01"):
        assert await code_of(caller.read("verify_customer", {"date_of_birth": wrong}, "t")) == "wrong"
    bobs = {"reservation_id": "BBBBB1", "last_name": "Roe"}
    assert await code_of(caller.read("identify_customer", bobs, "t")) == "locked"
    assert await code_of(caller.read("verify_customer", {"date_of_birth": "1980-01-02"}, "t")) == "locked"
    assert await desk.store.read(dump) == before


async def test_an_upgrade_is_quoted_and_made_for_all_flights_at_the_price_agreed(bob: Call, desk: Desk) -> None:
    quote = await bob("quote_upgrade", reservation_id="BBBBB1")
    # Two people, two flights of 400 each instead of 200 and 180.
    assert (quote["difference"], quote["round_trip"], quote["from_cabin"]) == (840, True, "economy")
    refused = bob("upgrade_cabin", reservation_id="BBBBB1", agreed=839)
    assert await code_of(refused) == "price_changed"
    made = await bob("upgrade_cabin", reservation_id="BBBBB1", agreed=840)
    assert (made["charged"], made["refunded"], made["cabin"], made["payment"]) == (840, 0, "business", "gift card")
    state = await desk.store.read(dump)
    booking = state["reservations"]["BBBBB1"]
    assert (booking["cabin"], booking["payment_history"][-1]["amount"]) == ("business", 840)
    assert state["users"]["bob_roe_2"]["payment_methods"]["gift_card_2"]["amount"] == 60
    for flight, day in (("AIR101", "2024-05-19"), ("AIR105", "2024-05-23")):
        seats = state["flights"][flight]["dates"][day]["available_seats"]
        assert (seats["business"], seats["economy"]) == (1, 7)
    assert await code_of(bob("quote_upgrade", reservation_id="BBBBB1")) == "not_allowed"


@pytest.mark.parametrize(
    ("reservation", "code"),
    [("AAAAA1", ""), ("AAAAA2", ""), ("AAAAA3", "not_allowed"), ("BBBBB1", "not_allowed"), ("NOBODY", "not_found")],
)
async def test_who_may_be_upgraded(ann: Call, reservation: str, code: str) -> None:
    if code:
        assert await code_of(ann("quote_upgrade", reservation_id=reservation)) == code
    else:
        assert (await ann("quote_upgrade", reservation_id=reservation))["difference"] == 200


async def test_only_bookings_that_can_be_upgraded_are_found_for_it(ann: Call, bob: Call) -> None:
    found = await ann("find_reservations", upgradable=True)
    assert {trip["reservation_id"] for trip in found["trips"]} == {"AAAAA1", "AAAAA2"}
    assert [trip["direction"] for trip in (await bob("find_reservations", upgradable=True))["trips"]] == ["outbound"]
    await bob("upgrade_cabin", reservation_id="BBBBB1", agreed=840)
    assert (await bob("find_reservations", upgradable=True))["count"] == 0


async def test_the_last_seat_is_sold_once_to_writers_in_two_processes(tmp_path: Path) -> None:
    """Two stores on one file, as two processes have them."""
    here = site(tmp_path)
    desks = [await open_desk(AirlineSettings(), here) for _ in range(2)]
    change = {"date": "2024-05-16", "flight_numbers": "AIR106"}
    calls = [Call(desk, "ann_lee_1") for desk in desks]
    booking = {
        "user_id": "ann_lee_1",
        "origin": "BOS",
        "destination": "SEA",
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [{"flight_number": "AIR106", "date": "2024-05-16"}],
        "passengers": [{"first_name": "Ann", "last_name": "Lee", "dob": "1980-01-02"}],
        "payment_methods": [{"payment_id": "credit_card_1", "amount": 120}],
        "total_baggages": 0,
        "nonfree_baggages": 0,
        "insurance": "no",
    }
    results = await asyncio.gather(
        calls[0]("change_flight", key="first", reservation_id="AAAAA1", **change),
        calls[1]("book_reservation", key="second", **booking),
        return_exceptions=True,
    )
    assert [getattr(result, "code", "done") for result in results].count("not_available") == 1
    state = await desks[0].store.read(dump)
    assert state["flights"]["AIR106"]["dates"]["2024-05-16"]["available_seats"]["economy"] == 0
    again = await asyncio.gather(
        *(
            call("change_flight", key="same", reservation_id="AAAAA1", date="2024-05-16", flight_numbers="AIR101")
            for call in calls
        )
    )
    assert again[0] == again[1]
    for desk in desks:
        await desk.store.close()


async def test_a_locked_database_is_a_tool_error(ann: Call, desk: Desk, tmp_path: Path) -> None:
    desk.store._db.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / "state" / "airline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    change = {"reservation_id": "AAAAA1", "date": "2024-05-16", "flight_numbers": "AIR101"}
    assert await code_of(ann("change_flight", key="k", **change)) == "unavailable"
    assert (await ann("find_reservations", customer_id="ann_lee_1"))["count"] == 2
    other.execute("ROLLBACK")
    other.close()
    assert (await ann("change_flight", key="k", **change))["refunded"] == 50


@pytest.mark.parametrize(
    ("expression", "value"),
    [("2 * ((350 - 122) + (499 - 127))", 1200.0), ("-1 + 3 / 2", 0.5), ("10 / 3", 3.33)],
)
def test_sums(expression: str, value: float) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize("expression", ["", "1 / 0", "2 ** 9", "x", "True", "1 +", "f(1)", "(" * 300, "'a' * 9"])
def test_what_is_no_sum_is_refused(expression: str) -> None:
    with pytest.raises(ToolError):
        calculate(expression)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[]", "not the airline's data"),
        ('{"users": {}}', "not the airline's"),
    ],
)
def test_wrong_data_is_one_sentence_with_the_mend(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "db.json").write_text(content)
    with pytest.raises(SetupError, match=said) as error:
        build(tmp_path, tmp_path / "airline.db")
    assert "make setup" in str(error.value)
    assert not (tmp_path / "airline.db").exists()


async def test_a_broken_database_is_one_sentence(tmp_path: Path) -> None:
    here = site(tmp_path)
    here.state_dir.mkdir()
    (here.state_dir / "airline.db").write_bytes(b"no database at all, for sure" * 100)
    with pytest.raises(SetupError, match="delete it to have it built anew"):
        await open_desk(AirlineSettings(), here)


def test_the_command_builds_and_complains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = site(tmp_path)
    database = tmp_path / "airline.db"
    monkeypatch.setattr("sys.argv", ["build", str(here.models_dir / "tau2-airline"), str(database)])
    assert main() == 0
    monkeypatch.setattr("sys.argv", ["build", str(tmp_path / "nowhere"), str(database)])
    assert main() == 2
    assert capsys.readouterr().out.splitlines()[0] == f"{database}: built"
    assert database.exists()


async def test_the_built_database_is_the_published_data(desk: Desk) -> None:
    state, expected = await desk.store.read(dump), published()
    for booking in expected["reservations"].values():
        booking["status"] = None
    assert state == expected
