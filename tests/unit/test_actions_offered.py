"""Which tools a conversation is offered: what the gate would refuse is not, and what a person may approve is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ccaas.actions import CallTools, Limits, ToolRun, Tools
from ccaas.actions.settings import RuleSettings
from ccaas.conversation.watched import WatchedToolbox
from ccaas.ports.tools import CONCIERGE_ONLY, Phase
from ccaas.testing.fakes.tools import FakeBank


class Rows:
    async def store(self, run: ToolRun) -> None: ...

    def note(self, run: ToolRun) -> None: ...


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        (Limits(Phase.INFORMATIONAL), ["get_balance", "waive"]),
        (Limits(Phase.TRANSACTIONAL), ["get_balance", "deposit", "waive"]),
        (Limits(Phase.TRANSACTIONAL, frozenset({"other"})), ["get_balance", "waive"]),
        (
            Limits(Phase.TRANSACTIONAL, rules=(RuleSettings(name="none", tools=("get_balance",), allow=False),)),
            ["deposit", "waive"],
        ),
    ],
)
def test_only_what_can_come_to_something_is_offered(limits: Limits, names: list[str]) -> None:
    balance, deposit = FakeBank({}).tools()
    tools = Tools([balance, deposit, replace(deposit, name="waive", callers=CONCIERGE_ONLY)])
    box = CallTools(tools, limits, Rows(), call_id="c", customer_id="", now=lambda: datetime.now(UTC))
    assert [tool.name for tool in WatchedToolbox(box).offered()] == names
