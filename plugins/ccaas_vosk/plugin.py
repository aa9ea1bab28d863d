"""Wiring: the recogniser "vosk"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.speech import Recognizer
from ccaas_vosk.recognizer import VoskRecognizer
from ccaas_vosk.settings import VoskSettings


@hookimpl
def ccaas_register_recognizers(register: Register[Recognizer]) -> None:
    register("vosk", VoskRecognizer, VoskSettings)
