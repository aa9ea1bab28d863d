"""Queues and agents without calls, for desktops and boards: what they are asked is noted, and tests say what happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ccaas.errors import ContactError
from ccaas.ports.contact import (
    AgentState,
    AgentView,
    Board,
    BoardChanged,
    Bundle,
    CallChanged,
    CallView,
    Desktop,
    Line,
    News,
    QueueView,
    Recap,
    Said,
    Sent,
    Supervision,
    WaitingView,
)
from ccaas.ports.journey import Assurance, Customer

ACKNOWLEDGE_S = 2.0


def bundle_of(name: str = "Mia Silva", **fields: object) -> Bundle:
    """A small bundle."""
    first, _, last = name.partition(" ")
    whole = Bundle(
        handoff_id="h1",
        conversation_id="c1",
        channel="voice",
        queue="senior",
        why="upset",
        customer=Customer("mia", first, last, "gold"),
        assurance=Assurance.CLAIMED,
        context=None,
        recap=Recap("Wants to change a flight.", "The agent looked for seats.", "No seat was booked."),
        transcript=(
            Line(time.time() - 9, "customer", "This is ridiculous.", "t1", 0.8, {"words": 0.8, "prosody": 0.7}),
        ),
    )
    return replace(whole, **fields)  # type: ignore[arg-type]


@dataclass
class Asked:
    """One thing that was asked for."""

    what: str
    about: str
    detail: str
    by: str


@dataclass
class FakeContactCentre:
    """`ContactCentre`. Known agents are those of `agents`."""

    agents: dict[str, AgentView] = field(default_factory=dict)
    queues: tuple[QueueView, ...] = ()
    calls: tuple[CallView, ...] = ()
    asked: list[Asked] = field(default_factory=list)
    refuses: str = ""
    """Why everything that is asked for cannot be done; empty: it can."""
    desktops: dict[str, Desktop] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tells: list[Callable[[News], None]] = []
        self._offered: dict[str, tuple[str, Bundle]] = {}
        """Written conversations, by id: whose, and what they were shown."""
        self.bundles: dict[str, Bundle] = {}

    @classmethod
    def of(cls, *logins: str) -> FakeContactCentre:
        """With these agents and two queues, one of which has somebody waiting."""
        waiting = WaitingView("h9", "c9", "senior", 1, time.time() - 30, 12.5, "Noah Muller")
        queues = (
            QueueView("everybody", True, (), 0, None, 0, 0, 0, None),
            QueueView("senior", True, (waiting,), 0, 40.0, 9, 1, 8, 8 / 9),
        )
        views = {one: AgentView(one, one.capitalize(), AgentState.OFFLINE, time.time()) for one in logins}
        return cls(views, queues)

    # — what tests say —

    async def hand_over(self, login: str, bundle: Bundle, *, ring: bool = True) -> bool:
        """Offer a bundle; True when the desktop acknowledged it in time. Then it rings there."""
        desktop = self.desktops.get(login)
        if desktop is None:
            return False
        self._set(login, AgentState.RINGING, conversation_id=bundle.conversation_id)
        self.bundles[bundle.conversation_id] = bundle
        shown = False
        with suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGE_S):
                shown = await desktop.offer(bundle)
        if not shown:
            self._set(login, AgentState.AWAY, "no answer")
        elif ring:
            self.call(bundle.conversation_id, "ringing")
        return shown

    def say(self, conversation_id: str, line: Line) -> None:
        """Something was said."""
        self.tell(Said(conversation_id, line))

    def call(self, conversation_id: str, state: str, detail: str = "", wrap_up_s: float = 60) -> None:
        """Something became of a call."""
        having = [login for login, view in self.agents.items() if view.conversation_id == conversation_id]
        if state not in {"ringing", "ended"}:
            for login in having:
                self._set(login, AgentState.ON_CALL, conversation_id=conversation_id)
        self.tell(CallChanged(conversation_id, state, detail))
        if state == "ended":
            for login in having:
                self._set(login, AgentState.WRAP_UP, conversation_id=conversation_id, until=time.time() + wrap_up_s)

    def tell(self, news: News) -> None:
        """Tell everybody who wants to know."""
        for tell in tuple(self._tells):
            tell(news)

    # — the port —

    def board(self) -> Board:
        return Board(time.time(), tuple(self.agents.values()), self.queues, self.calls)

    def subscribe(self, tell: Callable[[News], None]) -> Callable[[], None]:
        self._tells.append(tell)
        return lambda: self._tells.remove(tell)

    async def sign_in(self, login: str, desktop: Desktop) -> None:
        self._known(login)
        self.desktops[login] = desktop
        if self.agents[login].state is AgentState.OFFLINE:
            self._set(login, AgentState.AWAY, "signed in")

    async def sign_out(self, login: str, desktop: Desktop) -> None:
        self._known(login)
        if self.desktops.get(login) is desktop:
            del self.desktops[login]
            self._note("sign out", login, "", login)
            self._set(login, AgentState.OFFLINE)

    async def set_state(self, login: str, state: AgentState, reason: str = "", *, by: str) -> None:
        self._known(login)
        if state not in {AgentState.AVAILABLE, AgentState.AWAY, AgentState.OFFLINE}:
            raise ContactError(f"nobody can be set {state.value}")
        if state is not AgentState.OFFLINE and login not in self.desktops:
            raise ContactError(f"{login}'s desktop is not there")
        self._ask("set state", login, f"{state.value} {reason}".strip(), by)
        self._set(login, state, reason)

    async def wrap_up(self, login: str, conversation_id: str, disposition: str, note: str) -> None:
        if conversation_id in self._offered:
            self._having(conversation_id, login)
            self._ask("wrap up", conversation_id, f"{disposition}: {note}", login)
            self._take_text(conversation_id, "you have finished with it")
            return
        self._on(conversation_id)
        self._ask("wrap up", conversation_id, f"{disposition}: {note}", login)
        self._set(login, AgentState.AVAILABLE)

    async def transfer(self, conversation_id: str, to: str, *, by: str) -> None:
        if conversation_id in self._offered:
            self._having(conversation_id, by)
            self._ask("transfer", conversation_id, to, by)
            self._take_text(conversation_id, "you have passed it on")
            return
        self._on(conversation_id)
        self._ask("transfer", conversation_id, to, by)
        self.call(conversation_id, "ended", f"passed on to {to}")

    async def accept(self, conversation_id: str, *, by: str) -> None:
        view = self._written(conversation_id)
        if conversation_id in view.texts:
            raise ContactError(f"{view.name} has taken it already")
        self._ask("accept", conversation_id, "", by)
        self.agents[by] = replace(self.agents[by], texts=(*self.agents[by].texts, conversation_id))
        self.tell(BoardChanged(self.board()))
        self.tell(CallChanged(conversation_id, "talking"))

    async def refuse(self, conversation_id: str, *, by: str) -> None:
        self._written(conversation_id)
        self._ask("refuse", conversation_id, "", by)
        self._take_text(conversation_id, "refused")
        self._set(by, AgentState.AWAY, "did not want what somebody wrote")

    async def write(self, conversation_id: str, text: str, *, by: str) -> None:
        self._having(conversation_id, by)
        if not text.strip():
            raise ContactError("there is nothing in it; write something")
        self._ask("write", conversation_id, text, by)
        name = f"m{len(self.asked)}"
        self.say(conversation_id, Line(time.time(), by, text, name))
        self.tell(Sent(conversation_id, name, "waiting"))
        self.tell(Sent(conversation_id, name, "sent"))

    async def write_again(self, conversation_id: str, message_id: str, *, by: str) -> None:
        self._having(conversation_id, by)
        self._ask("again", conversation_id, message_id, by)
        self.tell(Sent(conversation_id, message_id, "again"))

    def typing(self, conversation_id: str, on: bool, *, by: str) -> None:
        self._note("typing", conversation_id, str(on), by)

    async def offer_text(self, login: str, bundle: Bundle) -> bool:
        """Offer what somebody wrote; True when the desktop acknowledged it in time."""
        desktop = self.desktops[login]
        self._offered[bundle.conversation_id] = (login, bundle)
        self.bundles[bundle.conversation_id] = bundle
        async with asyncio.timeout(ACKNOWLEDGE_S):
            return await desktop.offer(bundle)

    def _written(self, conversation_id: str) -> AgentView:
        if conversation_id not in self._offered:
            raise ContactError("that conversation is over, or is none that is written")
        return self.agents[self._offered[conversation_id][0]]

    def _having(self, conversation_id: str, by: str) -> None:
        if self._offered.get(conversation_id, ("",))[0] != by or conversation_id not in self.agents[by].texts:
            raise ContactError("this conversation is not yours any more")

    def _take_text(self, conversation_id: str, why: str) -> None:
        login, bundle = self._offered.pop(conversation_id)
        left = tuple(one for one in self.agents[login].texts if one != conversation_id)
        self.agents[login] = replace(self.agents[login], texts=left)
        self.desktops[login].withdraw(bundle.handoff_id, why)
        self.tell(BoardChanged(self.board()))

    async def consult(self, conversation_id: str, to: str, *, by: str) -> None:
        self._on(conversation_id)
        self._ask("consult", conversation_id, to, by)
        self.call(conversation_id, "consulting", to)

    async def join_consulted(self, conversation_id: str, *, leave: bool, by: str) -> None:
        self._on(conversation_id)
        self._ask("join", conversation_id, str(leave), by)
        self.call(conversation_id, "ended" if leave else "conference")

    async def drop_consulted(self, conversation_id: str, *, by: str) -> None:
        self._ask("drop", conversation_id, "", by)
        self.call(conversation_id, "talking")

    async def supervise(self, conversation_id: str, mode: Supervision | None, *, by: str) -> None:
        self._ask("supervise", conversation_id, mode.value if mode else "end", by)

    async def look(self, conversation_id: str, *, by: str) -> Bundle:
        if conversation_id not in self.bundles:
            raise ContactError("that conversation is over")
        self._ask("look", conversation_id, "", by)
        return self.bundles[conversation_id]

    async def reroute(self, handoff_id: str, queue: str, *, by: str) -> None:
        if all(one.handoff_id != handoff_id for each in self.queues for one in each.waiting):
            raise ContactError("they do not wait any more")
        self._ask("reroute", handoff_id, queue, by)

    async def reload(self) -> tuple[str, ...]:
        return ()

    def _known(self, login: str) -> None:
        if login not in self.agents:
            raise ContactError(f"there is no agent {login} in the YAML's `agents`")

    def _on(self, conversation_id: str) -> None:
        if all(one.conversation_id != conversation_id for one in self.agents.values()):
            raise ContactError("this conversation is over")

    def _ask(self, what: str, about: str, detail: str, by: str) -> None:
        if self.refuses:
            raise ContactError(self.refuses)
        self._note(what, about, detail, by)

    def _note(self, what: str, about: str, detail: str, by: str) -> None:
        self.asked.append(Asked(what, about, detail, by))

    def _set(
        self, login: str, state: AgentState, reason: str = "", conversation_id: str = "", until: float | None = None
    ) -> None:
        self._known(login)
        self.agents[login] = replace(
            self.agents[login],
            state=state,
            since=time.time(),
            reason=reason,
            conversation_id=conversation_id,
            until=until,
        )
        self.tell(BoardChanged(self.board()))
