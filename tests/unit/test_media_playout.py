"""Playout: paced, stoppable within a frame, and honest about what was played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccaas.media.codec import coder
from ccaas.media.playout import FRAME_S, LEAD_FRAMES, Playout, word_cut
from ccaas.media.tracks import Tracks
from ccaas.ports.media import Codec, Pcm

FRAME = 160


@dataclass
class FarEnd:
    """A media stream that plays one frame every 20 ms from the first one on, at a time that the test moves.

    What is sent and flushed in the same moment is not played."""

    codec: Codec = Codec.ULAW
    now: float = 100.0
    queue: list[bytes] = field(default_factory=list)
    played: list[tuple[float, bytes]] = field(default_factory=list)
    free_at: float = 0.0
    flushes: int = 0
    full: bool = False
    most: int = 0
    """Most frames that it ever held."""

    def send(self, coded: bytes) -> bool:
        assert len(coded) == 160, "one whole frame"
        if self.full:
            return False
        self.queue.append(coded)
        self.free_at = max(self.free_at, self.now) if len(self.queue) == 1 else self.free_at
        self.most = max(self.most, len(self.queue))
        return True

    def flush(self) -> None:
        self.queue.clear()
        self.flushes += 1

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self._play()

    def _play(self) -> None:
        while self.queue and self.free_at <= self.now + 1e-9:
            self.played.append((self.free_at, self.queue.pop(0)))
            self.free_at += FRAME_S

    def listen(self, on_frame: Callable[[bytes], None], on_lost: Callable[[], None]) -> None: ...

    async def close(self) -> None: ...

    def heard(self) -> Pcm:
        pcm = [coder(self.codec).decode(frame) for _, frame in self.played]
        return np.concatenate(pcm) if pcm else np.zeros(0, dtype=np.int16)


class Track:
    """What a recording would hold: samples by index, the later written the better."""

    def __init__(self) -> None:
        self.samples = np.zeros(8_000 * 120, dtype=np.int16)

    def _index(self, at: float) -> int:
        return round((at - 100.0) * 8_000)

    def agent(self, pcm: Pcm, at: float) -> None:
        self.samples[self._index(at) :][: len(pcm)] = pcm

    def agent_cut(self, at: float) -> None:
        self.samples[self._index(at) :] = 0


def codes(count: int, start: int = 0) -> Pcm:
    """Samples that µ-law keeps exactly, each unlike its neighbours."""
    values = np.unique(coder(Codec.ULAW).decode(bytes(range(256))))
    chosen: Pcm = values[(np.arange(start, start + count) * 7) % 127]
    return chosen


@pytest.fixture
def far() -> FarEnd:
    return FarEnd()


def open_playout(far: FarEnd, track: Track | None = None) -> Playout:
    playout = Playout(far, lambda: far.now, track)
    playout.begin()
    return playout


def run(playout: Playout, far: FarEnd, seconds: float) -> None:
    """Pump every 20 ms, as the mouth does."""
    for _ in range(round(seconds / FRAME_S)):
        playout.pump()
        far.wait(FRAME_S)
    playout.pump()


def test_a_long_reply_is_sent_in_step_with_its_playing(far: FarEnd) -> None:
    playout = open_playout(far)
    fed = codes(FRAME * 200)
    playout.play(fed)
    playout.finish()
    assert playout.pump()
    assert len(far.queue) + len(far.played) == LEAD_FRAMES
    run(playout, far, 5.0)
    assert playout.drained
    assert far.most <= LEAD_FRAMES
    assert np.array_equal(far.heard(), fed)
    assert playout.position() == pytest.approx(4.0)
    gaps = np.diff([at for at, _ in far.played])
    assert np.allclose(gaps, FRAME_S)


def test_the_first_frame_is_told_once(far: FarEnd) -> None:
    playout = open_playout(far)
    assert not playout.pump()
    playout.play(codes(FRAME - 1))
    assert not playout.pump(), "less than a frame waits for the rest"
    playout.play(codes(1))
    assert playout.pump()
    far.wait(FRAME_S / 2)
    playout.play(codes(FRAME))
    assert not playout.pump()


def test_a_frame_that_was_refused_is_not_told_as_sent(far: FarEnd) -> None:
    playout = open_playout(far)
    far.full = True
    playout.play(codes(FRAME * 3))
    assert not playout.pump()
    assert playout.refused_frames == 1
    far.full = False
    far.wait(FRAME_S)
    assert playout.pump()
    playout.finish()
    run(playout, far, 0.2)
    assert np.array_equal(far.heard(), codes(FRAME * 3))


def test_a_far_end_that_fills_up_in_the_middle_loses_nothing(far: FarEnd) -> None:
    playout = open_playout(far)
    fed = codes(FRAME * 30)
    playout.play(fed)
    playout.finish()
    run(playout, far, 0.1)
    far.full = True
    run(playout, far, 0.3)
    far.full = False
    run(playout, far, 1.0)
    assert np.array_equal(far.heard(), fed)
    assert playout.refused_frames > 0
    assert playout.drained


def test_the_last_short_frame_is_filled_with_silence(far: FarEnd) -> None:
    playout = open_playout(far)
    playout.play(codes(FRAME + 10))
    run(playout, far, 0.1)
    assert len(far.played) == 1
    assert not playout.drained
    playout.finish()
    run(playout, far, 0.1)
    assert np.array_equal(far.heard()[: FRAME + 10], codes(FRAME + 10))
    assert not far.heard()[FRAME + 10 :].any()
    assert playout.drained


def test_an_underrun_begins_a_new_run_and_keeps_the_position(far: FarEnd) -> None:
    playout = open_playout(far)
    playout.play(codes(FRAME * 2))
    run(playout, far, 0.1)
    assert (playout.active, playout.speaking) == (False, False)
    assert playout.position() == pytest.approx(0.04)
    playout.play(codes(FRAME * 2, FRAME * 2))
    assert playout.pump()
    run(playout, far, 0.1)
    assert playout.position() == pytest.approx(0.08)
    assert np.array_equal(far.heard(), codes(FRAME * 4))


def test_a_pause_falls_silent_within_a_frame_and_a_resume_goes_on_there(far: FarEnd) -> None:
    playout = open_playout(far)
    fed = codes(FRAME * 20)
    playout.play(fed)
    playout.finish()
    run(playout, far, 0.1)
    far.wait(0.011)
    position = playout.pause()
    assert position == pytest.approx(0.12), "the frame being played counts as heard"
    run(playout, far, 0.5)
    assert len(far.played) == 6
    assert (playout.paused, playout.active, playout.drained, playout.position()) == (True, False, False, position)
    assert playout.waiting_s == pytest.approx(0.4 - 0.12)
    playout.resume()
    run(playout, far, 0.5)
    assert np.array_equal(far.heard(), fed)
    assert playout.drained


def test_a_stop_drops_the_rest_and_says_what_was_heard(far: FarEnd) -> None:
    playout = open_playout(far)
    playout.play(codes(FRAME * 20))
    run(playout, far, 0.1)
    far.wait(0.001)
    assert playout.stop() == pytest.approx(0.12)
    run(playout, far, 0.2)
    assert len(far.played) == 6
    assert not playout.active
    playout.begin()
    assert playout.position() == 0.0
    playout.play(codes(FRAME))
    playout.finish()
    run(playout, far, 0.1)
    assert len(far.played) == 7
    assert playout.drained


def test_stopping_what_never_began_is_nothing(far: FarEnd) -> None:
    playout = open_playout(far)
    assert playout.stop() == 0.0
    assert playout.pause() == 0.0
    assert far.flushes == 0


def test_a_duck_lowers_the_voice_and_loses_nothing(far: FarEnd) -> None:
    playout = open_playout(far)
    fed = np.full(FRAME * 20, 8_000, dtype=np.int16)
    playout.play(fed)
    playout.finish()
    run(playout, far, 0.1)
    far.wait(0.005)
    playout.duck(-12)
    playout.duck(-12)
    assert far.flushes == 1
    run(playout, far, 0.1)
    far.wait(0.015)
    playout.duck(0)
    run(playout, far, 0.5)
    heard = far.heard().astype(int)
    loud = heard[FRAME - 1 :: FRAME]
    assert len(loud) == 20
    levels = (loud > 4_000).tolist()
    assert levels == [True] * 6 + [False] * 6 + [True] * 8
    assert np.abs(np.diff(heard)).max() < 500, "it glides: nothing clicks"
    assert loud[8] == pytest.approx(8_000 * 10 ** (-12 / 20), rel=0.05)


def test_a_resume_begins_with_the_cut_word_again(far: FarEnd) -> None:
    playout = open_playout(far)
    word, gap = np.full(FRAME * 10, 5_000, dtype=np.int16), np.zeros(FRAME * 3, dtype=np.int16)
    playout.play(np.concatenate((word, gap, word, gap, word)))
    playout.finish()
    run(playout, far, 0.38)
    far.wait(0.003)
    stood = playout.pause()
    assert stood == pytest.approx(0.4), "the frame being played"
    far.wait(0.5)
    playout.resume(0.4)
    assert playout.position() == pytest.approx(0.26), "where the second word begins"
    run(playout, far, 2.0)
    loud = (far.heard().reshape(-1, FRAME).max(axis=1) > 1_000).tolist()
    assert loud == [True] * 10 + [False] * 3 + [True] * 7 + [True] * 10 + [False] * 3 + [True] * 10
    assert playout.position() == pytest.approx(0.72)
    assert playout.drained


def test_a_resume_between_words_or_in_a_long_word_repeats_nothing(far: FarEnd) -> None:
    for silent in (range(17, 20), range(4, 7)):
        playout = open_playout(far)
        pcm = np.full(FRAME * 30, 5_000, dtype=np.int16)
        for frame in silent:
            pcm[frame * FRAME : (frame + 1) * FRAME] = 0
        playout.play(pcm)
        playout.finish()
        run(playout, far, 0.38)
        far.wait(0.003)
        stood = playout.pause()
        playout.resume(0.2)
        assert playout.position() == stood
        playout.stop()


@pytest.mark.parametrize(
    ("levels", "again"),
    [
        ((9, 9, 0, 0, 0, 9, 9), 2),
        ((0, 0, 0, 9, 0, 0, 0, 9), 1),
        ((9, 0, 0, 9, 9), 0),
        ((9, 9, 9, 0, 0, 0), 0),
        ((0, 0, 0, 0), 0),
        ((), 0),
    ],
)
def test_where_the_cut_word_begins(levels: tuple[int, ...], again: int) -> None:
    pcm = np.repeat(np.array(levels, dtype=np.int16) * 1_000, 80)
    assert len(word_cut(pcm, 8_000)) == again * 80


def test_what_the_recording_shows_is_what_was_played(far: FarEnd) -> None:
    track = Track()
    playout = open_playout(far, track)
    playout.play(codes(FRAME * 30))
    playout.finish()
    run(playout, far, 0.1)
    far.wait(0.007)
    playout.pause()
    far.wait(0.1)
    playout.resume()
    run(playout, far, 0.2)
    far.wait(0.013)
    playout.stop()
    run(playout, far, 0.2)
    shown = np.zeros_like(track.samples)
    for at, frame in far.played:
        shown[round((at - 100.0) * 8_000) :][:FRAME] = coder(Codec.ULAW).decode(frame)
    assert np.array_equal(track.samples, shown)


Operation = tuple[str, float]
OPERATIONS: st.SearchStrategy[Operation] = st.one_of(
    st.tuples(st.just("play"), st.integers(1, 1_500).map(float)),
    st.tuples(st.just("wait"), st.integers(2, 150).map(lambda ms: ms / 1000)),
    st.tuples(st.sampled_from(["pause", "resume", "full", "free", "duck", "unduck"]), st.just(0.0)),
)


def carry_out(playout: Playout, far: FarEnd, operation: Operation, fed: int) -> int:
    """One operation; how many samples were fed in all."""
    name, amount = operation
    match name:
        case "play":
            playout.play(codes(int(amount), fed))
            playout.pump()
            return fed + int(amount)
        case "wait":
            ends = far.now + amount
            while far.now < ends:
                far.wait(min(FRAME_S, ends - far.now))
                playout.pump()
        case "pause":
            playout.pause()
        case "resume":
            playout.resume()
        case "duck":
            playout.duck(-0.001)
        case "unduck":
            playout.duck(0)
        case _:
            far.full = name == "full"
    return fed


@settings(max_examples=150, deadline=None)
@given(st.lists(OPERATIONS, max_size=40))
def test_nothing_is_lost_or_repeated_whatever_happens(operations: list[Operation]) -> None:
    far = FarEnd()
    playout = Playout(far, lambda: far.now, Tracks(None))
    playout.begin()
    fed, before = 0, 0.0
    for operation in operations:
        fed = carry_out(playout, far, operation, fed)
        assert len(far.queue) <= LEAD_FRAMES
        assert playout.position() >= before - 1e-9, "what was heard is not taken back"
        before = playout.position()
        assert abs(before * 8_000 - len(far.played) * FRAME) <= FRAME
    far.full = False
    playout.resume()
    playout.finish()
    carry_out(playout, far, ("wait", fed / 8_000 + 1), fed)
    assert playout.drained
    # A hair of ducking changes no µ-law value by more than one step.
    difference = np.abs(far.heard()[:fed].astype(int) - codes(fed).astype(int))
    assert len(far.heard()) == -(-fed // FRAME) * FRAME
    assert np.all(difference <= np.maximum(np.abs(codes(fed).astype(int)) // 16, 16))


@settings(max_examples=80, deadline=None)
@given(st.lists(OPERATIONS, max_size=20), st.just(0) | st.integers(2, 199))
def test_a_stop_at_any_moment_is_honest(operations: list[Operation], late_ms: int) -> None:
    far = FarEnd()
    playout = open_playout(far)
    fed = 0
    for operation in operations:
        fed = carry_out(playout, far, operation, fed)
    if late_ms:
        far.wait(late_ms / 1000)
    position = playout.stop()
    assert position * 8_000 == pytest.approx(len(far.played) * FRAME, abs=0.5)
    held = len(far.played)
    carry_out(playout, far, ("wait", 0.3), fed)
    assert len(far.played) == held, "silent within the frame"
