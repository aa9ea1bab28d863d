"""The core's own tool `answer_offer`: what a customer says to an offer, by whatever channel, ends its case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ccaas.errors import CcaasError, ToolError
from ccaas.outreach.cases import Case
from ccaas.outreach.plays import Answered
from ccaas.ports.tools import Effect, Phase, Tool, ToolContext


class OfferAnswer(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")

    offer: str = Field(description="The offer's id: the slot `offer` of its thread.")
    answer: Literal["yes", "no", "person"] = Field(description="What they want.")


class OfferAnswered(BaseModel):
    """What came of it."""

    state: str
    """ "confirmed", "declined", "person", "expired", …"""
    words: str
    """What they are told, honestly: also to a second yes, and to one that comes too late."""
    again: bool
    """It was answered before."""


class Answers:
    """Made before the plays are; `open` joins them."""

    def __init__(self) -> None:
        self._answer: Callable[[str, str], Awaitable[Answered]] | None = None
        self._case: Callable[[str], Awaitable[Case | None]] | None = None
        self._spoken_of: Callable[[Case, str], Awaitable[None]]

    def open(
        self,
        answer: Callable[[str, str], Awaitable[Answered]],
        case: Callable[[str], Awaitable[Case | None]],
        spoken_of: Callable[[Case, str], Awaitable[None]],
    ) -> None:
        """From now on offers can be answered. `spoken_of`: told of each case and the conversation that it is answered in."""
        self._answer, self._case, self._spoken_of = answer, case, spoken_of

    @property
    def tool(self) -> Tool:
        """`answer_offer`."""
        return Tool(
            "answer_offer",
            "Take the customer's answer to an offer that we made: yes, no, or that they want a person.",
            OfferAnswer,
            OfferAnswered,
            self._run,
            Effect.WRITE,
            Phase.PROACTIVE,
            timeout_s=20.0,
        )

    async def _run(self, asked: OfferAnswer, context: ToolContext) -> OfferAnswered:
        if self._answer is None or self._case is None:
            raise ToolError("unavailable", "There are no offers here.")
        try:
            case = await self._case(asked.offer)
            if case is None:
                raise ToolError("not_found", "I don't know this offer.")
            if context.customer_id not in (case.record_id, case.customer_id):
                raise ToolError("not_allowed", "This offer is for somebody else.")
            await self._spoken_of(case, context.call_id)
            answered = await self._answer(asked.offer, asked.answer)
        except ToolError:
            raise
        except CcaasError as error:
            raise ToolError("unavailable", "I can't take that at the moment.") from error
        return OfferAnswered(state=answered.state.value, words=answered.words, again=answered.again)
