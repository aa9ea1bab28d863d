"""What all tests share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccaas.testing.postgres import RunningPostgres

REAL_TIME = ("app", "asterisk", "browser", "conformance", "failure", "scenarios")
"""Folders whose tests talk over real SIP and RTP, load real models or a browser: a machine that stalls can fail them."""


def pytest_sessionstart() -> None:
    """No event loop but the tests' own: pytest-asyncio would otherwise make one and never close it."""
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPostgres]:
    """A PostgreSQL for all tests of a run; each makes databases of its own."""
    with RunningPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in real time may be tried once more; pytest's closing line counts what was. What is broken fails twice."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).parts[0] in REAL_TIME:
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))
