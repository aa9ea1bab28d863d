"""Wiring: the voice detector "silero" and the turn detector "smart_turn"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.speech import TurnDetector, VoiceDetector
from ccaas_turn.settings import SileroSettings, SmartTurnSettings
from ccaas_turn.silero import SileroVoiceDetector
from ccaas_turn.smart_turn import SmartTurnDetector


@hookimpl
def ccaas_register_voice_detectors(register: Register[VoiceDetector]) -> None:
    register("silero", SileroVoiceDetector, SileroSettings)


@hookimpl
def ccaas_register_turn_detectors(register: Register[TurnDetector]) -> None:
    register("smart_turn", SmartTurnDetector, SmartTurnSettings)
