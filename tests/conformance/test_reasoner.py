"""The reasoners' conformance suite, on the fake, the flows and the menus."""

from __future__ import annotations

from pathlib import Path

import pytest
from ccaas_flows.reasoner import FlowsReasoner
from ccaas_flows.settings import FlowsSettings
from ccaas_flows.understanding.embedding import MiniLm
from ccaas_ivr.reasoner import IvrReasoner
from ccaas_ivr.settings import IvrSettings

from ccaas.ports.journey import Customer, ThreadState
from ccaas.ports.reasoning import Ending, Reasoner, Topic
from ccaas.ports.site import Site
from ccaas.testing.conformance.reasoning import ReasonerConformance, Scene
from ccaas.testing.fakes.reasoning import FakeReasoner, Line
from ccaas.testing.fakes.tools import FakeToolbox

ROOT = Path(__file__).parents[2]
AIRLINE = ROOT / "examples" / "airline"

TRIP = {
    "reservation_id": "ABC123",
    "direction": "outbound",
    "origin_city": "Boston",
    "destination_city": "Seattle",
    "date": "2024-05-20",
    "departs": "09:00",
    "changeable": True,
    "why_not": "",
}
OPTION = {
    "number": 1,
    "flight_numbers": "HAT001",
    "date": "2024-05-16",
    "departs": "08:15",
    "arrives": "11:30",
    "difference": 42,
}
ANSWERS = {
    "verify_customer": {"customer_id": "c1"},
    "find_reservations": {"count": 1, "trips": [TRIP]},
    "quote_flight_change": {"count": 1, "trip": TRIP, "options": [OPTION]},
    "change_flight": {
        "reservation_id": "ABC123",
        "date": "2024-05-16",
        "departs": "08:15",
        "charged": 42,
        "refunded": 0,
        "payment": "visa ending in 1357",
    },
}
PRIVATE = {"find_reservations", "quote_flight_change", "change_flight"}
CHANGE = "I'd like to change my flight from Boston to Seattle on Thursday."


def airline_scene(reasoner: Reasoner) -> Scene:
    return Scene(
        reasoner,
        FakeToolbox(ANSWERS, private=PRIVATE, verifying={"verify_customer"}),
        plain="What can you do?",
        reading=CHANGE,
        confirming=(CHANGE, "The second of January, nineteen eighty.", "Yes, please."),
        goodbye="That's everything, goodbye.",
        customer=Customer("c1", "Ann", "Lee"),
    )


@pytest.fixture(scope="module")
def embedding() -> MiniLm:
    return MiniLm(ROOT / ".cache" / "models" / "minilm", ROOT / ".cache")


def site(tmp_path: Path) -> Site:
    return Site(AIRLINE, tmp_path, ROOT / ".cache" / "models", ROOT / ".cache" / "test-intents")


class TestFake(ReasonerConformance):
    @pytest.fixture
    def scene(self) -> Scene:
        lines = {
            "hello": Line("Hi!"),
            "look": Line("I found it.", reads="look", topic=Topic("change", "the change", ThreadState.OPEN)),
            "yes": Line(
                "One moment.",
                writes="change",
                then="Done.",
                topic=Topic("change", "the change", ThreadState.CLOSED, outcome="Done."),
            ),
            "bye": Line("Goodbye.", ending=Ending.HANG_UP),
        }
        return Scene(
            FakeReasoner(lines), FakeToolbox({"look": {}, "change": {}}), "hello", "look", ("look", "yes"), "bye"
        )


class TestFlows(ReasonerConformance):
    @pytest.fixture
    def scene(self, tmp_path: Path, embedding: MiniLm) -> Scene:
        return airline_scene(FlowsReasoner(FlowsSettings(file="flows.yaml"), site(tmp_path), embedding))


class TestIvr(ReasonerConformance):
    @pytest.fixture
    def scene(self, tmp_path: Path, embedding: MiniLm) -> Scene:
        return airline_scene(IvrReasoner(IvrSettings(file="menu.yaml"), site(tmp_path), embedding))
