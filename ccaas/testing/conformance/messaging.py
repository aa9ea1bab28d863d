"""What every `TextChannel` must do. Subclass `ChannelConformance` and give it a fixture `correspondence`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import pytest

from ccaas.errors import MessageFailed
from ccaas.ports.messaging import Delivery, InboundMessage, OutboundMessage, TextChannel
from ccaas.testing.fakes.messaging import FakeInbox

HARD_TEXTS = (
    "Grüße aus Zürich, 你好, مرحبا, e\u0301, 👩\u200d👩\u200d👧 and 🛫",
    "<b>1 < 2 & \"x\"</b> 'y' \\n %s {z} $(w) `v`",
    "one\ntwo\n\nthree",
)
"""What is data wherever it stands: other scripts, joined characters, markup, lines."""


class Correspondence(Protocol):
    """A channel that is started, with both its ends in hand."""

    @property
    def channel(self) -> TextChannel: ...

    @property
    def inbox(self) -> FakeInbox:
        """What the channel was started with."""
        ...

    @property
    def sender(self) -> str:
        """Ours, from which messages are sent."""
        ...

    async def write(self, text: str) -> None:
        """The far side writes to us."""
        ...

    async def again(self) -> None:
        """What it wrote last reaches the channel a second time, as after a lost answer."""
        ...

    def got(self) -> Sequence[str]:
        """Texts that the far side has got, in order."""
        ...

    async def break_down(self, *, for_good: bool) -> None:
        """From now on messages cannot be handed over: for good (there is no such address), or until later."""
        ...


async def until(true: Callable[[], object], what: str, limit_s: float = 10.0) -> None:
    """Wait for a condition. Raises AssertionError when it does not come."""
    try:
        async with asyncio.timeout(limit_s):
            while not true():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {limit_s} s: {what}") from None


class ChannelConformance:
    """The suite."""

    async def arrived(self, correspondence: Correspondence, text: str) -> InboundMessage:
        """What the inbox got when the far side wrote this."""
        before = len(correspondence.inbox.messages)
        await correspondence.write(text)
        await until(lambda: len(correspondence.inbox.messages) > before, f"{text!r} arrives")
        return correspondence.inbox.messages[-1]

    async def answer(self, correspondence: Correspondence, text: str, message_id: str = "out-1") -> OutboundMessage:
        """A message of ours to who wrote last."""
        asked = correspondence.inbox.messages[-1]
        return OutboundMessage(
            message_id, asked.address, correspondence.sender, text, asked.id, asked.subject, asked.data
        )

    async def test_it_says_what_it_is(self, correspondence: Correspondence) -> None:
        assert correspondence.channel.capabilities.channel in ("chat", "sms", "email")
        longest = correspondence.channel.capabilities.longest
        assert longest is None or longest >= 1

    async def test_what_is_written_arrives(self, correspondence: Correspondence) -> None:
        message = await self.arrived(correspondence, "I need another flight.")
        assert message.text == "I need another flight."
        assert message.id
        assert message.address
        assert message.to

    async def test_two_messages_are_two(self, correspondence: Correspondence) -> None:
        first = await self.arrived(correspondence, "yes")
        second = await self.arrived(correspondence, "yes")
        assert first.id != second.id
        assert first.address == second.address
        assert first.identity == second.identity

    async def test_a_message_that_comes_again_has_its_id(self, correspondence: Correspondence) -> None:
        await self.arrived(correspondence, "Book it.")
        await correspondence.again()
        await self.arrived(correspondence, "Are you there?")
        assert [message.text for message in correspondence.inbox.messages] == ["Book it.", "Are you there?"]

    @pytest.mark.parametrize("text", HARD_TEXTS)
    async def test_text_is_data_both_ways(self, correspondence: Correspondence, text: str) -> None:
        message = await self.arrived(correspondence, text)
        assert message.text.splitlines() == text.splitlines()
        await correspondence.channel.send(await self.answer(correspondence, text))
        await until(correspondence.got, "the answer arrives")
        assert correspondence.got()[-1].splitlines() == text.splitlines()

    async def test_an_answer_reaches_who_asked(self, correspondence: Correspondence) -> None:
        await self.arrived(correspondence, "Hello?")
        await correspondence.channel.send(await self.answer(correspondence, "How can I help?"))
        await until(correspondence.got, "the answer arrives")
        assert list(correspondence.got()) == ["How can I help?"]

    async def test_the_same_id_is_delivered_once(self, correspondence: Correspondence) -> None:
        await self.arrived(correspondence, "Hello?")
        for message_id, text in (("out-1", "One."), ("out-1", "One."), ("out-2", "Two.")):
            await correspondence.channel.send(await self.answer(correspondence, text, message_id))
        await until(lambda: "Two." in correspondence.got(), "both answers arrive")
        assert list(correspondence.got()) == ["One.", "Two."]

    async def test_the_longest_message_arrives_whole(self, correspondence: Correspondence) -> None:
        await self.arrived(correspondence, "Tell me all.")
        longest = correspondence.channel.capabilities.longest or 5_000
        text = ("All of it. " * longest)[: longest - 1] + "!"
        await correspondence.channel.send(await self.answer(correspondence, text))
        await until(correspondence.got, "the answer arrives")
        assert "".join(correspondence.got()).split() == text.split()

    @pytest.mark.parametrize("for_good", [True, False])
    async def test_what_cannot_be_handed_over_fails(self, correspondence: Correspondence, for_good: bool) -> None:
        await self.arrived(correspondence, "Hello?")
        await correspondence.break_down(for_good=for_good)
        with pytest.raises(MessageFailed) as failed:
            await correspondence.channel.send(await self.answer(correspondence, "How can I help?"))
        assert failed.value.again is not for_good
        assert "\n" not in str(failed.value)

    async def test_a_receipt_names_the_message(self, correspondence: Correspondence) -> None:
        if not correspondence.channel.capabilities.receipts:
            return
        await self.arrived(correspondence, "Hello?")
        await correspondence.channel.send(await self.answer(correspondence, "How can I help?", "out-7"))
        receipts = correspondence.inbox.receipts
        await until(lambda: any(r.delivery is Delivery.DELIVERED for r in receipts), "a receipt arrives")
        assert {receipt.message_id for receipt in receipts} == {"out-7"}

    async def test_it_may_be_shown_that_the_agent_writes(self, correspondence: Correspondence) -> None:
        message = await self.arrived(correspondence, "Hello?")
        await correspondence.channel.typing(message.address, True)
        await correspondence.channel.typing(message.address, False)
        await correspondence.channel.typing("nobody knows them", True)

    async def test_words_that_nobody_keeps_are_given_up_and_the_message_stays_known(
        self, correspondence: Correspondence
    ) -> None:
        message = await self.arrived(correspondence, "I was born on the 9th of July.")
        await correspondence.channel.conceal(message.address, message.id)
        await correspondence.channel.conceal(message.address, message.id)
        await correspondence.channel.conceal("nobody knows them", "nor that")
        await correspondence.again()
        await correspondence.channel.send(await self.answer(correspondence, "Thank you."))
        await until(correspondence.got, "the answer arrives")
        assert len({one.id for one in correspondence.inbox.messages}) == 1

    async def test_after_the_end_nothing_is_taken(self, correspondence: Correspondence) -> None:
        await self.arrived(correspondence, "Hello?")
        message = await self.answer(correspondence, "Too late.")
        await correspondence.channel.close()
        await correspondence.channel.close()
        with pytest.raises(MessageFailed):
            await correspondence.channel.send(message)
        assert "Too late." not in correspondence.got()
