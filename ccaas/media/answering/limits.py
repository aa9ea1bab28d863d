"""The numbers by which an answer is judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of audio, unless another unit is named. The values are tuned on one half of `bench/answering.py`'s set."""

    nobody_s: float = 5.0
    """So long without a voice or a tone, and nobody is there."""
    click_s: float = 0.2
    """Less voice than this is a click or a cough."""
    pauses: tuple[tuple[float, float], ...] = ((1.15, 0.45), (1.6, 0.9), (2.5, 1.2), (float("inf"), 1.5))
    """Up to so much voice, whoever then is silent for so long is a person who waits: machines, too, pause between sentences.
    A voice detector lets go of a voice about 0.15 s late: that much more has passed in truth."""
    doubt_s: float = 15.0
    """For so long after a verdict "human" it may be taken back."""
    drop_db: float = 4.0
    """A pause is one when it is so much fainter than the voice before it: music, and the noise of a line, go on."""
    personal_pause_s: float = 0.45
    """The same after words that only people say."""
    machine_s: float = 4.5
    """So much voice before such a pause, and it is a machine."""
    resumes_s: float = 0.5
    """Who goes on within so long after a verdict "human" does not listen to us …"""
    resumed_s: float = 3.0
    """… and with so much voice then, without a pause of `listens_s`, is a machine."""
    listens_s: float = 1.2
    voice_on: float = 0.5
    """Probability from which on it is a voice."""
    voice_off: float = 0.35
    """Probability below which it is none any more."""
    beep_s: tuple[float, float] = (0.10, 4.0)
    """Shortest and longest beep, as measured; one of 0.12 s is measured as 0.10 to 0.14 s."""
    beep_hz: tuple[float, float] = (340.0, 2_020.0)
    """Lowest and highest beep (Hz)."""
    after_beep_s: float = 0.2
    """A beep is one when it is followed by so much of nothing; where somebody goes on speaking it was none."""
    over_s: float = 3.0
    """So long without a voice behind a machine's words, and its greeting is over, beep or not."""
    beep_alone_s: float = 2.0
    """A beep before any voice is a machine's only when so much of nothing follows: telephones chirp, and recorders beep, before people say hello."""
    longest_s: float = 12.0
    """After so long without a verdict nobody is there: ringing and busy tones after the answer go on for ever."""


EAGER = ((1.15, 0.38), (float("inf"), 0.5))
"""`Limits.pauses` where a verdict "human" that was wrong does little harm, because it is taken back."""
