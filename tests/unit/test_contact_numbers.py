"""Outside numbers: which may be called, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from office import TARGETS
from pydantic import ValidationError
from queueing import Floor

from ccaas.contact.numbers import telephone
from ccaas.contact.settings import NumbersSettings
from ccaas.errors import ContactError
from ccaas.ports.contact import AgentState
from ccaas.telephony.desk import Target
from ccaas.telephony.state import CallState
from ccaas.testing.fakes.switch import FakePhone

NUMBERS = NumbersSettings(
    endpoint="PJSIP/{number}@trunk", allow=("+1555*", "+442079460000"), deny=("+1555900*",), ring_s=25
)


@pytest.mark.parametrize("written", ["+15550100", "+1 555 0100", "+1 (555) 01-00", "+1.555.0100"])
def test_a_number_that_is_allowed_has_a_way_there(written: str) -> None:
    found = telephone(written, NUMBERS)
    assert found is not None
    assert (found.number, found.endpoint, found.ring_s) == ("+15550100", "PJSIP/+15550100@trunk", 25.0)


@pytest.mark.parametrize("name", ["senior", "6001", "butler", ""])
def test_a_name_is_no_number(name: str) -> None:
    assert telephone(name, NUMBERS) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("+1555", "no telephone number; write"),
        ("+0155501001", "no telephone number"),
        ("+1555abc0100", "no telephone number"),
        ("+1555" + "0" * 12, "no telephone number"),
        ("+15550100,,1", "no telephone number"),
        ("+33123456789", r"not allowed; handoff.numbers.allow has \+1555\*, \+442079460000"),
        ("+442079460001", "not allowed"),
        ("+15559001234", r"forbidden by \+1555900\* in handoff.numbers.deny"),
        ("+15550199", "our own number; choose a queue"),
    ],
)
def test_any_other_number_is_refused_with_the_rule(written: str, said: str) -> None:
    with pytest.raises(ContactError, match=said):
        telephone(written, NUMBERS, own={"+15550199"})


def test_without_the_setting_no_number_is_called() -> None:
    with pytest.raises(ContactError, match=r"an admin allows them with handoff.numbers"):
        telephone("+15550100", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "PJSIP/6001"},
        {"endpoint": "PJSIP/{number}@trunk&PJSIP/1"},
        {"allow": ()},
        {"allow": ("1555*",)},
        {"allow": ("+1*5",)},
        {"caller_id": "me"},
    ],
)
def test_mistakes_in_the_yaml_are_found(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NumbersSettings.model_validate({"endpoint": "PJSIP/{number}@trunk", "allow": ["+1555*"]} | wrong)


def floor_with_numbers() -> Floor:
    floor = Floor()
    handoff = floor.rules.handoff.model_copy(update={"numbers": NUMBERS})
    floor.rules = replace(floor.rules, handoff=handoff)
    return floor


@pytest.mark.looptime
async def test_a_number_is_asked_and_then_has_the_caller() -> None:
    async with floor_with_numbers() as floor:
        await floor.ready("ann")
        caller, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        floor.office.switch.phones["PJSIP/+15550100@trunk"] = FakePhone(answers=True)
        with pytest.raises(ContactError, match="not allowed"):
            await floor.centre.consult(clerk.call_id, "+33123456789", by="ann")
        await floor.centre.consult(clerk.call_id, "+1 555 0100", by="ann")
        await floor.office.until(lambda: floor.rung()[-1] == "PJSIP/+15550100@trunk", "it rings there")
        await floor.office.until(
            lambda: len([leg for leg in floor.office.switch.all_legs.values() if leg.bridge_id]) >= 2, "they talk"
        )
        await floor.centre.join_consulted(clerk.call_id, leave=True, by="ann")
        await floor.office.until(lambda: floor.state("ann") is AgentState.WRAP_UP, "ann has finished")
        assert not caller.music
        assert caller.end is None
        assert any(row == ("ann", "consult", clerk.call_id, "+1 555 0100") for row in floor.books.audited)
        caller.hang_up()


@pytest.mark.looptime
async def test_a_supervisor_sends_who_waits_to_a_telephone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "+15550100", Target("PJSIP/+15550100@trunk", 25.0, ""))
    async with floor_with_numbers() as floor:
        await floor.ready("ann")
        first, _ = await floor.wait_in("general")
        await floor.office.until(lambda: floor.state("ann") is AgentState.ON_CALL, "ann talks")
        waiting, clerk = await floor.wait_in("general")
        await floor.office.until(lambda: waiting.music, "they wait")
        one = next(one for one in floor.centre.handoffs if one.call_id == clerk.call_id)
        for number, why in (
            ("+33123456789", "not allowed"),
            ("+1555", "no telephone number; write"),
            ("+15559001234", "forbidden by"),
        ):
            with pytest.raises(ContactError, match=why):
                await floor.centre.reroute(one.id, number, by="boss")
        with pytest.raises(ContactError, match="do not wait any more"):
            await floor.centre.reroute("h-0", "+15550100", by="boss")
        assert waiting.music, "who is refused waits on"
        floor.office.switch.phones["PJSIP/+15550100@trunk"] = FakePhone(answers=True)
        await floor.centre.reroute(one.id, "+1 555 0100", by="boss")
        call = next(one for one in floor.office.supervisor.calls if one.id == clerk.call_id)
        await floor.office.until(lambda: call.state is CallState.CONNECTED, "they talk with whoever answers there")
        assert floor.rung()[-1] == "PJSIP/+15550100@trunk"
        assert [row for row in floor.books.audited if row[1] == "reroute"] == [("boss", "reroute", one.id, "+15550100")]
        with pytest.raises(ContactError, match="do not wait any more"):
            await floor.centre.reroute(one.id, "+15550100", by="boss")
        for caller in (first, waiting):
            caller.hang_up()


@pytest.mark.looptime
async def test_who_has_hung_up_for_a_call_back_is_sent_to_no_telephone() -> None:
    async with floor_with_numbers() as floor:
        await floor.ready("ann")
        await floor.centre.set_state("ann", AgentState.AWAY, "lunch", by="ann")
        caller, clerk = await floor.wait_in("general")
        clerk.wants = True
        await floor.office.until(lambda: caller.end is not None, "hung up")
        (one,) = floor.centre.handoffs
        with pytest.raises(ContactError, match="only a caller on the line"):
            await floor.centre.reroute(one.id, "+15550100", by="boss")
