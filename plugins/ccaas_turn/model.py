"""Opening an ONNX model for use beside live calls: one thread each, no spinning, nothing reported to anybody."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state

from ccaas.errors import SetupError

onnxruntime.disable_telemetry_events()

RUNTIME_ERRORS: tuple[type[Exception], ...] = tuple(
    error
    for error in vars(onnxruntime_pybind11_state).values()
    if isinstance(error, type) and issubclass(error, Exception)
)
"""What the runtime raises when it loads or runs a model; its exceptions have no common base of their own."""


def open_model(path: Path) -> onnxruntime.InferenceSession:
    """A session on one thread. Raises SetupError naming the file and the mend."""
    if not path.is_file():
        raise SetupError(f"the model file {path} is missing; run `make setup`")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except RUNTIME_ERRORS as error:
        raise SetupError(f"the model file {path} cannot be loaded ({error}); delete it and run `make setup`") from error
