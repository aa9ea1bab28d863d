"""The tools' conformance suite, on the fake bank and on the airline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airline_world import site
from ccaas_airline.dump import dump
from ccaas_airline.plugin import open_desk, tools_of
from ccaas_airline.settings import AirlineSettings

from ccaas.testing.conformance.tools import ToolsConformance, ToolWorld
from ccaas.testing.fakes.tools import FakeBank

NOW = datetime(2024, 5, 15, 20, tzinfo=UTC)


class TestFakeBank(ToolsConformance):
    @pytest.fixture
    async def world(self) -> ToolWorld:
        bank = FakeBank({"a": 100})

        async def state() -> object:
            return dict(bank.accounts)

        return ToolWorld(
            tools=bank.tools(),
            state=state,
            customer_id="c",
            now=NOW,
            reads=[("get_balance", {"account": "a"})],
            writes=[("deposit", {"account": "a", "amount": 5})],
            refused=[
                ("get_balance", {"account": "b"}, "not_found"),
                ("deposit", {"account": "b", "amount": 5}, "not_found"),
            ],
        )


class TestAirline(ToolsConformance):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[ToolWorld]:
        desk = await open_desk(AirlineSettings(), site(tmp_path))

        async def state() -> object:
            return await desk.store.read(dump)

        route = {"origin": "BOS", "destination": "SEA", "date": "2024-05-16"}
        ann = {"first_name": "Ann", "last_name": "Lee", "dob": "1980-01-02"}
        booking = {
            "user_id": "ann_lee_1",
            "origin": "BOS",
            "destination": "SEA",
            "flight_type": "one_way",
            "cabin": "economy",
            "flights": [{"flight_number": "AIR101", "date": "2024-05-16"}],
            "passengers": [ann],
            "payment_methods": [{"payment_id": "credit_card_1", "amount": 150}],
            "total_baggages": 1,
            "nonfree_baggages": 0,
            "insurance": "no",
        }
        change = {"reservation_id": "AAAAA1", "date": "2024-05-16", "flight_numbers": "AIR101"}
        upgrade = {"reservation_id": "AAAAA1", "cabin": "business", "agreed": 200}
        cheaper = {
            "reservation_id": "AAAAA1",
            "cabin": "economy",
            "flights": [{"flight_number": "AIR106", "date": "2024-05-16"}],
            "payment_id": "credit_card_1",
        }
        bags = {"reservation_id": "AAAAA1", "total_baggages": 3, "nonfree_baggages": 2, "payment_id": "credit_card_1"}
        yield ToolWorld(
            tools=tools_of(desk),
            state=state,
            customer_id="ann_lee_1",
            now=NOW,
            reads=[
                ("find_reservations", {"customer_id": "ann_lee_1", "origin": "boston", "destination": "SEA"}),
                ("identify_customer", {"reservation_id": "aaaa a1", "last_name": "lee"}),
                ("verify_customer", {"date_of_birth": "1980-01-02"}),
                ("quote_flight_change", {"reservation_id": "AAAAA1", "date": "2024-05-16"}),
                ("quote_upgrade", {"reservation_id": "AAAAA2"}),
                ("quote_cancellation", {"reservation_id": "AAAAA1"}),
                ("quote_bags", {"reservation_id": "AAAAA1", "bags": 1}),
                ("find_passengers", {"reservation_id": "AAAAA1", "passenger": "ann"}),
                ("flight_standing", {"flight": "AIR101", "date": "2024-05-14"}),
                ("quote_trip", route),
                ("find_failures", {}),
                ("get_user_details", {"user_id": "ann_lee_1"}),
                ("get_reservation_details", {"reservation_id": "AAAAA1"}),
                ("list_all_airports", {}),
                ("search_direct_flight", route),
                ("search_onestop_flight", route),
                ("get_flight_status", {"flight_number": "AIR101", "date": "2024-05-14"}),
                ("calculate", {"expression": "2 * (3 - 1.5)"}),
                ("transfer_to_human_agents", {"summary": "wants a window seat"}),
            ],
            writes=[
                ("add_bags", {"reservation_id": "AAAAA1", "bags": 1, "agreed": 50}),
                ("correct_passenger", {"reservation_id": "AAAAA1", "passenger": "ann lee", "name": "ann leigh"}),
                ("change_address", {"street": "2 New Road", "city": "Reno", "state": "NV", "postcode": "89501"}),
                ("book_trip", {**route, "flight_numbers": "AIR101", "agreed": 150, "insurance": "yes"}),
                ("upgrade_cabin", upgrade),
                ("change_flight", change),
                ("update_reservation_flights", cheaper),
                ("update_reservation_baggages", bags),
                (
                    "update_reservation_passengers",
                    {"reservation_id": "AAAAA1", "passengers": [{**ann, "first_name": "Anna"}]},
                ),
                ("book_reservation", booking),
                ("send_certificate", {"user_id": "ann_lee_1", "amount": 50}),
                ("waive_fee", {"reservation_id": "AAAAA1", "amount": 50}),
                ("cancel_trip", {"reservation_id": "HATHAT", "reason": "plans"}),
                ("cancel_reservation", {"reservation_id": "AAAAA1"}),
            ],
            refused=[
                ("add_bags", {"reservation_id": "AAAAA1", "bags": 1, "agreed": 20}, "price_changed"),
                ("correct_passenger", {"reservation_id": "AAAAA1", "passenger": "bob", "name": "a b"}, "not_found"),
                ("book_trip", {**route, "flight_numbers": "AIR101", "agreed": 149}, "price_changed"),
                ("cancel_trip", {"reservation_id": "AAAAA1", "reason": "plans"}, "not_allowed"),
                ("get_reservation_details", {"reservation_id": "BBBBB1"}, "not_allowed"),
                ("get_user_details", {"user_id": "nobody"}, "not_allowed"),
                ("find_reservations", {"customer_id": "ann_lee_1", "origin": "Atlantis"}, "unknown_place"),
                ("identify_customer", {"reservation_id": "AAAAA1", "last_name": "Roe"}, "not_found"),
                ("quote_flight_change", {"reservation_id": "AAAAA2", "date": "2024-05-16"}, "not_allowed"),
                ("get_flight_status", {"flight_number": "AIR999", "date": "2024-05-16"}, "not_found"),
                ("calculate", {"expression": "__import__('os')"}, "bad_arguments"),
                ("verify_customer", {"date_of_birth": "1981-01-02"}, "wrong"),
                ("quote_upgrade", {"reservation_id": "AAAAA3"}, "not_allowed"),
                ("upgrade_cabin", {**upgrade, "agreed": 199}, "price_changed"),
                ("change_flight", {**change, "reservation_id": "BBBBB1"}, "not_allowed"),
                ("change_flight", {**change, "flight_numbers": "AIR105"}, "not_allowed"),
                ("update_reservation_flights", {**cheaper, "payment_id": "certificate_1"}, "payment"),
                ("update_reservation_baggages", {**bags, "total_baggages": 0}, "not_allowed"),
                ("update_reservation_passengers", {"reservation_id": "AAAAA1", "passengers": []}, "not_allowed"),
                ("book_reservation", {**booking, "nonfree_baggages": 1}, "payment"),
                ("send_certificate", {"user_id": "ann_lee_1", "amount": 55}, "not_allowed"),
                ("waive_fee", {"reservation_id": "AAAAA1", "amount": 500}, "not_allowed"),
                ("quote_cancellation", {"reservation_id": "AAAAA2"}, "not_allowed"),
                ("quote_trip", {**route, "origin": "Atlantis"}, "unknown_place"),
                ("cancel_reservation", {"reservation_id": "AAAAA2"}, "not_allowed"),
            ],
        )
        await desk.store.close()
