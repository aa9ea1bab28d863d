"""The listening side of one call: coded frames in; voice starts and stops, and the utterance's audio, out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import numpy as np

from ccaas.conversation.backchannel import BEFORE_FRAMES, HEARD_HZ, Impression, Impressions
from ccaas.conversation.settings import ConversationSettings
from ccaas.media.codec import coder
from ccaas.media.resample import LiveResampler
from ccaas.ports.media import FRAME_MS, Codec, Pcm
from ccaas.ports.speech import Recognizer, RecognizerStream, TurnDetector, VoiceDetector

_PRE_ROLL_FRAMES = 20
"""400 ms before the voice was noticed: the onset itself and the silence that recognisers want in front."""

_TURN_S = 8
"""What turn detectors look back on (s)."""

_MODEL_HZ = 16_000

_STIRRING = 0.2
_STILL_S = 1.0
"""A voice detector that has heard less than this probability for this long begins anew (s): after a long silence Silero
notices a voice 0.09 s later than a fresh one does, in the middle of the development set."""

_LAPSE_S = 0.2
"""No frame for this long is silence (s)."""

_STALE_S = 0.08
"""What was heard longer ago says nothing of this moment (s)."""


class Utterance:
    """The caller's audio since they began a turn, pauses included, for the recogniser and the turn detector."""

    def __init__(self, recognizer: Recognizer, pre_roll: list[Pcm]) -> None:
        self._recognizer = recognizer
        self.stream: RecognizerStream = recognizer.open()
        self._frames: deque[Pcm] = deque(maxlen=_TURN_S * 1000 // FRAME_MS)
        self.seconds = 0.0
        """Length so far (s)."""
        self.before: asyncio.Task[str] | None = None
        """What the caller said while the last answer was on its way: it stands in front of these words."""
        for frame in pre_roll:
            self.push(frame)
        self._lead_s = self.seconds

    @property
    def spoken_s(self) -> float:
        """From the first voiced frame to the end of the last (s), asked when a voice has just stopped."""
        return self.seconds - self._lead_s

    def push(self, pcm: Pcm) -> None:
        """A frame at 16 kHz."""
        self._frames.append(pcm)
        self.seconds += len(pcm) / _MODEL_HZ
        self.stream.push(pcm)

    def recent(self) -> Pcm:
        """The last 8 s at 16 kHz, shape [n]."""
        return np.concatenate(self._frames) if self._frames else np.zeros(0, dtype=np.int16)

    def close(self) -> None:
        """Free the recogniser's stream."""
        self.stream.close()


class Ear:
    """Decodes, detects voice, and keeps the utterance. One per call; runs on the event loop, well under 1 ms a frame."""

    def __init__(
        self,
        codec: Codec,
        recognizer: Recognizer,
        voice: VoiceDetector,
        turn: TurnDetector,
        settings: ConversationSettings,
        on_started: Callable[[float], None],
        on_stopped: Callable[[float], None],
        on_dip: Callable[[], None],
        impressions: Impressions,
    ) -> None:
        """`on_started(at)`: the voice's first frame; `on_stopped(at)`: the end of its last frame (monotonic s);
        `on_dip()`: a first quiet window, which may become a stop."""
        for part, rate in (("recogniser", recognizer.capabilities.sample_rate), ("turn detector", turn.sample_rate)):
            if rate != _MODEL_HZ:
                raise ValueError(f"the {part} wants {rate} Hz; the conversation gives {_MODEL_HZ}")
        self._coder = coder(codec)
        self._recognizer = recognizer
        self._settings = settings
        self._voice = voice.open()
        self._window_s = voice.window_ms / 1000
        self._to_voice = LiveResampler(codec.sample_rate, voice.sample_rate)
        self._to_impression = LiveResampler(codec.sample_rate, HEARD_HZ)
        self._impressions = impressions
        self._recent: deque[Pcm] = deque(maxlen=BEFORE_FRAMES)
        self._to_model = LiveResampler(codec.sample_rate, _MODEL_HZ)
        self._on_started = on_started
        self._on_stopped = on_stopped
        self._on_dip = on_dip
        self._pre_roll: deque[Pcm] = deque(maxlen=_PRE_ROLL_FRAMES)
        self._voiced = False
        self._run_s = 0.0
        self._quiet_s = 0.0
        self._still_s = 0.0
        self.on_voice: Callable[[Pcm], None] = lambda _: None
        """Takes each voiced frame (16 kHz)."""
        self.utterance: Utterance | None = None
        self.impression: Impression | None = None
        """What the voice sounds like that is being listened to closely, until it stops."""
        self.frames = 0
        """Frames heard since the call began."""
        self.last_frame_at = 0.0
        """Monotonic seconds of the newest frame."""

    def decode(self, coded: bytes) -> Pcm:
        """One received frame as samples at the codec's rate."""
        return self._coder.decode(coded)

    def hear(self, pcm: Pcm, now: float) -> None:
        """Take one decoded frame that arrived at `now`; may call `on_started` or `on_stopped`."""
        self.frames += 1
        self.last_frame_at = now
        wide = self._to_model.push(pcm)
        if self.utterance is not None:
            self.utterance.push(wide)
        if self._voiced:
            self.on_voice(wide)
        self._pre_roll.append(wide)
        narrow = self._to_impression.push(pcm)
        self._recent.append(narrow)
        if self.impression is not None:
            self.impression.push(narrow)
        probability = self._voice.push(self._to_voice.push(pcm))
        if probability is None:
            return
        if self._voiced:
            self._continue_voice(probability, now)
        else:
            self._await_voice(probability, now)

    def stirring(self, now: float) -> bool:
        """Whether the caller may just be beginning to speak: known soon, as a voice that has started or has not."""
        return not self._voiced and self._run_s > 0 and now - self.last_frame_at < _STALE_S

    @property
    def ebbing(self) -> bool:
        """Whether the voice has just fallen quiet, and may have stopped."""
        return self._voiced and self._quiet_s > 0

    def begin_utterance(self) -> Utterance:
        """A new utterance from the pre-roll on; an unfinished one is dropped."""
        self.drop_utterance()
        self.utterance = Utterance(self._recognizer, list(self._pre_roll))
        return self.utterance

    def listen_closely(self) -> None:
        """From the voice that has just been noticed on, and until it stops, keep an impression."""
        self.impression = self._impressions.open()
        for frame in self._recent:
            self.impression.push(frame)

    def take_utterance(self) -> Utterance | None:
        """The utterance as it is: no more is heard into it, and whoever takes it closes it."""
        utterance, self.utterance = self.utterance, None
        return utterance

    def forget_past(self) -> None:
        """The next utterance begins no earlier than now: what was heard belongs to one that is taken."""
        self._pre_roll.clear()

    def lapse(self, now: float) -> None:
        """Frames have stopped coming (the phone sends nothing while it is muted): a voice that was heard has ended."""
        if self._voiced and now - self.last_frame_at > _LAPSE_S:
            self._stop(self.last_frame_at)

    def drop_utterance(self) -> None:
        """Forget the utterance."""
        if self.utterance is not None:
            self.utterance.close()
            self.utterance = None

    def _await_voice(self, probability: float, now: float) -> None:
        self._still_s = 0.0 if probability >= _STIRRING else self._still_s + self._window_s
        if self._still_s >= _STILL_S:
            self._still_s = 0.0
            self._voice.reset()
        if probability < self._settings.speech_threshold:
            self._run_s = 0.0
            return
        self._run_s += self._window_s
        if self._run_s * 1000 >= self._settings.onset_ms:
            self._voiced, self._quiet_s = True, 0.0
            self._on_started(now - self._run_s)

    def _continue_voice(self, probability: float, now: float) -> None:
        if probability >= self._settings.silence_threshold:
            self._quiet_s = 0.0
            return
        self._quiet_s += self._window_s
        if self._quiet_s * 1000 >= self._settings.pause_ms:
            self._stop(now - self._quiet_s)
        elif self._quiet_s == self._window_s:
            self._on_dip()

    def _stop(self, at: float) -> None:
        self._voiced, self._run_s = False, 0.0
        self.impression = None
        self._on_stopped(at)
