"""What agents and supervisors ask for, done: only with what is theirs, and each of it audited."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

from ccaas.errors import ContactError
from ccaas.ports.accounts import Account
from ccaas.ports.contact import AgentState, ContactCentre, Supervision
from ccaas.web.accounts.book import AccountBook
from ccaas.web.desktop.board import Observer
from ccaas.web.desktop.desk import Desk
from ccaas.web.desktop.frames import (
    Again,
    BoardOrder,
    Decide,
    DeskOrder,
    Drop,
    Follow,
    Force,
    Join,
    Order,
    Reroute,
    SetState,
    Supervise,
    Take,
    Transfer,
    Types,
    WrapUp,
    Write,
)


class Decided(Protocol):
    """What a decision came to (`ccaas.actions.requests.Request`)."""

    @property
    def standing(self) -> Enum: ...

    @property
    def result(self) -> Mapping[str, object] | None: ...

    @property
    def error(self) -> str: ...


class Approvals(Protocol):
    """Where prepared requests are decided (`ccaas.actions.approvals.Approvals`). Raises CcaasError."""

    async def approve(self, request_id: str, by: str) -> Decided: ...

    async def decline(self, request_id: str, by: str, why: str = "") -> Decided: ...


class Orders:
    """Does them. Raises CcaasError with a sentence for the page."""

    def __init__(self, centre: ContactCentre, approvals: Approvals, book: AccountBook) -> None:
        self._centre = centre
        self._approvals = approvals
        self._book = book

    async def desk(self, desk: Desk, order: DeskOrder, address: str) -> None:
        """An agent's."""
        centre, login = self._centre, desk.account.login
        if not isinstance(order, SetState) and not desk.has(order.conversation):
            raise ContactError("this conversation is not yours any more")
        match order:
            case SetState(state=state, reason=reason):
                if not desk.signed_in:
                    raise ContactError(desk.problem or "you are not signed in at the queues; load the page again")
                await centre.set_state(login, AgentState(state), reason, by=login)
            case WrapUp(conversation=conversation, disposition=disposition, note=note):
                await centre.wrap_up(login, conversation, disposition, note)
                desk.wrapped_up(conversation)
            case Transfer(type="transfer", conversation=conversation, to=to):
                await centre.transfer(conversation, to, by=login)
            case Transfer(conversation=conversation, to=to):
                await centre.consult(conversation, to, by=login)
            case Join(conversation=conversation, leave=leave):
                await centre.join_consulted(conversation, leave=leave, by=login)
            case Drop(conversation=conversation):
                await centre.drop_consulted(conversation, by=login)
            case Decide():
                await self._decide(desk, order)
            case Take(type="accept", conversation=conversation):
                await centre.accept(conversation, by=login)
            case Take(conversation=conversation):
                await centre.refuse(conversation, by=login)
            case Write(conversation=conversation, text=text):
                await centre.write(conversation, text, by=login)
            case Again(conversation=conversation, message=message):
                await centre.write_again(conversation, message, by=login)
        await self._note(desk.account, order, address)

    def types(self, desk: Desk, sign: Types) -> None:
        """An agent is writing, or has stopped."""
        if desk.has(sign.conversation):
            self._centre.typing(sign.conversation, sign.on, by=desk.account.login)

    async def board(self, observer: Observer, account: Account, order: BoardOrder, address: str) -> None:
        """A supervisor's."""
        centre, login = self._centre, account.login
        match order:
            case Follow(conversation=conversation):
                observer.follows = conversation
                if conversation:
                    observer.feed.push("bundle", bundle=await centre.look(conversation, by=login))
            case Supervise(conversation=conversation, mode=mode):
                await centre.supervise(conversation, Supervision(mode) if mode else None, by=login)
            case Force(login=other, state=state, reason=reason):
                await centre.set_state(other, AgentState(state), reason, by=login)
            case Reroute(handoff=handoff, number=number) if number:
                if not number.lstrip(" (").startswith("+"):  # it would be the name of a queue
                    raise ContactError(f"{number} is no telephone number; write + and 7 to 15 digits, as in +15550100")
                await centre.reroute(handoff, number, by=login)
            case Reroute(handoff=handoff, queue=queue):
                await centre.reroute(handoff, queue, by=login)
        await self._note(account, order, address)

    async def _decide(self, desk: Desk, order: Decide) -> None:
        login, title = desk.account.login, order.approval
        work = desk.work_on(order.conversation)
        if work is not None:
            proposals = (*work.bundle.only_you, *work.bundle.next_best)
            if all(one.approval_id != order.approval for one in proposals):
                raise ContactError("this proposal is not one of this conversation's")
            title = next(one.title for one in proposals if one.approval_id == order.approval)
        if order.type == "decline":
            await self._approvals.decline(order.approval, login)
            desk.decided(order.conversation, order.approval, "declined", f"Declined: {title}")
            return
        # Whatever becomes of the page, what was approved comes to its end and is told.
        decided = await asyncio.shield(asyncio.ensure_future(self._approvals.approve(order.approval, login)))
        verdict = decided.standing.value
        if verdict == "done":
            desk.decided(order.conversation, order.approval, verdict, f"Done: {title}")
        else:
            why = decided.error.partition(": ")[2] or decided.error or "its outcome is not known yet; try again"
            desk.decided(order.conversation, order.approval, verdict, f"Not done: {title} ({why})")

    async def _note(self, account: Account, order: Order, address: str) -> None:
        rows = order.model_dump(exclude={"id", "type", "note", "text"})
        about = str(rows.pop("conversation", "") or rows.pop("handoff", "") or rows.pop("login", ""))
        detail = ", ".join(f"{name}: {value}" for name, value in rows.items() if value not in ("", None))
        what = str(getattr(order, "type", "")).replace("_", " ")
        await asyncio.to_thread(self._book.note, account.login, what, about, detail, address)
