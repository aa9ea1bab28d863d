"""What was said and done in a conversation, as the model is told: plain JSON, so that it survives a crash."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from ccaas.journal.masking import masked, masked_text

_MOST_ENTRIES = 60
_LONGEST_RESULT = 6000
"""Characters of one tool's answer; more is cut off, and the model is told."""
NOTHING_HEARD = "(interrupted before anything was heard)"
CHECKED = "(an answer to a check of who they are)"


class Entry(TypedDict, total=False):
    """One thing that was said or done."""

    by: Literal["caller", "agent", "tool"]
    text: str
    """Words of the caller or the agent, without card numbers."""
    heard: bool
    """Of the agent: the customer has heard it. Missing while that is not known."""
    id: str
    """Of a tool call."""
    name: str
    arguments: dict[str, Any]
    result: Any
    """JSON."""


class History:
    """The entries in order, oldest first; the oldest are forgotten."""

    def __init__(self, entries: Iterable[Mapping[str, Any]] = ()) -> None:
        self.entries: list[Entry] = [Entry(**entry) for entry in entries]  # type: ignore[typeddict-item]

    def caller(self, text: str) -> None:
        """What the caller said."""
        if text:
            self._add(Entry(by="caller", text=masked_text(text)))

    def agent(self, text: str) -> None:
        """What the agent is about to say."""
        if text:
            self._add(Entry(by="agent", text=masked_text(text)))

    def hide_answer(self) -> None:
        """The caller's newest words proved who they are: nobody keeps them."""
        for entry in reversed(self.entries):
            if entry["by"] == "caller":
                entry["text"] = CHECKED
                return

    def tool(self, entry: Entry) -> None:
        """A tool that ran."""
        self._add(entry)

    def heard(self, text: str, whole: bool) -> bool:
        """What of the oldest reply that is not known to be heard was played. False: it was broken off, and nothing of
        what was to follow was heard either."""
        waiting = [n for n, entry in enumerate(self.entries) if entry["by"] == "agent" and "heard" not in entry]
        if whole:
            if waiting:
                self.entries[waiting[0]]["heard"] = True
            return True
        if waiting:
            first = self.entries[waiting[0]]
            first["text"], first["heard"] = masked_text(text.strip()) or NOTHING_HEARD, True
            self._drop(waiting[1:])
        return False

    def strike_unheard(self) -> None:
        """Forget replies that nobody heard."""
        self._drop([n for n, entry in enumerate(self.entries) if entry["by"] == "agent" and "heard" not in entry])

    def unheard(self) -> list[str]:
        """Replies that may not have been heard, in order."""
        return [entry["text"] for entry in self.entries if entry["by"] == "agent" and "heard" not in entry]

    def last_said(self) -> str:
        """The newest words of the agent's."""
        return next((entry["text"] for entry in reversed(self.entries) if entry["by"] == "agent"), "")

    def said(self) -> list[str]:
        """The caller's turns, oldest first."""
        return [entry["text"] for entry in self.entries if entry["by"] == "caller"]

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        del self.entries[:-_MOST_ENTRIES]

    def _drop(self, numbers: Sequence[int]) -> None:
        gone = set(numbers)
        self.entries = [entry for n, entry in enumerate(self.entries) if n not in gone]


def tool_entry(call_id: str, name: str, arguments: Mapping[str, Any], result: object) -> Entry:
    """A tool call with its answer, masked and short enough."""
    shown = masked(result)
    text = json.dumps(shown, ensure_ascii=False, default=str)
    if len(text) > _LONGEST_RESULT:
        shown = {"cut_off": True, "beginning": text[:_LONGEST_RESULT]}
    plain = masked(dict(arguments))
    return Entry(by="tool", id=call_id, name=name, arguments=plain if isinstance(plain, dict) else {}, result=shown)


def messages(system: str, facts: str, entries: Sequence[Entry]) -> list[ModelMessage]:
    """For the model: our instructions in the system part alone; everything else, whoever wrote it, in parts of its own.

    Caller and agent take turns, as many servers' templates demand: what one says in pieces is one message.
    """
    found: list[ModelMessage] = [
        ModelRequest([SystemPromptPart(system), UserPromptPart(facts)]),
    ]
    for entry in entries:
        if entry["by"] == "tool":
            call = ToolCallPart(entry["name"], json.dumps(entry["arguments"]), entry["id"])
            back = ToolReturnPart(entry["name"], json.dumps(entry["result"], ensure_ascii=False), entry["id"])
            found += [ModelResponse([call]), ModelRequest([back])]
        elif entry["by"] == "agent":
            last = found[-1]
            if isinstance(last, ModelResponse) and isinstance(last.parts[-1], TextPart):
                found[-1] = ModelResponse([TextPart(f"{last.parts[-1].content} {entry['text']}")])
            else:
                found.append(ModelResponse([TextPart(entry["text"])]))
        else:
            last = found[-1]
            if isinstance(last, ModelRequest):
                found.append(ModelResponse([TextPart(NOTHING_HEARD if len(found) > 1 else "(ready)")]))
            found.append(ModelRequest([UserPromptPart(entry["text"])]))
    return found


def words_of(text: str, keys: str) -> str:
    """A turn as the model reads it, without card numbers; empty when there was nothing in it."""
    pressed = f"(pressed the keys {keys})" if keys else ""
    return masked_text(" ".join(part for part in (text.strip(), pressed) if part))
