"""The flows behind the model: they answer when it cannot, with what was said before as far as they understand it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ccaas_flows.dialogue import FlowDialogue

from ccaas.ports.journey import ThreadState
from ccaas.ports.reasoning import CallerTurn, Draft, ExpectationKind

_LOOK_BACK = 4
"""Earlier turns of the caller in which an errand is looked for."""


class Standby:
    """One conversation's flows."""

    def __init__(self, flows: FlowDialogue, errands: frozenset[str]) -> None:
        """`errands`: names of the intents that begin something."""
        self.flows = flows
        self._errands = errands

    async def take_over(self, turn: CallerTurn, said: Sequence[str]) -> Draft:
        """The flows' draft for the first turn that the model leaves to them; `said`: the caller's turns before.

        An answer without an errand ("on Friday, please") belongs to the newest errand that was named; what was told
        on the way goes along.
        """
        draft = await self.flows.draft(turn)
        if draft.intent in self._errands or not turn.text.strip():
            return draft
        slots: dict[str, str] = {}
        for number, text in enumerate(said[: -_LOOK_BACK - 1 : -1]):
            before = await self.flows.draft(CallerTurn(f"{turn.id}-before-{number}", text))
            slots = {**before.slots, **slots}
            if before.intent in self._errands:
                chosen = await self.flows.draft_intent(turn, before.intent, {**slots, **draft.slots})
                return replace(chosen, intent=before.intent)
        return draft

    @property
    def busy(self) -> bool:
        """Whether their errand goes on, or they wait for the answer to a question."""
        topic = self.flows.topic()
        running = topic is not None and topic.state is ThreadState.OPEN
        return running or self.flows.asks_about_thread or self.flows.expectation.kind is not ExpectationKind.OPEN
