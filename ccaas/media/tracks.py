"""Several listeners to both directions of a call: the recording, the echo guard."""

from __future__ import annotations

import numpy as np

from ccaas.media.playout import AgentTrack
from ccaas.media.recording import Recording
from ccaas.ports.media import Pcm


class Tracks:
    """Hands what was heard and said to all who keep it."""

    def __init__(self, recording: Recording | None) -> None:
        self._recording = recording
        self._agent: list[AgentTrack] = [recording] if recording else []

    def add(self, track: AgentTrack) -> None:
        """Another one that wants the agent's side."""
        self._agent.append(track)

    def caller(self, pcm: Pcm, at: float, *, hushed: bool = False) -> None:
        """The caller's samples, received at monotonic second `at`; silence is kept of them while they are `hushed`."""
        if self._recording is not None:
            self._recording.caller(np.zeros_like(pcm) if hushed else pcm, at)

    def agent(self, pcm: Pcm, at: float) -> None:
        """The agent's samples, heard from monotonic second `at` on."""
        for track in self._agent:
            track.agent(pcm, at)

    def agent_cut(self, at: float) -> None:
        """What was to be heard after `at` was taken back."""
        for track in self._agent:
            track.agent_cut(at)
