"""The stereo recording: both tracks in step, whatever comes late, is taken back, or breaks."""

from __future__ import annotations

import os
import shutil
import struct
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import soundfile
from at_once import AtOnce
from numpy.typing import NDArray

from ccaas.media.clock import SystemClock
from ccaas.media.recording import Recording, repair
from ccaas.media.tracks import Tracks
from ccaas.ports.media import Pcm

RATE = 8_000
FRAME = 160
EPOCH = 50.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls" / "call.wav"


@pytest.fixture
def recording(path: Path) -> Recording:
    return Recording(path, RATE, EPOCH, AtOnce())


def sound(seconds: float, value: int = 1_000) -> Pcm:
    return np.full(round(seconds * RATE), value, dtype=np.int16)


def speak(recording: Recording, begin: float, seconds: float, value: int = 1_000) -> None:
    """The caller's frames, each arriving when it is complete."""
    for number in range(round(seconds * 50)):
        recording.caller(sound(0.02, value), EPOCH + begin + (number + 1) * 0.02)


def tracks(path: Path) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    both, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    return both[:, 0], both[:, 1]


def sounding(track: NDArray[np.int16]) -> list[tuple[float, float]]:
    """Where the track is not silent (s)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (track != 0).astype(np.int8), [0]))))
    return [(int(begin) / RATE, int(end) / RATE) for begin, end in edges.reshape(-1, 2)]


def test_both_tracks_stand_at_the_moments_they_were_heard(recording: Recording, path: Path) -> None:
    speak(recording, 0.5, 1.0)
    recording.agent(sound(0.4), EPOCH + 2.25)
    recording.close(EPOCH + 3.0)
    caller, agent = tracks(path)
    assert len(caller) == 3 * RATE
    assert sounding(caller) == [(0.5, 1.5)]
    assert sounding(agent) == [(2.25, 2.65)]


def test_jitter_leaves_no_holes_in_the_caller(recording: Recording, path: Path) -> None:
    late = [0.0, 0.03, 0.001, 0.06, 0.04, 0.02, 0.0, 0.05, 0.0, 0.0]
    for number, delay in enumerate(late):
        recording.caller(sound(0.02), EPOCH + 0.1 + (number + 1) * 0.02 + delay)
    recording.close(EPOCH + 1)
    ((begin, end),) = sounding(tracks(path)[0])
    assert end - begin == pytest.approx(0.2)
    assert begin == pytest.approx(0.1)


def test_a_muted_phone_leaves_a_gap(recording: Recording, path: Path) -> None:
    speak(recording, 0.0, 0.5)
    speak(recording, 1.3, 0.5)
    recording.close(EPOCH + 2)
    assert sounding(tracks(path)[0]) == [(0.0, 0.5), (1.3, 1.8)]


def test_frames_that_were_held_up_and_come_at_once_stand_where_they_belong(recording: Recording, path: Path) -> None:
    speak(recording, 0.0, 0.5, 100)
    for number in range(25):  # our own loop stood still from 0.5 to 1.0
        recording.caller(sound(0.02, 200 + number), EPOCH + 1.0)
    speak(recording, 1.0, 1.0, 300)
    recording.close(EPOCH + 3)
    caller = tracks(path)[0]
    assert sounding(caller)[0][0] == 0.0
    assert sounding(caller)[-1][1] == pytest.approx(2.0, abs=0.101), "up to 100 ms is taken for jitter"
    order = [int(value) for value in dict.fromkeys(caller[caller != 0].tolist())]
    assert order == [100, *range(200, 225), 300], "all of it, in order"


def test_a_caller_whose_clock_runs_fast_stays_in_step(recording: Recording, path: Path) -> None:
    for number in range(2_000):  # 40 s of audio within 39.6 s
        recording.caller(sound(0.02), EPOCH + 0.1 + (number + 1) * 0.0198)
    recording.close(EPOCH + 45)
    assert sounding(tracks(path)[0])[-1][1] == pytest.approx(39.7, abs=0.13)


def test_what_was_taken_back_is_not_in_the_recording(recording: Recording, path: Path) -> None:
    recording.agent(sound(0.2), EPOCH + 1.0)
    recording.agent_cut(EPOCH + 1.1)
    recording.agent(sound(0.04, 500), EPOCH + 1.4)
    recording.close(EPOCH + 2)
    assert sounding(tracks(path)[1]) == [(1.0, 1.1), (1.4, 1.44)]


def test_a_long_call_is_written_while_it_lasts(recording: Recording, path: Path) -> None:
    sizes = []
    for second in range(60):
        speak(recording, float(second), 0.5, second + 1)
        recording.agent(sound(0.25, -second - 1), EPOCH + second + 0.5)
        sizes.append(path.stat().st_size if path.exists() else 0)
    assert sizes[5] > 0
    assert sizes[-1] > 50 * RATE * 4
    recording.close(EPOCH + 60)
    caller, agent = tracks(path)
    assert sounding(caller) == [(second, second + 0.5) for second in range(60)]
    assert sounding(agent) == [(second + 0.5, second + 0.75) for second in range(60)]
    assert caller[59 * RATE] == 60


def test_minutes_of_silence_are_kept_as_silence(recording: Recording, path: Path) -> None:
    speak(recording, 0.0, 0.1)
    speak(recording, 300.0, 0.1)
    recording.close(EPOCH + 301)
    assert sounding(tracks(path)[0]) == [(0.0, 0.1), (300.0, 300.1)]


def test_a_call_without_audio_has_an_empty_recording(recording: Recording, path: Path) -> None:
    recording.close(EPOCH)
    assert soundfile.info(path).frames == 0


def test_frames_of_before_the_beginning_are_cut(recording: Recording, path: Path) -> None:
    recording.agent(sound(0.1), EPOCH - 0.05)
    recording.caller(sound(0.02), EPOCH)
    recording.close(EPOCH + 1)
    caller, agent = tracks(path)
    assert sounding(agent) == [(0.0, 0.05)]
    assert sounding(caller) == [(0.0, 0.02)]


def test_a_full_disk_ends_the_recording_and_not_the_call(tmp_path: Path) -> None:
    path = tmp_path / "full.wav"
    path.symlink_to("/dev/full")
    recording = Recording(path, RATE, EPOCH, AtOnce())
    for second in range(10):
        speak(recording, float(second), 1.0)
    assert recording.failed
    recording.agent(sound(0.1), EPOCH + 10)
    recording.close(EPOCH + 11)


def test_a_folder_that_cannot_be_made_ends_the_recording_and_not_the_call(tmp_path: Path) -> None:
    (tmp_path / "calls").write_text("a file where the folder should be")
    recording = Recording(tmp_path / "calls" / "call.wav", RATE, EPOCH, AtOnce())
    speak(recording, 0.0, 1.0)
    recording.close(EPOCH + 1)
    assert "calls" in recording.failed


@pytest.fixture
def killed(recording: Recording, path: Path, tmp_path: Path) -> Path:
    """What a killed controller leaves: as much as was written, and a header that does not say so."""
    for second in range(10):
        speak(recording, float(second), 1.0, 700)
    left = Path(shutil.copy(path, tmp_path / "left.wav"))
    recording.close(EPOCH + 10)
    return left


def test_a_killed_recording_is_made_whole(killed: Path) -> None:
    body = killed.stat().st_size - 44
    assert repair(killed)
    caller, _ = tracks(killed)
    assert len(caller) == body // 4
    assert np.all(caller[: 6 * RATE] == 700)
    assert not repair(killed), "once is enough"


def test_a_whole_recording_is_left_alone(recording: Recording, path: Path) -> None:
    speak(recording, 0.0, 1.0)
    recording.close(EPOCH + 1)
    before = path.read_bytes()
    assert not repair(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("length", [0, 3, 12, 40, 43])
def test_a_recording_killed_within_its_header_is_left_alone(killed: Path, length: int) -> None:
    os.truncate(killed, length)
    assert not repair(killed)


def test_what_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"OggS" + struct.pack("<I", 0) * 20)
    assert not repair(path)


class Listening:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def agent(self, pcm: Pcm, at: float) -> None:
        self.calls.append(("agent", len(pcm), at))

    def agent_cut(self, at: float) -> None:
        self.calls.append(("cut", at))


def test_tracks_reach_the_recording_and_all_who_listen(recording: Recording, path: Path) -> None:
    both, listening = Tracks(recording), Listening()
    both.add(listening)
    both.caller(sound(0.02), EPOCH + 0.02)
    both.agent(sound(0.02), EPOCH + 0.1)
    both.agent_cut(EPOCH + 0.11)
    recording.close(EPOCH + 1)
    assert listening.calls == [("agent", FRAME, EPOCH + 0.1), ("cut", EPOCH + 0.11)]
    assert sounding(tracks(path)[1]) == [(0.1, 0.11)]


def test_tracks_of_a_call_that_is_not_recorded() -> None:
    nobody = Tracks(None)
    nobody.caller(sound(0.02), EPOCH)
    nobody.agent(sound(0.02), EPOCH)
    nobody.agent_cut(EPOCH)


async def test_the_machines_clock_can_rehearse_another_day() -> None:
    zone = ZoneInfo("America/New_York")
    clock = SystemClock(zone, datetime(2024, 5, 15, 15, 0))
    assert (clock.wall().date().isoformat(), clock.wall().hour, clock.wall().tzinfo) == ("2024-05-15", 15, zone)
    assert SystemClock(zone).wall().year >= 2025
    before = clock.now()
    await clock.sleep_until(before - 1)
    await clock.sleep_until(before + 0.001)
    assert clock.now() >= before + 0.001
