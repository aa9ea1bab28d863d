"""What every pacer must do. Subclass `PacerConformance` and give it one.

class TestMine(PacerConformance):
@pytest.fixture
def pacer(self) -> Pacer: ...
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from ccaas.ports.dialling import Pacer, Standing

IDLE = Standing(free=10, talking=(), wrapping=(), ringing=(), ahead=True, target=0.03)


class PacerConformance:
    """The suite."""

    def test_it_begins_calls_for_agents_who_are_free(self, pacer: Pacer) -> None:
        assert pacer.wanted(replace(IDLE, ahead=False), 0.0) >= 1

    def test_without_agents_it_begins_none(self, pacer: Pacer) -> None:
        assert pacer.wanted(replace(IDLE, free=0), 0.0) == 0

    def test_with_more_people_waiting_than_agents_it_begins_none(self, pacer: Pacer) -> None:
        busy = replace(IDLE, free=-3, talking=(30.0,) * 3, ahead=False)
        assert pacer.wanted(busy, 0.0) == 0

    def test_nothing_ahead_of_agents_while_that_is_forbidden(self, pacer: Pacer) -> None:
        for answers, at in ((True, 1.0), (False, 2.0)):
            pacer.rang(8.0, at, answered=answers)
        for ringing in range(12):
            asked = replace(IDLE, ringing=(3.0,) * ringing, ahead=False)
            assert 0 <= pacer.wanted(asked, 10.0) <= max(IDLE.free - ringing, 0)

    def test_whatever_it_sees_it_answers_with_a_number(self, pacer: Pacer) -> None:
        chance = Random(7)
        for step in range(500):
            at = step * 1.0
            pacer.rang(chance.uniform(-1, 400), at, answered=chance.random() < 0.3)
            pacer.handled(chance.uniform(-1, 9000), chance.uniform(-1, 900), at)
            pacer.met(at, abandoned=chance.random() < 0.1)
            talking, wrapping, ringing = (
                [chance.uniform(0, 5000) for _ in range(chance.randrange(20))] for _ in range(3)
            )
            ahead = chance.random() < 0.7
            asked = Standing(chance.randint(-5, 20), talking, wrapping, ringing, ahead=ahead, target=0.03)
            wanted = pacer.wanted(asked, at)
            assert isinstance(wanted, int)
            assert wanted >= 0
