"""Opening an ONNX model for use beside live calls."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from ccaas.errors import SetupError
from ccaas.inference import UNUSABLE, open_session, prepared


def open_model(path: Path, cache_dir: Path) -> onnxruntime.InferenceSession:
    """A session on one thread. Raises SetupError naming the file and the mend."""
    if not path.is_file():
        raise SetupError(f"the model file {path} is missing; run `make setup`")
    try:
        return open_session(prepared(path.stem, (path,), cache_dir) / path.name)
    except UNUSABLE as error:
        raise SetupError(f"the model file {path} cannot be loaded ({error}); delete it and run `make setup`") from error
