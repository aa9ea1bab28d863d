"""What every `ContactCentre` does for desktops and boards, whatever calls are behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ccaas.errors import ContactError
from ccaas.ports.contact import AgentState, AgentView, BoardChanged, Bundle, CallChanged, ContactCentre, News, Said

_NEWS_S = 2.0


class SilentDesktop:
    """Shows nothing, and notes what it is told."""

    def __init__(self) -> None:
        self.withdrawn: list[str] = []

    async def offer(self, bundle: Bundle) -> bool:
        await asyncio.get_running_loop().create_future()
        return False

    def withdraw(self, handoff_id: str, why: str) -> None:
        self.withdrawn.append(handoff_id)

    def tell(self, news: News) -> None:
        pass


class ShowingDesktop(SilentDesktop):
    """Shows what it is offered."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[Bundle] = []
        self.news: list[News] = []

    async def offer(self, bundle: Bundle) -> bool:
        self.offered.append(bundle)
        return True

    def tell(self, news: News) -> None:
        self.news.append(news)


class ContactConformance:
    """Subclasses give a `centre` with the agents ann and sue, both with desktops, and at least one queue, and have somebody
    write (`somebody_writes`)."""

    @pytest.fixture
    def centre(self) -> ContactCentre:
        raise NotImplementedError

    async def somebody_writes(self, centre: ContactCentre, login: str) -> None:
        """A chat wants a person; this agent is the only one who is available."""
        raise NotImplementedError

    @staticmethod
    def _view(centre: ContactCentre, login: str) -> AgentView:
        return next(one for one in centre.board().agents if one.login == login)

    async def test_who_signs_in_is_away_until_they_say_otherwise(self, centre: ContactCentre) -> None:
        assert self._view(centre, "ann").state is AgentState.OFFLINE
        await centre.sign_in("ann", SilentDesktop())
        assert self._view(centre, "ann").state is AgentState.AWAY
        await centre.set_state("ann", AgentState.AVAILABLE, by="ann")
        assert self._view(centre, "ann").state is AgentState.AVAILABLE
        await centre.set_state("ann", AgentState.AWAY, "lunch", by="ann")
        view = self._view(centre, "ann")
        assert (view.state, view.reason) == (AgentState.AWAY, "lunch")

    async def test_a_second_desktop_takes_the_first_ones_place(self, centre: ContactCentre) -> None:
        first, second = SilentDesktop(), SilentDesktop()
        await centre.sign_in("ann", first)
        await centre.set_state("ann", AgentState.AVAILABLE, by="ann")
        await centre.sign_in("ann", second)
        await centre.sign_out("ann", first)
        assert self._view(centre, "ann").state is AgentState.AVAILABLE
        await centre.sign_out("ann", second)
        assert self._view(centre, "ann").state is AgentState.OFFLINE

    async def test_nobody_is_available_without_a_desktop(self, centre: ContactCentre) -> None:
        with pytest.raises(ContactError):
            await centre.set_state("ann", AgentState.AVAILABLE, by="sue")

    async def test_only_three_states_can_be_set(self, centre: ContactCentre) -> None:
        await centre.sign_in("ann", SilentDesktop())
        for state in (AgentState.RINGING, AgentState.ON_CALL, AgentState.WRAP_UP):
            with pytest.raises(ContactError):
                await centre.set_state("ann", state, by="ann")

    async def test_who_is_not_there_cannot_be_asked_for(self, centre: ContactCentre) -> None:
        with pytest.raises(ContactError, match="nobody"):
            await centre.sign_in("nobody", SilentDesktop())
        with pytest.raises(ContactError, match="nobody"):
            await centre.set_state("nobody", AgentState.AWAY, by="ann")

    async def test_a_conversation_that_is_over_cannot_be_changed(self, centre: ContactCentre) -> None:
        await centre.sign_in("ann", SilentDesktop())
        queue = centre.board().queues[0].name
        with pytest.raises(ContactError):
            await centre.transfer("over", queue, by="ann")
        with pytest.raises(ContactError):
            await centre.consult("over", "sue", by="ann")
        with pytest.raises(ContactError):
            await centre.join_consulted("over", leave=True, by="ann")
        with pytest.raises(ContactError):
            await centre.wrap_up("ann", "over", "solved", "")
        with pytest.raises(ContactError):
            await centre.reroute("over", queue, by="ann")
        with pytest.raises(ContactError, match="over"):
            await centre.look("over", by="ann")

    async def test_what_is_written_is_offered_taken_answered_and_finished(self, centre: ContactCentre) -> None:
        desktop, other = ShowingDesktop(), ShowingDesktop()
        await centre.sign_in("ann", desktop)
        await centre.set_state("ann", AgentState.AVAILABLE, by="ann")
        await centre.sign_in("sue", other)
        news: list[News] = []
        centre.subscribe(news.append)
        await self.somebody_writes(centre, "ann")
        await self._until(lambda: desktop.offered)
        bundle = desktop.offered[0]
        name = bundle.conversation_id
        assert bundle.written and other.offered == []
        assert (await centre.look(bundle.conversation_id, by="boss")).conversation_id == bundle.conversation_id
        assert self._view(centre, "ann").state is AgentState.AVAILABLE, "it does not ring"
        with pytest.raises(ContactError):
            await centre.write(name, "Not yet mine.", by="ann")
        await centre.accept(name, by="ann")
        assert self._view(centre, "ann").texts == (name,)
        assert CallChanged(name, "talking") in news
        with pytest.raises(ContactError, match="Ann has taken it already"):
            await centre.accept(name, by="sue")
        with pytest.raises(ContactError, match="not yours"):
            await centre.write(name, "Mine!", by="sue")
        with pytest.raises(ContactError, match="nothing in it"):
            await centre.write(name, "  ", by="ann")
        await centre.write(name, "Good morning.", by="ann")
        await self._until(lambda: any(isinstance(one, Said) and one.line.text == "Good morning." for one in news))
        await centre.wrap_up("ann", name, "solved", "")
        assert self._view(centre, "ann").texts == ()
        assert desktop.withdrawn == [bundle.handoff_id]
        with pytest.raises(ContactError):
            await centre.write(name, "Once more.", by="ann")

    async def test_who_refuses_what_is_written_is_away(self, centre: ContactCentre) -> None:
        desktop = ShowingDesktop()
        await centre.sign_in("ann", desktop)
        await centre.set_state("ann", AgentState.AVAILABLE, by="ann")
        await self.somebody_writes(centre, "ann")
        await self._until(lambda: desktop.offered)
        await centre.refuse(desktop.offered[0].conversation_id, by="ann")
        assert self._view(centre, "ann").state is AgentState.AWAY
        assert desktop.withdrawn == [desktop.offered[0].handoff_id]

    @staticmethod
    async def _until(true: Callable[[], object]) -> None:
        async with asyncio.timeout(_NEWS_S):
            while not true():
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # until who has shown it is believed

    async def test_what_nobody_wrote_can_be_neither_taken_nor_answered(self, centre: ContactCentre) -> None:
        await centre.sign_in("ann", SilentDesktop())
        with pytest.raises(ContactError, match="over"):
            await centre.accept("over", by="ann")
        with pytest.raises(ContactError, match="over"):
            await centre.refuse("over", by="ann")
        with pytest.raises(ContactError):
            await centre.write("over", "Hello.", by="ann")
        with pytest.raises(ContactError):
            await centre.write_again("over", "m1", by="ann")
        centre.typing("over", True, by="ann")

    async def test_news_come_until_they_are_no_longer_wanted(self, centre: ContactCentre) -> None:
        news: list[News] = []
        came = asyncio.Event()

        def tell(one: News) -> None:
            news.append(one)
            came.set()

        end = centre.subscribe(tell)
        await centre.sign_in("ann", SilentDesktop())
        async with asyncio.timeout(_NEWS_S):
            await came.wait()
        board = next(one.board for one in news if isinstance(one, BoardChanged))
        assert next(one for one in board.agents if one.login == "ann").state is AgentState.AWAY
        end()
        news.clear()
        await centre.sign_in("sue", SilentDesktop())
        await asyncio.sleep(0.3)
        assert news == []
