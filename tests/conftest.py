"""What all tests share."""

from __future__ import annotations

import asyncio


def pytest_sessionstart() -> None:
    """No event loop but the tests' own: pytest-asyncio would otherwise make one and never close it."""
    asyncio.set_event_loop(None)
