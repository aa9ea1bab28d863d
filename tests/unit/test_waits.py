"""How long work waits for a thread, as admission is told."""

from __future__ import annotations

from ccaas.ports.waits import Waits


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


def test_the_middle_of_what_was_begun_or_what_waits_longest() -> None:
    clock = Clock()
    waits = Waits(clock)
    assert waits.lag_s == 0
    for name, wait in (("a", 0.0), ("b", 0.5), ("c", 0.25)):
        waits.ask(name)
        clock.now += wait
        waits.begin(name)
    assert waits.lag_s == 0.25
    waits.ask("stuck")
    clock.now += 1.0
    assert waits.lag_s == 1.0
    waits.drop("stuck")
    assert waits.lag_s == 0.25
    clock.now += 2.5
    assert waits.lag_s == 0


def test_what_is_dropped_twice_or_after_it_began_does_no_harm() -> None:
    waits = Waits()
    waits.ask(1)
    waits.begin(1)
    waits.drop(1)
    waits.ask(2)
    waits.drop(2)
    waits.begin(2)
    assert waits.lag_s < 0.1
