"""What every `ContactCentre` does for desktops and boards, whatever calls are behind it."""

from __future__ import annotations

import asyncio

import pytest

from ccaas.errors import ContactError
from ccaas.ports.contact import AgentState, AgentView, BoardChanged, Bundle, ContactCentre, News

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


class ContactConformance:
    """Subclasses give a `centre` with the agents ann and sue, both with desktops, and at least one queue."""

    @pytest.fixture
    def centre(self) -> ContactCentre:
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
