"""What tones mean: the network's special information tones, a fax, a beep."""

from __future__ import annotations

from enum import StrEnum

from ccaas.media.answering.limits import Limits
from ccaas.media.answering.tones import Tone

SIT_HZ = (950.0, 1_400.0, 1_800.0)
"""ITU-T E.180 Supplement 2 and Q.35: three tones that rise, each 330 ms long with a tolerance of 70 ms."""
SIT_OFF_HZ = 60.0
SIT_S = (0.2, 0.45)
CNG_HZ = 1_100.0
"""ITU-T T.30 4.3.3.3: a calling fax, 0.5 s long with a tolerance of 15 %, every 3 s, within 38 Hz."""
CNG_OFF_HZ = 42.0
"""The 38 Hz, and what a window of 40 ms may be wrong by."""
CNG_S = (0.4, 0.62)
CED_HZ = 2_100.0
"""ITU-T T.30 4.3.3.2: a fax that has answered, 2.6 to 4 s long, within 15 Hz."""
CED_OFF_HZ = 25.0
CED_S = 0.4
"""So much of it is enough: ITU-T V.8 turns its phase every 0.45 s, which breaks the tone."""
RINGBACK_HZ = (385.0, 465.0)
"""Ringing and busy tones of one frequency (ITU-T E.180): before any voice they are the network's."""
ROW_GAP_S = 0.12
"""Tones with no more than this between them belong together."""
LEAST_S = 0.08
"""What is shorter is no tone of a signal."""


class Signal(StrEnum):
    """What a tone is."""

    SIT = "special information tones"
    FAX = "fax tone"
    BEEP = "beep"


class Signals:
    """Reads the tones of one call. Beeps are known `Limits.after_beep_s` after their end, the others as they end."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._row: list[Tone] = []

    def step(
        self, ended: Tone | None, sounding: Tone | None, at_s: float, *, voice: bool, spoken: bool
    ) -> Signal | None:
        """One frame. `ended`, `sounding`: from the finder. `voice`: somebody speaks now; `spoken`: somebody has before."""
        if ended is not None and ended.seconds >= LEAST_S:
            if self._row and ended.start_s - self._row[-1].end_s > ROW_GAP_S:
                self._row.clear()
            self._row.append(ended)
            if _is_sit(self._row):
                self._row.clear()
                return Signal.SIT
            if not spoken and _near(ended, CNG_HZ, CNG_OFF_HZ) and CNG_S[0] <= ended.seconds <= CNG_S[1]:
                self._row.clear()
                return Signal.FAX
        if sounding is not None and sounding.seconds >= CED_S and _near(sounding, CED_HZ, CED_OFF_HZ):
            return Signal.FAX
        if not self._row or (sounding is not None and sounding.seconds >= LEAST_S):
            return None
        return self._beep(at_s - self._row[-1].end_s, voice=voice, spoken=spoken)

    def _beep(self, since_s: float, *, voice: bool, spoken: bool) -> Signal | None:
        """A voice detector lets go of a voice that ended with the beep a little late: it has twice the time."""
        wait_s = self._limits.after_beep_s
        if since_s < wait_s or (voice and since_s < 2 * wait_s):
            return None
        row, self._row = self._row, []
        return Signal.BEEP if not voice and self._is_beep(row, spoken=spoken) else None

    def _is_beep(self, row: list[Tone], *, spoken: bool) -> bool:
        """One pitch, or two at most: more are a melody."""
        pitches: list[float] = []
        for tone in row:
            if all(abs(tone.hz - pitch) > 0.03 * pitch for pitch in pitches):
                pitches.append(tone.hz)
        (shortest, longest), (lowest, highest) = self._limits.beep_s, self._limits.beep_hz
        if len(pitches) > 2 or not any(tone.seconds >= shortest for tone in row):
            return False
        if not spoken and RINGBACK_HZ[0] <= row[0].hz <= RINGBACK_HZ[1]:
            return False
        return all(lowest <= tone.hz <= highest and tone.seconds <= longest for tone in row)


def _near(tone: Tone, hertz: float, off: float) -> bool:
    return abs(tone.hz - hertz) <= off


def _is_sit(row: list[Tone]) -> bool:
    last = row[-3:]
    return len(last) == 3 and all(
        _near(tone, hertz, SIT_OFF_HZ) and SIT_S[0] <= tone.seconds <= SIT_S[1]
        for tone, hertz in zip(last, SIT_HZ, strict=True)
    )
