"""What libraries would tell their makers."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("first", ["ccaas", "ccaas.controller"])
def test_the_model_runtime_keeps_no_telemetry(first: str) -> None:
    """With telemetry on it complains that it cannot keep an id for this machine, where there is no home to keep it in.

    Nothing else is in its environment: where it sees that it runs in somebody's CI, it keeps quiet of its own accord.
    """
    environment = {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"}

    def said(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stderr

    assert "telemetry" in said("import onnxruntime"), "the test can no longer tell: look for another sign"
    assert said(f"import {first}, onnxruntime") == ""
