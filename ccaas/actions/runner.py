"""The toolbox of one conversation: `ccaas.ports.tools.Toolbox` with the gate, the audit and the time limits built in.

A write runs in a task of its own that neither a barge-in, nor a hang-up, nor its own time limit cancels: half a write
is worse than a late one. What it did is known under its key, so asking again never does it twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import Counter

from ccaas.actions.attempt import Attempt, answer, attempt, validated
from ccaas.actions.audit import UNSURE, Audit, Outcome, ToolRun, canonical, write_key
from ccaas.actions.books import Books
from ccaas.actions.confirm import Confirmations
from ccaas.actions.earlier import UNDOES, Earlier
from ccaas.actions.guesses import Guesses
from ccaas.actions.identity import MOST_WRONG, Identity
from ccaas.actions.phase import Limits, check, check_amount, offered, quotas
from ccaas.actions.requests import Preparing, Request, Standing
from ccaas.actions.tool import Tools
from ccaas.errors import CcaasError, ToolError
from ccaas.ports.journey import Assurance
from ccaas.ports.tools import Effect, Party, Tool, ToolContext

_log = structlog.get_logger(__name__)

RUNS = Counter("ccaas_tool_runs_total", "Tool runs, by how they ended", ["tool", "outcome"])
REFUSALS = Counter("ccaas_tool_refusals_total", "What the gate refused, by the rule", ["tool", "rule"])

WRITE_LASTS_S = 60.0
"""A write that outlives its time limit is left alone for this long before it is given up."""
_BUTLER = Party.BUTLER.value


class CallTools:
    """The tools that one call may use.

    `now` is the business's clock (aware). `assurance` is how sure it is from the start that the person is
    `customer_id`. `earlier` is for a call that is picked up after a crash: its writes since the dialogue's last
    snapshot, and all runs of tools that verify. The dialogue comes to the writes again in a new turn; the first write
    with the same tool and arguments is then the same write, under its old key. Who was verified stays so.

    `books` count what is limited per day, and `desk` keeps what a person is asked for; without them neither is possible.
    `actor` is "butler", or "human:<login>" for a person who runs what was prepared.
    """

    def __init__(
        self,
        tools: Tools,
        limits: Limits,
        audit: Audit,
        *,
        call_id: str,
        customer_id: str,
        now: Callable[[], datetime],
        earlier: Iterable[ToolRun] = (),
        assurance: Assurance = Assurance.NONE,
        books: Books | None = None,
        desk: Preparing | None = None,
        actor: str = _BUTLER,
        guesses: Guesses | None = None,
    ) -> None:
        self._tools = tools
        self._limits = limits
        self._audit = audit
        self._call_id = call_id
        self._now = now
        self._books = books
        self._desk = desk
        self._actor = actor
        self._party = Party.BUTLER if actor == _BUTLER else Party.CONCIERGE
        earlier = tuple(earlier)
        self._guesses = guesses
        self._identity = Identity(customer_id, assurance, tools, earlier, guesses.most if guesses else MOST_WRONG)
        self._checking = asyncio.Lock()
        self._confirmations = Confirmations()
        self._earlier = Earlier(earlier)
        self._renamed: dict[str, str] = {}
        self._writes: dict[str, asyncio.Task[ToolRun]] = {}
        self._done: dict[str, ToolRun] = {}
        self._made = self._earlier.done
        """Writes that were made and not taken back, in order."""

    @property
    def assurance(self) -> Assurance:
        """See the port."""
        return self._identity.assurance

    def offered(self) -> tuple[Tool, ...]:
        """See the port."""
        return tuple(tool for tool in self._tools.values() if offered(tool, self._limits, self._party))

    def verifies(self, name: str) -> bool:
        """See the port."""
        tool = self._tools.get(name)
        return tool is not None and tool.verifies

    def identify(self, customer_id: str) -> None:
        """From now on the tools run for this customer, of whom nothing is proved."""
        self._identity.claim(customer_id)

    async def read(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """Run a tool that only reads; see the port."""
        if self.verifies(name):
            # One after the other, so that each wrong answer is counted before the next is heard.
            async with self._checking:
                return answer(_counted(await self._verify(name, arguments, turn_id, intent)))
        await self._look_at_guesses(name)
        request = self._admit(Effect.READ, name, arguments, turn_id, intent=intent)
        run = _counted(await attempt(request, request.tool.timeout_s))
        self._audit.note(run)
        return answer(run)

    async def write(
        self, name: str, arguments: Mapping[str, object], turn_id: str, confirmed_by: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """Run a tool that writes, once; see the port."""
        await self._look_at_guesses(name)
        request = self._admit(Effect.WRITE, name, arguments, turn_id, confirmed_by=confirmed_by, intent=intent)
        return await self._once(await self._keyed(request))

    async def rehearse(
        self, name: str, arguments: Mapping[str, object], turn_id: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """Say what a run would do; see the port."""
        tool = self._tools.get(name)
        wanted = tool.effect if tool is not None else Effect.READ
        # Who may not run it may still be told what it would do.
        party = self._party if tool is None or self._party in tool.callers else Party.CONCIERGE
        request = self._admit(wanted, name, arguments, turn_id, intent=intent, party=party, confirm=False)
        if request.tool.verifies:
            # An answer that is right proves, and one that is wrong counts: there is no trying it.
            return {"would": request.tool.description, "arguments": {}}
        if wanted is Effect.WRITE and not request.tool.rehearses:
            return {"would": request.tool.description, "arguments": dict(request.run.arguments)}
        request = replace(request, context=replace(request.context, rehearsal=wanted is Effect.WRITE))
        run = await attempt(request, request.tool.timeout_s)
        run = replace(run, outcome=Outcome.REHEARSED) if run.outcome is Outcome.DONE else run
        self._audit.note(_counted(run))
        return answer(run)

    async def prepare(
        self, name: str, arguments: Mapping[str, object], turn_id: str, reason: str, *, intent: str = ""
    ) -> dict[str, Any]:
        """Ask a person for a write; see the port."""
        party = Party.CONCIERGE
        request = self._admit(Effect.WRITE, name, arguments, turn_id, intent=intent, party=party, confirm=False)
        turn_id = self._earlier.prepared(name, request.spelling) or turn_id
        key = write_key(self._call_id, turn_id, name, request.spelling)
        run = replace(request.run, key=f"{key}:prepared", outcome=Outcome.PREPARED, intent=intent or reason)
        try:
            if self._desk is None:
                raise CcaasError("nobody keeps requests here")
            kept = await self._desk.keep(self._request(key, turn_id, replace(run, turn_id=turn_id), reason, intent))
            await self._audit.store(_counted(run))
        except CcaasError as error:
            _log.error("request not kept", tool=name, error=str(error))
            raise ToolError("unavailable", "I cannot pass that on at the moment.") from error
        return {"request_id": kept.id, "state": kept.standing.value}

    async def undo(self, name: str, turn_id: str, *, intent: str = "") -> dict[str, Any]:
        """Take back this conversation's newest write with that tool; see the port."""
        run = next((run for run in reversed(self._made) if run.tool == name), None)
        if run is None:
            raise ToolError("nothing_done", f"there is nothing with {name} that could be taken back")
        return await self._take_back(run, turn_id, intent)

    async def repeat(self, request: Request) -> dict[str, Any]:
        """Ask again what became of a write that was allowed and begun: the same key is the same write. Raises ToolError."""
        again = self._admit(
            Effect.WRITE,
            request.tool,
            request.arguments,
            request.turn_id,
            confirmed_by=request.decided_by,
            intent=request.intent,
            undoes=True,
        )
        return await self._once(_under(again, request.key), quota=False)

    async def settle(self) -> None:
        """Wait for the writes that still run, before the call's task ends."""
        while self._writes:
            await asyncio.wait(self._writes.values())

    async def _look_at_guesses(self, name: str) -> None:
        """Who cannot be verified now is not asked to prove anything."""
        tool, identity = self._tools.get(name), self._identity
        if self._guesses is None or tool is None or not tool.private or identity.assurance is Assurance.VERIFIED:
            return
        try:
            identity.spent = await self._guesses.spent(identity.customer_id)
        except CcaasError as error:
            _log.warning("it is not known whether checks are refused", error=str(error))

    async def _verify(self, name: str, arguments: Mapping[str, object], turn_id: str, intent: str) -> ToolRun:
        """Run a check. Who proved to be the customer is it once the row is stored: a crash makes nobody less sure."""
        identity = self._identity
        request = self._admit(Effect.READ, name, arguments, turn_id, intent=intent)
        whose = identity.customer_id
        try:
            guess = await self._guesses.begin(whose) if self._guesses is not None else ""
        except CcaasError as error:
            _log.error("check not made: it could not be counted", tool=name, error=str(error))
            return replace(request.run, error="unavailable: I cannot check that at the moment.")
        if guess is None:
            identity.spent = True
            request = self._admit(Effect.READ, name, arguments, turn_id, intent=intent)
        run = await attempt(request, request.tool.timeout_s)
        known = identity.state
        run = replace(identity.answered(run), key=write_key(self._call_id, turn_id, name, str(identity.tried)))
        if self._guesses is not None:
            run = await self._guesses.end(whose, guess or "", run)
        try:
            await self._audit.store(run)
        except CcaasError as error:
            identity.restore(known)
            _log.error("check proves nothing: its audit row could not be stored", tool=name, error=str(error))
            return replace(run, outcome=Outcome.FAULT, result=None)
        return run

    def _admit(
        self,
        wanted: Effect,
        name: str,
        arguments: Mapping[str, object],
        turn_id: str,
        *,
        confirmed_by: str = "",
        intent: str = "",
        party: Party | None = None,
        confirm: bool = True,
        undoes: bool = False,
    ) -> Attempt:
        """Everything that can be refused before anything runs. What takes back what was allowed needs no leave."""
        began = time.perf_counter()
        secret = self.verifies(name)
        run = ToolRun(
            key="",
            call_id=self._call_id,
            turn_id=turn_id,
            customer_id=self._identity.customer_id,
            tool=name,
            effect=wanted,
            # What only the customer knows is in no row.
            arguments=dict.fromkeys(arguments, "[secret]") if secret else arguments,
            confirmed_by=confirmed_by,
            outcome=Outcome.REFUSED,
            at=time.time(),
            actor=self._actor,
            intent=intent,
        )
        try:
            tool = self._tools.find(name)
            if not undoes:
                check(tool, wanted, self._limits, party or self._party, intent)
                if self._party is Party.BUTLER:
                    self._identity.admit(tool)
            values = validated(tool, arguments)
            plain = values.model_dump(mode="json")
            spelling = canonical(plain)
            run = run if secret else replace(run, arguments=plain)
            if not undoes:
                check_amount(tool, values, self._limits, intent)
            if confirm and not undoes and self._party is Party.BUTLER:
                self._confirmations.check(tool, spelling, confirmed_by, self._identity.factors)
        except ToolError as refusal:
            run = replace(run, error=f"{refusal.code}: {refusal}", rule=refusal.rule)
            self._audit.note(_counted(run, known=name in self._tools))
            raise
        who = self._identity.customer_id
        context = ToolContext(self._call_id, turn_id, who, "", self._now(), self._actor)
        return Attempt(tool, values, spelling, context, run, began)

    async def _keyed(self, request: Attempt) -> Attempt:
        """The write under its key: the one of an earlier controller, where this is the same wish again."""
        key = write_key(self._call_id, request.run.turn_id, request.tool.name, request.spelling)
        earlier = self._earlier.take(request.tool.name, request.spelling)
        if earlier is not None and (undoing := self._earlier.undoing.get(earlier.key)) is not None:
            await self._take_back(earlier, undoing.turn_id, undoing.intent)
        elif earlier is not None:
            # One repetition per earlier write: the caller may want the same thing a second time after that.
            self._renamed[key] = earlier.key
            if earlier.outcome is Outcome.DONE:
                self._done[earlier.key] = earlier
        return _under(request, self._renamed.get(key, key))

    async def _take_back(self, run: ToolRun, turn_id: str, intent: str) -> dict[str, Any]:
        undo = self._tools.find(run.tool).undo
        if undo is None:
            raise ToolError("no_undo", f"{run.tool} cannot be taken back")
        arguments = undo.arguments(run.arguments, run.result or {})
        request = self._admit(
            Effect.WRITE, undo.tool, arguments, turn_id, confirmed_by=f"{UNDOES}{run.key}", intent=intent, undoes=True
        )
        result = await self._once(_under(request, write_key(self._call_id, UNDOES, undo.tool, run.key)), quota=False)
        self._made = [made for made in self._made if made.key != run.key]
        self._done.pop(run.key, None)
        return result

    async def _once(self, request: Attempt, *, quota: bool = True) -> dict[str, Any]:
        key = request.run.key
        if (done := self._done.get(key)) is not None:
            return answer(done)
        task = self._writes.get(key)
        if task is None:
            task = asyncio.create_task(self._write(request, quota), name=f"{self._call_id} {request.tool.name}")
            self._writes[key] = task
            task.add_done_callback(lambda _: self._writes.pop(key, None))
        await asyncio.wait({task}, timeout=request.tool.timeout_s)
        if not task.done():
            raise ToolError("timeout", "That is taking longer than it should.")
        return answer(task.result())

    async def _write(self, request: Attempt, quota: bool) -> ToolRun:
        try:
            if quota and (full := await self._count(request)):
                run = replace(request.run, error="limit: That was done as often today as is allowed.", rule=full)
                self._audit.note(_counted(run))
                return run
            await self._audit.store(replace(request.run, outcome=Outcome.INTENDED))
        except CcaasError as error:
            _log.error("write not made: its audit row could not be stored", tool=request.tool.name, error=str(error))
            return replace(request.run, error="unavailable: I cannot make changes at the moment.")
        run = _counted(await attempt(request, WRITE_LASTS_S))
        if run.outcome is Outcome.DONE:
            self._done[run.key] = run
            self._made.append(run)
        try:
            await self._audit.store(run)
            if run.outcome is Outcome.REFUSED and self._books is not None:
                await self._books.give_back(run.key)
            if run.outcome in UNSURE and self._desk is not None and self._party is Party.BUTLER:
                await self._desk.keep(self._begun(run))
        except CcaasError as error:
            _log.error("audit row of a write is left as intended", tool=run.tool, key=run.key, error=str(error))
        return run

    async def _count(self, request: Attempt) -> str:
        """Count the write against what is allowed in a day; the name of a rule that is used up. Raises CcaasError."""
        wanted = quotas(request.tool, self._limits, request.run.intent)
        if not wanted:
            return ""
        if self._books is None:
            raise CcaasError("nobody counts here what may be done only so often")
        whose = request.run.customer_id or f"conversation:{self._call_id}"
        return await self._books.take(whose, self._now().date().isoformat(), request.run.key, wanted)

    def _begun(self, run: ToolRun) -> Request:
        """A write of the agent's of which nobody knows what became: it is asked for again until somebody does."""
        request = self._request(run.key, run.turn_id, run, "Nobody knows yet whether this was done.", run.intent)
        standing, error = Standing.APPROVED, run.error
        return replace(request, standing=standing, decided_by=self._actor, decided_at=time.time(), error=error)

    def _request(self, key: str, turn_id: str, run: ToolRun, reason: str, intent: str) -> Request:
        return Request(
            id=key[:12],
            key=key,
            conversation_id=self._call_id,
            turn_id=turn_id,
            customer_id=run.customer_id,
            entry=self._limits.entry,
            channel=self._limits.channel,
            tool=run.tool,
            arguments=run.arguments,
            reason=reason,
            intent=intent,
            prepared_by=self._actor,
            at=run.at,
        )


def _under(request: Attempt, key: str) -> Attempt:
    return replace(request, run=replace(request.run, key=key), context=replace(request.context, key=key))


def _counted(run: ToolRun, *, known: bool = True) -> ToolRun:
    RUNS.labels(run.tool if known else "unknown", run.outcome.value).inc()
    if run.rule:
        REFUSALS.labels(run.tool if known else "unknown", run.rule).inc()
    return run
