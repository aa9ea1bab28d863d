"""The pacers keep what the port promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from ccaas_outbound.pacing import Predictive, Preview, Progressive
from ccaas_outbound.settings import PredictiveSettings, ProgressiveSettings

from ccaas.ports.dialling import Pacer
from ccaas.ports.site import Site
from ccaas.testing.conformance.dialling import PacerConformance

SITE = Site(Path(), Path(), Path(), Path())


class TestPreview(PacerConformance):
    @pytest.fixture
    def pacer(self) -> Pacer:
        return Preview(ProgressiveSettings(), SITE)


class TestProgressive(PacerConformance):
    @pytest.fixture
    def pacer(self) -> Pacer:
        return Progressive(ProgressiveSettings(), SITE)


class TestPredictive(PacerConformance):
    @pytest.fixture
    def pacer(self) -> Pacer:
        return Predictive(PredictiveSettings(), SITE)
