"""The core's conformance suite for tools, on the book."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ccaas_callbacks.book import Book
from ccaas_callbacks.plugin import tools_on

from ccaas.errors import ToolError
from ccaas.testing.conformance.tools import ToolsConformance, ToolWorld


class TestCallbacks(ToolsConformance):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> ToolWorld:
        book = Book(tmp_path / "book.db", most=2)
        book.promise("old", "full", "+15550100", "first")
        book.promise("older", "full", "+15550100", "second")

        async def state() -> object:
            return book.waiting("ada")

        return ToolWorld(
            tools=tools_on(book),
            state=state,
            customer_id="ada",
            now=datetime(2026, 11, 22, 12, tzinfo=UTC),
            reads=[("list_callbacks", {})],
            writes=[("promise_callback", {"number": "+15550100", "reason": "a refund"})],
            refused=[],
        )


def test_a_customer_cannot_fill_the_book(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db", most=1)
    assert book.promise("k1", "ada", "+15550100", "a refund") == 1
    assert book.promise("k1", "ada", "+15550100", "a refund") == 1
    with pytest.raises(ToolError, match="waiting for several calls"):
        book.promise("k2", "ada", "+15550100", "another")
