"""A real model behind a real server, for tests of the protocol: llama.cpp's server with SmolLM2 (135 million parameters).

with RunningLlama(folder) as server:
    …  # an OpenAI-compatible API at server.url

`python -m ccaas.testing.llama PREFIX` unpacks Debian's packages without root; the weights are the model "smollm2".
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from ccaas.debian import PackageSet, Prefix
from ccaas.errors import SetupError
from ccaas.testing.asterisk import free_port
from ccaas.testing.unpacking import unpack

ROOT = Path(__file__).parents[2]
DEFAULT_PREFIX = ROOT / ".cache/llama"
"""Where `make test` puts it in a checkout."""
DEFAULT_WEIGHTS = ROOT / ".cache/models/smollm2/model.gguf"

PROGRAM = "usr/bin/llama-server"
_BACKENDS = "ggml/backends0"

LLAMA = PackageSet(
    packages=("llama.cpp-tools",),
    suite="forky",
    leave_out=(
        # What fetches models, and what only maintainer scripts run.
        *(r"wget", r"debconf", r"libpcre2-8-0", r"libuuid1", r"libpsl5.*", r"libidn2-0", r"libunistring5", r"libffi8"),
        *(r"libgnutls.*", r"libnettle8.*", r"libhogweed6.*", r"libgmp10", r"libtasn1-6", r"libp11-kit0"),
        *(r"gcc-\d+-base", r"libc-gconv-modules-extra", r"openssl-provider-legacy"),
    ),
)

START_S = 60.0
STOP_S = 10.0


class RunningLlama:
    """One server on one thread, on a free loopback port. It dies with the test run, however that ends."""

    def __init__(self, folder: Path, prefix: Path = DEFAULT_PREFIX, weights: Path = DEFAULT_WEIGHTS) -> None:
        """`folder`: for its log.

        Raises:
            SetupError: the program or the weights are not there.
        """
        if not weights.is_file():
            raise SetupError(f"{weights}: the weights are missing; run `make test` once")
        self._prefix = Prefix(prefix.absolute())
        port = free_port()
        options = [
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--ctx-size",
            "4096",
            "--threads",
            "1",
            "--parallel",
            "1",
        ]
        self._command = self._prefix.command(PROGRAM, "--model", str(weights.absolute()), *options)
        # Its own library lies in a folder of its own.
        self._command[self._command.index("--library-path") + 1] += f":{self._prefix.library_dir / 'llama'}"
        self._log = folder / "llama.log"
        self._health = f"http://127.0.0.1:{port}/health"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{port}/v1"

    def __enter__(self) -> Self:
        """Start it. Raises SetupError with the end of its log."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self._command],
                # It looks for its processors' libraries where it was installed, which is elsewhere, and then here.
                cwd=self._prefix.library_dir / _BACKENDS,
                stdout=log,
                stderr=log,
            )
        limit = time.monotonic() + START_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise SetupError(f"llama-server does not start: {self._log.read_text(errors='replace')[-1000:]}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(self._health, timeout=1) as answer:  # noqa: S310 (ours, on the loopback)
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


if __name__ == "__main__":
    sys.exit(unpack("llama", LLAMA))
