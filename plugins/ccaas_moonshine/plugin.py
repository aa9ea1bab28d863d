"""Wiring: the recogniser "moonshine"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.speech import Recognizer
from ccaas_moonshine.recognizer import MoonshineRecognizer
from ccaas_moonshine.settings import MoonshineSettings


@hookimpl
def ccaas_register_recognizers(register: Register[Recognizer]) -> None:
    register("moonshine", MoonshineRecognizer, MoonshineSettings)
