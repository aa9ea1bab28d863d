"""Wiring: the synthesiser "piper"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.speech import Synthesizer
from ccaas_piper.settings import PiperSettings
from ccaas_piper.synthesizer import PiperSynthesizer


@hookimpl
def ccaas_register_synthesizers(register: Register[Synthesizer]) -> None:
    register("piper", PiperSynthesizer, PiperSettings)
