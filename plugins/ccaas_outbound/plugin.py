"""Wiring: the pacers "preview", "progressive" and "predictive"."""

from __future__ import annotations

from ccaas.hookspecs import Register, hookimpl
from ccaas.ports.dialling import Pacer
from ccaas_outbound.pacing import Predictive, Preview, Progressive
from ccaas_outbound.settings import PredictiveSettings, ProgressiveSettings


@hookimpl
def ccaas_register_pacers(register: Register[Pacer]) -> None:
    register("preview", Preview, ProgressiveSettings)
    register("progressive", Progressive, ProgressiveSettings)
    register("predictive", Predictive, PredictiveSettings)
