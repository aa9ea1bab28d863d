"""What flows do about tools that the agent may not use, that a person must approve, and that must be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccaas.errors import ToolError
from ccaas.ports.journey import ThreadState
from ccaas.ports.reasoning import Ending
from ccaas.testing.fakes.tools import FakeToolbox
from tests.unit.flow_talk import Talk, reasoner, talk


async def booking(tmp_path: Path, steps: str, answers: FakeToolbox) -> Talk:
    indented = "\n".join("      " + line for line in steps.strip("\n").splitlines())
    return await talk(reasoner(tmp_path, f"\n  book:\n    steps:\n{indented}\n"), answers)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("refused", "not allowed to do on my own"),
        ("needs_approval", "not allowed to do on my own"),
        ("second_factor", "not allowed to do on my own"),
        ("limit", "more than I may do on my own"),
    ],
)
async def test_what_the_core_refuses_is_told_kindly_and_offered_to_a_person(
    tmp_path: Path, code: str, said: str
) -> None:
    tools = FakeToolbox({"pay": ToolError(code, "pay belongs to phase 2", rule="ours")})
    steps = '- write: pay\n  errors: {any: [{done: "That did not go through."}]}'
    conversation = await booking(tmp_path, steps, tools)
    assert said in await conversation.say("book a room for me")
    assert (conversation.last.ending, conversation.last.destination) == (Ending.TRANSFER, "agents")


@pytest.mark.parametrize("code", ["timeout", "fault"])
async def test_after_a_write_that_nobody_knows_of_the_thread_waits_for_us(tmp_path: Path, code: str) -> None:
    tools = FakeToolbox({"pay": ToolError(code, "Something went wrong.")})
    steps = '- write: pay\n  errors: {any: [{done: "Nothing has changed."}]}\n- done: Paid.'
    conversation = await booking(tmp_path, steps, tools)
    said = await conversation.say("book a room for me")
    assert "hasn't told me whether that went through" in said
    assert "Nothing has changed" not in said
    assert conversation.topic.state is ThreadState.WAITING
    assert conversation.topic.promise in said
    # Whoever writes steps for it decides themselves.
    steps = f'- write: pay\n  errors: {{{code}: [{{done: "We will see."}}]}}'
    conversation = await booking(tmp_path, steps, tools)
    assert "We will see." in await conversation.say("book a room for me")


async def test_a_person_is_asked_with_a_reason(tmp_path: Path) -> None:
    tools = FakeToolbox({})
    steps = """
- prepare: credit
  with: {amount: 50}
  reason: "The bag came late, {customer.first_name} says."
  as: asked
- promise: "A colleague looks at {asked.request_id}."
- done: ""
"""
    conversation = await booking(tmp_path, steps, tools)
    said = await conversation.say("book a room for me")
    assert said == "A colleague looks at r-credit. Is there anything else?"
    assert [(call.name, dict(call.arguments)) for call in tools.calls] == [("prepare credit", {"amount": 50})]
    assert conversation.topic.state is ThreadState.WAITING


async def test_what_was_done_is_taken_back_when_a_later_step_fails(tmp_path: Path) -> None:
    full = ToolError("not_available", "It is full.")
    tools = FakeToolbox({"pay": {}, "seat": full, "undo pay": {}})
    steps = """
- write: pay
- write: seat
  errors:
    not_available:
      - undo: pay
      - done: "I'm sorry. {error.message} Your money is back."
- done: Booked.
"""
    conversation = await booking(tmp_path, steps, tools)
    said = await conversation.say("book a room for me")
    assert said == "I'm sorry. It is full. Your money is back. Is there anything else?"
    assert [call.name for call in tools.calls] == ["pay", "seat", "undo pay"]


async def test_a_draft_prepares_and_undoes_nothing(tmp_path: Path) -> None:
    from ccaas.ports.reasoning import CallerTurn

    tools = FakeToolbox({"undo pay": {}})
    for step in ("- undo: pay", "- prepare: credit\n  reason: Because."):
        conversation = await booking(tmp_path, step, tools)
        await conversation.dialogue.draft(CallerTurn("t1", "book a room for me"))
        assert tools.calls == []
