"""Wiring: the synthesiser "espeak"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.speech import Synthesizer
from ccaas_espeak.settings import EspeakSettings
from ccaas_espeak.synthesizer import EspeakSynthesizer


@hookimpl
def ccaas_register_synthesizers(register: Register[Synthesizer]) -> None:
    register("espeak", EspeakSynthesizer, EspeakSettings)
