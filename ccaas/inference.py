"""ONNX models, prepared once for this machine and then mapped into memory.

The runtime's own way to open a model takes seconds and holds its weights twice or thrice: as they were read, as the
optimiser left them, and packed for this processor. So a model is opened once in a process of its own, which writes what
the runtime has made of it into the cache; from then on the weights are mapped from there, and only those parts are in
memory that were ever used. What is computed is the same, to the bit.

A plug-in that changes its model before gives its own `maker`: a module that is run as `python -m MAKER TARGET SOURCE…`,
calls `run_maker`, and writes graphs into the folder TARGET by `save`.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

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


_open: WeakValueDictionary[tuple[Path, int], onnxruntime.InferenceSession] = WeakValueDictionary()
_opening: dict[tuple[Path, int], threading.Lock] = {}


class UnusableModel(ValueError):
    """A source cannot be made into a model; says why, without a mend."""


UNUSABLE: tuple[type[Exception], ...] = (*RUNTIME_ERRORS, UnusableModel)
"""What `prepared` and `open_session` raise because of the model."""


def prepared(name: str, sources: Sequence[Path], cache_dir: Path, maker: str = __name__) -> Path:
    """The folder with what `maker` has written from `sources`; it is run when there is none for just these files, this
    processor and this version of the runtime. Blocks for seconds then.

    Raises:
        UnusableModel: the maker could not use its sources.
        SetupError: the cache cannot be written.
    """
    home = cache_dir / "models" / f"{name}-{_digest(*(str(source.resolve()) for source in sources))}"
    folder = home / _digest(*map(_state, sources), *_circumstances(maker))
    if folder.is_dir():
        return folder
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _make(folder, [str(source) for source in sources], maker)
    except OSError as error:
        raise SetupError(
            f"{home} cannot be written ({error.strerror}); make room, or mend its rights or `cache` in the YAML"
        ) from error
    return folder


def open_session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A prepared graph, ready to run; it reports nothing to anybody and does not spin. Whoever asks for the same one while it
    is open shares it. Raises one of RUNTIME_ERRORS."""
    with _opening.setdefault((path, threads), threading.Lock()):
        session = _open.get((path, threads))
        if session is None:
            options = _options(threads)
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            _open[path, threads] = session
        return session


def save(source: Path, target: Path) -> None:
    """For makers: write what the runtime makes of the graph `source`, its weights beside it. Raises one of
    RUNTIME_ERRORS."""
    options = _options(1)
    options.optimized_model_filepath = str(target)
    # It warns that the result is for this processor only, which is what we want.
    options.log_severity_level = 3
    entries = {
        "optimized_model_external_initializers_file_name": f"{target.name}.weights",
        "optimized_model_external_initializers_min_size_in_bytes": "1024",
        "save_external_prepacked_constant_initializers": "1",
    }
    for key, value in entries.items():
        options.add_session_config_entry(f"session.{key}", value)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def processor_flags() -> frozenset[str]:
    """What the processor can do, in Linux's words (`avx512_vnni`, …); none where Linux does not say."""
    words = (line.partition(":")[2].split() for line in _processor().splitlines() if line.startswith("flags"))
    return frozenset(next(words, ()))


def run_maker(make: Callable[[Path, Sequence[Path]], None], *, unusable: tuple[type[Exception], ...] = ()) -> None:
    """A maker's main: `make(target, sources)`; what is `unusable`, or raised by the runtime, is told in one line."""
    target, *sources = map(Path, sys.argv[1:])
    told: tuple[type[Exception], ...] = (*UNUSABLE, OSError, *unusable)
    try:
        make(target, sources)
    except told as error:
        sys.exit(" ".join(str(error).split()))


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # An arena would keep for ever what the longest utterance needed.
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _make(folder: Path, sources: Sequence[str], maker: str) -> None:
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder.parent) as part:
        target = Path(part) / "made"
        target.mkdir()
        command = [sys.executable, "-m", maker, str(target), *sources]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
            raise UnusableModel(lines[-1])
        for old in folder.parent.iterdir():
            # Whoever still has an old one open keeps it until they end.
            if old.is_dir() and old != Path(part):
                shutil.rmtree(old, ignore_errors=True)
        target.rename(folder)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _state(source: Path) -> str:
    """Changes whenever the file may have: reading all of it would cost a start more than all the rest."""
    stat = source.stat()
    return f"{stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _circumstances(maker: str) -> tuple[str, ...]:
    """What else decides how a prepared model looks: packed weights of one processor are garbage to another one."""
    found = [importlib.util.find_spec(module) for module in (__name__, maker)]
    code = [Path(spec.origin).read_text("utf-8") for spec in found if spec is not None and spec.origin is not None]
    return (onnxruntime.__version__, platform.machine(), _processor(), *code)


def _processor() -> str:
    """What the first processor can do; empty where Linux does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part")))


def _plain(target: Path, sources: Sequence[Path]) -> None:
    for source in sources:
        save(source, target / source.name)


if __name__ == "__main__":
    run_maker(_plain)
