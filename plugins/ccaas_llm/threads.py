"""Threads that a conversation with the model may go on with."""

from __future__ import annotations

from datetime import timedelta

from ccaas.ports.journey import Assurance, Thread, ThreadState
from ccaas.ports.reasoning import DialogueContext
from ccaas_llm.settings import LlmSettings
from ccaas_llm.state import Proposal, kept_state, left_by_model
from ccaas_llm.toolset import Toolset


class Threads:
    """Those of one conversation's customer."""

    def __init__(self, settings: LlmSettings, tools: Toolset, context: DialogueContext) -> None:
        self._tools = tools
        found = context.journey.threads if context.journey is not None else ()
        self._open = [one for one in found if one.state is ThreadState.OPEN and left_by_model(one.snapshot)]
        self._oldest = context.now.timestamp() - timedelta(days=settings.thread_days).total_seconds()

    def newest(self) -> Thread | None:
        """The one to ask about."""
        return next((thread for thread in self._open if thread.updated_at >= self._oldest), None)

    def find(self, thread_id: str) -> Thread | None:
        """The one of that id."""
        return next((thread for thread in self._open if thread.id == thread_id), None)

    def proposal(self, thread: Thread | None, assurance: Assurance) -> Proposal | None:
        """What it still waits for a yes to, if that may be spoken of here."""
        kept = kept_state(thread.snapshot) if thread is not None else None
        tool = self._tools.find(kept.proposal.tool) if kept is not None and kept.proposal is not None else None
        if kept is None or tool is None or (tool.private and assurance is not Assurance.VERIFIED):
            return None
        return kept.proposal
