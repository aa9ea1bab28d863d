"""What became of a write, when that is known after it was spoken of: on the customer's timeline, in the thread, and owed to them
as news.

Two sorts come here: writes of which a system of record did not say whether it made them, and what a person has decided. It is
told to the journey at least once, and stands there once: every row has an id of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ccaas.actions.requests import Request, Standing
from ccaas.chapter import Page, Whose, rows
from ccaas.chronicle import Chronicle
from ccaas.conversation.settings import OutcomeWords
from ccaas.errors import JourneyError
from ccaas.journal.journal import Journal
from ccaas.journal.places import Place, place_of
from ccaas.orphans import TAKEN_BACK
from ccaas.ports.journey import Fact, FactKind, Identity, IdentityKind, Journey, JourneyContext, Thread, ThreadState

NEWS = "news"
"""In the data of a promise: it is kept by saying its text to the customer."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Where an outcome belongs."""

    context: JourneyContext
    thread: Thread | None
    owed: tuple[Fact, ...]
    """Promises that it settles."""


class Settling:
    """`tell` is what `Approvals.outcomes` asks for."""

    def __init__(
        self,
        journal: Journal,
        journey: Journey,
        chronicle: Chronicle,
        spell: Callable[[str, str], Identity | None],
        words: OutcomeWords,
        wall: Callable[[], float],
    ) -> None:
        """`spell`: channel and address to an identity; `wall`: Unix seconds on the timeline."""
        self._journal = journal
        self._journey = journey
        self._chronicle = chronicle
        self._spell = spell
        self._words = words
        self._wall = wall

    async def tell(self, request: Request) -> None:
        """Tell the journey what this request came to. Raises CcaasError when it must be tried again."""
        if not await self._chronicle.tell():
            raise JourneyError("the journey was not told what came before this outcome; it will be told later")
        place = await self._journal.ask(place_of(request.conversation_id))
        context = await self._customer(request, place)
        if context is None:
            return  # Nobody's: an unknown caller, or one who was erased.
        found = await self._find(request, context)
        now_talking = place is not None and place.channel == "voice" and not place.ended
        pages = self._pages(request, found, heard=now_talking and request.decided_by.startswith("human:"))
        whose = Whose(context.profile.id)
        await self._chronicle.append(*(row for page in pages for row in rows(replace(page, whose=whose))))

    async def _customer(self, request: Request, place: Place | None) -> JourneyContext | None:
        if request.customer_id:
            if (context := await self._journey.context(request.customer_id)) is not None:
                return context
            other = await self._journey.find(Identity(IdentityKind.RECORD, request.customer_id))
            return await self._journey.context(other) if other else None
        address = self._spell(place.channel, place.address) if place is not None else None
        owner = await self._journey.find(address) if address is not None else None
        return await self._journey.context(owner) if owner else None

    async def _find(self, request: Request, context: JourneyContext) -> _Found:
        """The thread that the conversation's promise belongs to, else the one that the conversation opened for it."""
        theirs = [fact for fact in context.promises if fact.conversation_id == request.conversation_id]
        theirs = [fact for fact in theirs if NEWS not in fact.data]
        exact = [fact for fact in theirs if fact.turn_id == request.turn_id]
        threads = await self._journey.threads(context.profile.id)
        wanted = {fact.thread_id for fact in exact if fact.thread_id}
        goals = {goal for goal in (request.tool, request.intent) if goal}
        opened = [one for one in threads if one.id.startswith(f"{request.conversation_id}-")]
        thread = next((one for one in threads if one.id in wanted), None)
        thread = thread or next((one for one in opened if one.goal in goals), None)
        thread = thread or next((one for one in opened if one.state is ThreadState.WAITING), None)
        still = [one for one in threads if one.state is not ThreadState.CLOSED]
        thread = thread or next((one for one in still if one.goal in goals), None)
        owed = exact or ([fact for fact in theirs if fact.thread_id == thread.id] if thread is not None else [])
        return _Found(context, thread, tuple(owed))

    def _pages(self, request: Request, found: _Found, *, heard: bool) -> list[Page]:
        at, done = self._wall(), request.standing is Standing.DONE
        what = found.thread.title if found.thread is not None else request.tool.replace("_", " ")
        # Where a write was taken back, that is what was done; what the customer wanted was not.
        taken_back = done and request.reason == TAKEN_BACK
        news = self._sentence(Standing.FAILED if taken_back else request.standing).replace("{what}", what)
        why = request.error.partition(": ")[2] or request.error
        outcome = " ".join(part for part in (news, "" if done else why) if part)
        blank = Fact(
            "", "", at, FactKind.NOTED, "", "", f"tool:{request.tool}", request.conversation_id, request.turn_id
        )
        blank = replace(blank, thread_id=found.thread.id if found.thread is not None else "")
        told: dict[str, object] = {"tool": request.tool, "key": request.key, "decided_by": request.decided_by}
        name = f"{request.conversation_id}:did:{request.key}"
        if done:
            text = request.tool.replace("_", " ").capitalize() + "."
            told["arguments"] = dict(request.arguments)
            facts = [replace(blank, id=name, kind=FactKind.DONE, text=text, data=told)]
        else:
            facts = [replace(blank, id=f"{name}:not", text=outcome, data=told)]
        for promise in found.owed:
            kept = {"promise": promise.id, "key": request.key}
            facts.append(replace(blank, id=f"{promise.id}:settled", kind=FactKind.DONE, text=outcome, data=kept))
        if not heard:
            data = {NEWS: True, "key": request.key}
            facts.append(
                replace(blank, id=f"{name}:news", kind=FactKind.PROMISED, text=news, source="agent", data=data)
            )
        pages = [Page(Whose(), fact=fact) for fact in facts]
        if found.thread is not None and found.thread.state is not ThreadState.CLOSED:
            # What could not be done is still wanted; what a person has decided is decided.
            state = ThreadState.OPEN if taken_back or request.standing is Standing.FAILED else ThreadState.CLOSED
            snapshot = found.thread.snapshot if state is ThreadState.OPEN else None
            thread = replace(found.thread, state=state, updated_at=at, outcome=outcome, snapshot=snapshot)
            pages.append(Page(Whose(), thread=thread))
        return pages

    def _sentence(self, standing: Standing) -> str:
        if standing is Standing.DONE:
            return self._words.done
        return self._words.declined if standing is Standing.DECLINED else self._words.not_done
