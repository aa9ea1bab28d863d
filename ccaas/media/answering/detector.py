"""See `ccaas.ports.answering`: timing, words and tones of one answered call, brought together."""

from __future__ import annotations

import numpy as np

from ccaas.media.answering.greeting import Greeting, Monologue
from ccaas.media.answering.limits import Limits
from ccaas.media.answering.signals import Signal, Signals
from ccaas.media.answering.tones import HOP_S, RATE, ToneFinder
from ccaas.media.answering.words import ENGLISH, Phrases, holds
from ccaas.media.resample import LiveResampler
from ccaas.ports.answering import AnsweredBy, GreetingOver, Verdict
from ccaas.ports.media import Pcm
from ccaas.ports.speech import VoiceStream

TONE_S = 0.06
"""A tone of this length is taken for one by the greeting's timing, whatever the voice detector thinks of it."""
_BY_SIGNAL = {Signal.SIT: AnsweredBy.TONES, Signal.FAX: AnsweredBy.FAX, Signal.BEEP: AnsweredBy.MACHINE}


class AnswerListener:
    """Implements `ports.answering.AnsweringDetector`."""

    def __init__(
        self,
        rate: int,
        voice: VoiceStream,
        voice_rate: int = RATE,
        limits: Limits | None = None,
        phrases: Phrases = ENGLISH,
    ) -> None:
        """Args:
        rate: of the audio that is pushed, 8,000 or 16,000 Hz.
        voice: a fresh stream of the voice detector.
        voice_rate: what that stream wants (Hz).
        """
        self._limits = limits or Limits()
        self._narrow = LiveResampler(rate, RATE)
        self._for_voice = LiveResampler(rate, voice_rate)
        self._voice_stream = voice
        self._phrases = phrases
        self._finder = ToneFinder()
        self._signals = Signals(self._limits)
        self._greeting = Greeting(self._limits)
        self._monologue = Monologue(self._limits)
        self._frames = 0
        self._quiet_s = 0.0
        self._beeped = False
        self._alone_s: float | None = None
        self._over = False
        self.voice = False
        """Whether somebody speaks now."""
        self.verdict: Verdict | None = None
        """What was said of this call, last."""

    @property
    def at_s(self) -> float:
        """Seconds of audio so far."""
        return self._frames * HOP_S

    @property
    def begun(self) -> bool:
        """Whether a greeting has begun."""
        return self._greeting.begun

    @property
    def over(self) -> bool:
        """Nothing more will be said of this call."""
        return self._over

    def push(self, pcm: Pcm) -> Verdict | GreetingOver | None:
        """See the protocol."""
        if self._over:
            return None
        self._frames += 1
        self._hear_voice(self._voice_stream.push(self._for_voice.push(pcm)))
        ended = self._finder.push(self._narrow.push(pcm))
        sounding = self._finder.current
        tone = sounding is not None and sounding.seconds >= TONE_S
        voice = self.voice and not tone
        spoken = self._greeting.begun or self.verdict is not None
        signal = self._signals.step(ended, sounding, self.at_s, voice=voice, spoken=spoken)
        if self.verdict is None:
            return self._judge(signal, float(np.mean(pcm.astype(np.float64) ** 2)), voice=voice, tone=tone)
        if self.verdict.by is AnsweredBy.HUMAN:
            return self._doubt(signal, voice=voice)
        return self._await_end(signal, voice=voice, tone=tone)

    def hear(self, text: str) -> Verdict | None:
        """See the protocol."""
        if self._over:
            return None
        full = holds(text, self._phrases.full)
        self._greeting.personal = bool(holds(text, self._phrases.human))
        if self.verdict is None:
            if phrase := holds(text, self._phrases.machine):
                return self._decide(AnsweredBy.MACHINE, f'"{phrase}"', keeps=not full)
        elif self.verdict.by is AnsweredBy.HUMAN:
            if (phrase := holds(text, self._phrases.sure)) and not holds(text, self._phrases.offers):
                return self._decide(AnsweredBy.MACHINE, f'"{phrase}"', keeps=not full)
        elif full and self.verdict.keeps:
            return self._decide(AnsweredBy.MACHINE, f'"{full}"', keeps=False)
        return None

    def _hear_voice(self, probability: float | None) -> None:
        if probability is not None:
            self.voice = probability >= (self._limits.voice_off if self.voice else self._limits.voice_on)

    def _judge(self, signal: Signal | None, power: float, *, voice: bool, tone: bool) -> Verdict | None:
        found = self._greeting.step(HOP_S, power, voice=voice, tone=tone)
        if signal is Signal.BEEP and not self._greeting.begun:
            self._alone_s, signal = self.at_s, None
        if self._greeting.begun:
            self._alone_s = None
        elif self._alone_s is not None and self.at_s - self._alone_s >= self._limits.beep_alone_s:
            self._beeped = True
            return self._decide(AnsweredBy.MACHINE, "beep, then nothing")
        if signal is not None:
            # A beep that tells the machine is the end of its greeting, too: that is said with the next frame.
            self._beeped = signal is Signal.BEEP
            return self._decide(_BY_SIGNAL[signal], signal.value)
        if found is None and not self._greeting.begun and self.at_s >= self._limits.longest_s:
            found = AnsweredBy.SILENCE, "tones, and no voice"
        return self._decide(*found) if found is not None else None

    def _doubt(self, signal: Signal | None, *, voice: bool) -> Verdict | None:
        """It was a person, so far."""
        assert self.verdict is not None  # it is what is doubted
        if signal is Signal.BEEP:
            self._beeped = True
            return self._decide(AnsweredBy.MACHINE, "beep")
        if self._monologue.step(HOP_S, voice=voice) and not self._greeting.personal:
            return self._decide(AnsweredBy.MACHINE, f"{self._limits.resumed_s:.1f} s of voice without listening")
        self._over = self.at_s - self.verdict.at_s >= self._limits.doubt_s
        return None

    def _decide(self, by: AnsweredBy, why: str, *, keeps: bool = True) -> Verdict:
        self.verdict = Verdict(by, self.at_s, why, keeps)
        self._over = by not in (AnsweredBy.MACHINE, AnsweredBy.HUMAN)
        return self.verdict

    def _await_end(self, signal: Signal | None, *, voice: bool, tone: bool) -> GreetingOver | None:
        self._quiet_s = 0.0 if voice or tone else self._quiet_s + HOP_S
        if self._beeped or signal is Signal.BEEP:
            return self._end(beep=True)
        return self._end(beep=False) if self._quiet_s >= self._limits.over_s else None

    def _end(self, *, beep: bool) -> GreetingOver:
        self._over = True
        return GreetingOver(self.at_s, beep)
