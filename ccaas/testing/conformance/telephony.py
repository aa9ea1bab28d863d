"""What every `Switch` must do, and every `MediaStream` that it opens.

Subclass `SwitchConformance` and give it a fixture `network`. Calls are made and taken by far parties, so that both
ends of every call are seen.

It is long because every promise of the port is one test here, for every switch.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import Protocol

import pytest

from ccaas.asterisk.errors import AriError, LegGone
from ccaas.media.codec import coder, silence
from ccaas.ports.media import Codec, MediaStream
from ccaas.ports.telephony import Connected, Into, Switch
from ccaas.telephony.events import Answered, Ended, EndReason, Joined, KeyPressed, Left, Offered, Ringing, Unjoined
from ccaas.testing.watch import Watch, until

_calls = itertools.count(1)


class FarParty(Protocol):
    """The other end of one leg."""

    async def press(self, digits: str) -> None: ...

    async def hang_up(self) -> None: ...

    def keys(self) -> str:
        """Keys that it was sent."""
        ...


class Network(Protocol):
    """What the suite needs beside the switch. The endpoints are called with `Switch.originate`."""

    @property
    def switch(self) -> Switch: ...

    @property
    def party(self) -> str:
        """Answers, and is commanded through `far_of`."""
        ...

    @property
    def busy(self) -> str: ...

    @property
    def unanswered(self) -> str:
        """Rings for ever."""
        ...

    @property
    def unreachable(self) -> str:
        """May be refused at once, with AriError."""
        ...

    @property
    def dialplan(self) -> tuple[str, str]:
        """Context and extension that keep a leg which is given back."""
        ...

    def echo(self, codec: Codec) -> str:
        """An endpoint that answers, and says all that it hears."""
        ...

    async def call_in(self, dnis: str, ani: str) -> FarParty:
        """Call the application; `Offered` follows."""
        ...

    async def far_of(self, leg_id: str) -> FarParty:
        """The party that was reached last by the endpoint `party`."""
        ...


def frames(count: int, seed: int = 1) -> list[bytes]:
    """Coded frames of 20 ms that differ from one another."""
    source = random.Random(seed)
    return [source.randbytes(160) for _ in range(count)]


def _loud(heard: list[bytes]) -> list[bytes]:
    """The frames (µ-law) that are not silence."""
    decode = coder(Codec.ULAW).decode
    return [frame for frame in heard if abs(decode(frame).astype(int)).mean() > 500]


class SwitchConformance:
    """The suite."""

    async def test_says_that_it_is_connected_before_all_else(self, watch: Watch) -> None:
        await watch.next(Connected)
        assert isinstance(watch.seen[0], Connected)

    async def test_offers_an_inbound_call_and_answers_it(self, network: Network, watch: Watch) -> None:
        await network.call_in("1000", "+16175550142")
        offered = await watch.next(Offered)
        assert (offered.dnis, offered.ani, offered.codec) == ("1000", "+16175550142", Codec.ULAW)
        await network.switch.ring(offered.leg_id)
        await network.switch.answer(offered.leg_id)
        assert (await watch.next(Answered)).leg_id == offered.leg_id
        assert watch.of(Answered)[0].codec is Codec.ULAW

    async def test_tells_keys_in_order(self, network: Network, watch: Watch) -> None:
        far, leg_id = await self._answered(network, watch)
        await far.press("1*#9")
        await watch.next(KeyPressed, leg_id, count=4)
        assert "".join(key.digit for key in watch.of(KeyPressed, leg_id)) == "1*#9"

    async def test_sends_keys(self, network: Network, watch: Watch) -> None:
        leg_id = await self._originated(network, watch, network.party)
        far = await network.far_of(leg_id)
        await network.switch.send_keys(leg_id, "42#")
        await until(lambda: far.keys() == "42#", "the far party hears 42#")

    async def test_a_far_hang_up_ends_the_leg_once(self, network: Network, watch: Watch) -> None:
        far, leg_id = await self._answered(network, watch)
        await far.hang_up()
        ended = await watch.next(Ended, leg_id)
        assert ended.reason is EndReason.HUNG_UP
        await self._settle(network, watch)
        assert watch.ends(leg_id) == [ended]

    async def test_our_hang_up_ends_the_leg_once_with_our_reason(self, network: Network, watch: Watch) -> None:
        _, leg_id = await self._answered(network, watch)
        await network.switch.hang_up(leg_id, EndReason.DISMISSED, 16)
        await network.switch.hang_up(leg_id, EndReason.FAILED, 38)
        ended = await watch.next(Ended, leg_id)
        assert (ended.reason, ended.cause) == (EndReason.DISMISSED, 16)
        await network.switch.hang_up(leg_id, EndReason.DISMISSED, 16)
        await self._settle(network, watch)
        assert watch.ends(leg_id) == [ended]

    async def test_refuses_an_offer_with_a_cause(self, network: Network, watch: Watch) -> None:
        await network.call_in("1000", "100")
        offered = await watch.next(Offered)
        await network.switch.hang_up(offered.leg_id, EndReason.REJECTED, 21)
        ended = await watch.next(Ended, offered.leg_id)
        assert (ended.reason, ended.cause) == (EndReason.REJECTED, 21)

    async def test_commands_to_a_leg_that_is_gone_say_so(self, network: Network, watch: Watch) -> None:
        _, leg_id = await self._answered(network, watch)
        await network.switch.hang_up(leg_id, EndReason.DISMISSED, 16)
        await watch.next(Ended, leg_id)
        await network.switch.bridge("ccaas-gone")
        with pytest.raises(LegGone):
            await network.switch.hold(leg_id)
        with pytest.raises(LegGone):
            await network.switch.join("ccaas-gone", leg_id)
        await network.switch.destroy_bridge("ccaas-gone")

    async def test_originates(self, network: Network, watch: Watch) -> None:
        leg_id = await self._originated(network, watch, network.echo(Codec.ALAW), Codec.ALAW)
        assert watch.of(Answered, leg_id)[0].codec is Codec.ALAW

    async def test_an_originated_leg_may_be_busy(self, network: Network, watch: Watch) -> None:
        leg_id = await self._originate(network, network.busy)
        ended = await watch.next(Ended, leg_id)
        assert (ended.reason, ended.cause) == (EndReason.BUSY, 17)

    async def test_an_originated_leg_may_not_answer(self, network: Network, watch: Watch) -> None:
        leg_id = await self._originate(network, network.unanswered, timeout_s=1)
        ended = await watch.next(Ended, leg_id)
        assert ended.reason is EndReason.NO_ANSWER
        assert len(watch.of(Ringing, leg_id)) == 1
        assert not watch.of(Answered, leg_id)

    async def test_a_ringing_leg_can_be_given_up(self, network: Network, watch: Watch) -> None:
        leg_id = await self._originate(network, network.unanswered, timeout_s=30)
        await watch.next(Ringing, leg_id)
        await network.switch.hang_up(leg_id, EndReason.DISMISSED, 16)
        assert (await watch.next(Ended, leg_id)).reason is EndReason.DISMISSED

    async def test_an_endpoint_that_is_not_there(self, network: Network, watch: Watch) -> None:
        try:
            leg_id = await self._originate(network, network.unreachable)
        except AriError:
            return
        assert (await watch.next(Ended, leg_id)).reason is EndReason.UNREACHABLE

    @pytest.mark.parametrize("codec", list(Codec))
    async def test_carries_audio_both_ways_unchanged(self, network: Network, watch: Watch, codec: Codec) -> None:
        _, stream, heard, _ = await self._talking(network, watch, codec)
        assert stream.codec is codec
        sent = frames(25)
        assert stream.send(b"".join(sent[:10]))
        for frame in sent[10:]:
            assert stream.send(frame)
        await until(lambda: sent[-1] in heard, "the echo of the last frame")
        first = heard.index(sent[0])
        assert heard[first : first + 25] == sent

    async def test_a_flush_takes_effect_within_two_frames(self, network: Network, watch: Watch) -> None:
        _, stream, heard, _ = await self._talking(network, watch, Codec.ULAW)
        sent = frames(100)
        stream.send(b"".join(sent))
        await until(lambda: sent[4] in heard, "the echo begins")
        played = len([frame for frame in heard if frame in sent])
        stream.flush()
        after = frames(5, seed=2)
        stream.send(b"".join(after))
        await until(lambda: after[-1] in heard, "what was sent after the flush")
        # Beside what was played while the flush travelled: what was on its way through the echo and back.
        assert len([frame for frame in heard if frame in sent]) <= played + 2 + 3
        assert heard[heard.index(after[0]) :][:5] == after

    async def test_takes_whole_frames_only(self, network: Network, watch: Watch) -> None:
        _, stream, _, _ = await self._talking(network, watch, Codec.ULAW)
        with pytest.raises(ValueError, match="whole frames"):
            stream.send(b"x" * 161)

    async def test_refuses_audio_when_the_far_end_is_full(self, network: Network, watch: Watch) -> None:
        _, stream, heard, _ = await self._talking(network, watch, Codec.ULAW)
        block = b"".join(frames(50))
        for _ in range(20):
            stream.send(block)
        await until(lambda: not stream.send(frames(1)[0]), "the stream is full")
        stream.flush()
        marked = frames(1, seed=3)[0]
        await until(lambda: stream.send(marked), "the stream takes audio again after a flush")
        await until(lambda: marked in heard, "it is played")

    async def test_closing_the_stream_ends_the_media_leg(self, network: Network, watch: Watch) -> None:
        _, stream, _, lost = await self._talking(network, watch, Codec.ULAW)
        (media_id,) = (leg.leg_id for leg in await network.switch.legs() if leg.leg_id.endswith("-media"))
        await stream.close()
        await stream.close()
        await watch.next(Ended, media_id)
        assert not stream.send(frames(1)[0])
        await self._settle(network, watch)
        assert (len(watch.ends(media_id)), lost) == (1, [])

    async def test_tells_once_that_a_stream_is_lost(self, network: Network, watch: Watch) -> None:
        leg_id, _, _, lost = await self._talking(network, watch, Codec.ULAW)
        media_id = leg_id.removesuffix("-party") + "-media"
        await network.switch.hang_up(media_id, EndReason.FAILED, 38)
        await watch.next(Ended, media_id)
        await until(lambda: lost == [True], "the loss is told")
        await self._settle(network, watch)
        assert lost == [True]

    async def test_a_leg_on_hold_does_not_hear_us(self, network: Network, watch: Watch) -> None:
        leg_id, stream, heard, _ = await self._talking(network, watch, Codec.ULAW)
        await network.switch.hold(leg_id)
        await self._settle(network, watch)
        sent = frames(100)
        stream.send(b"".join(sent))
        # Nothing tells when the first frame was played to nobody; three frames' time is enough.
        await asyncio.sleep(0.06)
        await network.switch.unhold(leg_id)
        await until(lambda: sent[-1] in heard, "the leg hears us again")
        assert sent[0] not in heard

    async def test_joins_and_unjoins(self, network: Network, watch: Watch) -> None:
        _, leg_id = await self._answered(network, watch)
        bridge_id = f"ccaas-bridge-{next(_calls)}"
        await network.switch.bridge(bridge_id)
        await network.switch.bridge(bridge_id)
        assert bridge_id in await network.switch.bridges()
        await network.switch.join(bridge_id, leg_id)
        await watch.next(Joined, leg_id)
        (leg,) = await network.switch.legs()
        assert (leg.leg_id, leg.up, leg.bridge_id, leg.ours) == (leg_id, True, bridge_id, True)
        await network.switch.unjoin(bridge_id, leg_id)
        await watch.next(Unjoined, leg_id)
        await network.switch.unjoin(bridge_id, leg_id)
        await network.switch.destroy_bridge(bridge_id)
        await network.switch.destroy_bridge(bridge_id)
        assert bridge_id not in await network.switch.bridges()

    async def test_gives_a_leg_back_to_the_dialplan(self, network: Network, watch: Watch) -> None:
        far, leg_id = await self._answered(network, watch)
        await network.switch.return_to_dialplan(leg_id, *network.dialplan)
        left = await watch.next(Left, leg_id)
        async with asyncio.timeout(10):
            while any(leg.ours for leg in await network.switch.legs()):
                await asyncio.sleep(0.01)
        await far.hang_up()
        await self._settle(network, watch)
        assert watch.ends(leg_id) == [left]

    async def test_plays_a_prompt(self, network: Network, watch: Watch) -> None:
        _, leg_id = await self._answered(network, watch)
        await network.switch.play_prompt(leg_id, "vm-goodbye")

    @pytest.mark.parametrize(
        ("echoes", "into", "reached"),
        [
            (True, Into.NOBODY, False),
            (True, Into.ITSELF, True),
            (False, Into.ITSELF, False),
            (True, Into.BOTH, True),
        ],
    )
    async def test_a_snoop_hears_both_and_is_heard_by_whom_it_should(
        self, network: Network, watch: Watch, echoes: bool, into: Into, reached: bool
    ) -> None:
        """`reached`: the other side of the call hears what is said into the snoop; by echo what the leg alone hears."""
        endpoint = network.echo(Codec.ULAW) if echoes else network.party
        leg_id, stream, heard = await self._streamed(network, watch, await self._originated(network, watch, endpoint))
        snoop_id = f"{leg_id}-snoop"
        await network.switch.snoop(snoop_id, leg_id, into)
        assert snoop_id in {leg.leg_id for leg in await network.switch.legs()}
        _, ear, overheard = await self._streamed(network, watch, snoop_id)
        for frame in frames(50):
            ear.send(frame)
        if reached:
            for frame in [silence(Codec.ULAW)] * 60:
                stream.send(frame)
            await until(lambda: len(_loud(heard)) > 30, "the other side hears what is said into the snoop")
        # When these are heard, what was said into the snoop has been played too.
        for frame in [silence(Codec.ULAW)] * 60 + frames(50):
            stream.send(frame)
        before = len(_loud(heard))
        assert reached or before == 0
        await until(lambda: len(_loud(overheard)) > 10 or len(_loud(heard)) > 25 + before, "the snoop hears the call")
        assert len(_loud(heard)) < 25 + before

    @pytest.mark.parametrize("says", [True, False])
    async def test_a_snoop_of_one_side_hears_what_its_leg_says_alone(
        self, network: Network, watch: Watch, says: bool
    ) -> None:
        """By echo the leg says what it hears."""
        endpoint = network.echo(Codec.ULAW) if says else network.party
        leg_id, stream, _ = await self._streamed(network, watch, await self._originated(network, watch, endpoint))
        await network.switch.snoop(f"{leg_id}-snoop", leg_id, Into.NOBODY, both=False)
        await network.switch.snoop(f"{leg_id}-whole", leg_id, Into.NOBODY)
        _, _, side = await self._streamed(network, watch, f"{leg_id}-snoop")
        _, _, whole = await self._streamed(network, watch, f"{leg_id}-whole")
        for frame in [silence(Codec.ULAW)] * 20 + frames(50):
            stream.send(frame)
        await until(lambda: len(_loud(whole)) > 25, "the whole of it is heard")
        if says:
            await until(lambda: len(_loud(side)) > 25, "the side is heard")
        assert bool(_loud(side)) is says

    async def test_a_snoop_ends_with_its_leg(self, network: Network, watch: Watch) -> None:
        leg_id = await self._originated(network, watch, network.party)
        await network.switch.snoop(f"{leg_id}-snoop", leg_id, Into.NOBODY)
        with pytest.raises(AriError):
            await network.switch.snoop(f"{leg_id}-snoop", leg_id, Into.NOBODY)
        await network.switch.hang_up(leg_id, EndReason.DISMISSED, 16)
        await watch.next(Ended, f"{leg_id}-snoop")
        with pytest.raises(LegGone):
            await network.switch.snoop(f"{leg_id}-late", leg_id, Into.NOBODY)
        await self._settle(network, watch)
        assert len(watch.ends(f"{leg_id}-snoop")) == 1

    async def test_twenty_calls_leave_nothing_behind(self, network: Network, watch: Watch) -> None:
        for _ in range(20):
            leg_id, stream, _, _ = await self._talking(network, watch, Codec.ULAW)
            stem = leg_id.removesuffix("-party")
            await stream.close()
            await network.switch.hang_up(leg_id, EndReason.DISMISSED, 16)
            await network.switch.destroy_bridge(f"{stem}-bridge")
            await watch.next(Ended, leg_id)
            await watch.next(Ended, f"{stem}-media")
        async with asyncio.timeout(10):
            while await network.switch.legs() or await network.switch.bridges():
                await asyncio.sleep(0.01)

    async def _answered(self, network: Network, watch: Watch) -> tuple[FarParty, str]:
        far = await network.call_in("1000", "+16175550142")
        offered = await watch.next(Offered)
        await network.switch.answer(offered.leg_id)
        await watch.next(Answered, offered.leg_id)
        return far, offered.leg_id

    async def _originate(
        self, network: Network, endpoint: str, codec: Codec = Codec.ULAW, timeout_s: float = 10
    ) -> str:
        leg_id = f"ccaas-{next(_calls)}-party"
        await network.switch.originate(
            leg_id, endpoint, caller_id="+16175550100", timeout_s=timeout_s, codec=codec, variables={}
        )
        return leg_id

    async def _originated(self, network: Network, watch: Watch, endpoint: str, codec: Codec = Codec.ULAW) -> str:
        leg_id = await self._originate(network, endpoint, codec)
        await watch.next(Answered, leg_id)
        return leg_id

    async def _talking(
        self, network: Network, watch: Watch, codec: Codec
    ) -> tuple[str, MediaStream, list[bytes], list[bool]]:
        """A leg that echoes, joined with a stream: its id, the stream, the frames heard, and whether it was lost."""
        leg_id = await self._originated(network, watch, network.echo(codec), codec)
        stem = leg_id.removesuffix("-party")
        stream = await network.switch.open_media(stem, f"{stem}-media", codec)
        heard: list[bytes] = []
        lost: list[bool] = []
        stream.listen(heard.append, lambda: lost.append(True))
        await network.switch.bridge(f"{stem}-bridge")
        await network.switch.join(f"{stem}-bridge", leg_id, f"{stem}-media")
        await watch.next(Joined, leg_id)
        await watch.next(Joined, f"{stem}-media")
        return leg_id, stream, heard, lost

    async def _streamed(self, network: Network, watch: Watch, leg_id: str) -> tuple[str, MediaStream, list[bytes]]:
        """The leg, joined with a stream of ours in a bridge of their own; the stream and what it hears."""
        stream = await network.switch.open_media(leg_id, f"{leg_id}-media", Codec.ULAW)
        heard: list[bytes] = []
        stream.listen(heard.append, lambda: None)
        await network.switch.bridge(f"{leg_id}-bridge")
        await network.switch.join(f"{leg_id}-bridge", leg_id, f"{leg_id}-media")
        await watch.next(Joined, leg_id)
        return leg_id, stream, heard

    async def _settle(self, network: Network, watch: Watch) -> None:
        """Let everything that is on its way arrive: a whole call goes by."""
        leg_id = await self._originated(network, watch, network.echo(Codec.ULAW))
        await network.switch.hang_up(leg_id, EndReason.DISMISSED, 16)
        await watch.next(Ended, leg_id)
