"""Finishes what a conversation that is over has begun: of its writes that were under way, the outcome is asked for under the
same key, so that what the customer had agreed to is done once; and all that it made and never spoke of becomes news.

It is looked for once, when the controller begins, and what belongs to a conversation that goes on is left to it until it
ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.actions.earlier import UNDOES
from ccaas.actions.requests import Request, Standing
from ccaas.journal.journal import Journal
from ccaas.journal.left_behind import Left, left_behind

_log = structlog.get_logger(__name__)

TAKEN_BACK = "It is being taken back."
"""The reason of a request that undoes another write."""
_REASON = "It was not spoken of with the customer."
_LONGEST_S = 86_400.0
"""Writes that are older are left as they are."""
_HIDDEN = ("[card ending ", "[secret]")


class Orphans:
    """`requests` is what `Approvals.orphans` asks for."""

    def __init__(self, journal: Journal, wall: Callable[[], float]) -> None:
        """`wall`: Unix seconds of the machine."""
        self._journal = journal
        self._wall = wall
        self._until = 0.0
        """What was begun later is this controller's own."""
        self._over = False

    async def requests(self) -> tuple[Request, ...]:
        """What is to be asked for, or told, now. The same again until `Approvals` has kept it. Raises JournalError."""
        if self._over:
            return ()
        self._until = self._until or self._wall()
        since = self._until - _LONGEST_S
        found = [one for one in await self._journal.ask(left_behind(since)) if one.run.at <= self._until]
        self._over = all(one.over for one in found)
        return tuple(_requests([one for one in found if one.over]))


def _requests(left: list[Left]) -> Iterable[Request]:
    undone = {one.run.confirmed_by.removeprefix(UNDOES) for one in left if _undoes(one.run)}
    for one in left:
        run = one.run
        if run.key in undone:
            continue  # What takes it back is asked for.
        if any(mark in json.dumps(dict(run.arguments), default=str) for mark in _HIDDEN):
            _log.warning("a write was left behind and cannot be asked for again", tool=run.tool, call=run.call_id)
            continue
        request = Request(
            id=run.key[:12],
            key=run.key,
            conversation_id=run.call_id,
            turn_id=run.turn_id,
            customer_id=run.customer_id,
            entry=one.entry,
            channel=one.channel,
            tool=run.tool,
            arguments=run.arguments,
            reason=TAKEN_BACK if _undoes(run) else _REASON,
            intent=run.intent,
            prepared_by=run.actor,
            at=run.at,
            standing=Standing.APPROVED,
            decided_by=run.actor,
            decided_at=run.at,
            error=run.error,
        )
        yield replace(request, standing=Standing.DONE) if run.outcome is Outcome.DONE else request


def _undoes(run: ToolRun) -> bool:
    return run.confirmed_by.startswith(UNDOES)
