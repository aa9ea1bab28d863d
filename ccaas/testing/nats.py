"""A private NATS server with JetStream for tests: its own folder, a free loopback port, stopped by its process id.

with RunningNats(folder) as server:
    …  # at server.url, with server.user and server.password

`python -m ccaas.testing.nats PREFIX` unpacks Debian's package, without root, where the machine has no nats-server.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ccaas.debian import PackageSet, Prefix
from ccaas.errors import SetupError
from ccaas.testing.asterisk import free_port
from ccaas.testing.unpacking import unpack

DEFAULT_PREFIX = Path(__file__).parents[2] / ".cache/nats"
"""Where `make test` puts it in a checkout, unless the machine has one."""
PROGRAM = "usr/sbin/nats-server"
# It is one program that needs the machine's own C library and nothing else.
NATS = PackageSet(
    packages=("nats-server",),
    leave_out=(r"libc6", r"libgcc-s1", r"gcc-\d+-base", r"adduser", r"passwd", r"debconf.*", r"perl.*", r"lib.*"),
)

START_S = 60.0
STOP_S = 60.0


def find(prefix: Path = DEFAULT_PREFIX) -> str:
    """The program: the machine's own, else the unpacked one. Raises SetupError when there is none."""
    own = shutil.which("nats-server")
    if own:
        return own
    unpacked = Prefix(prefix.absolute())
    if not unpacked.has(PROGRAM):
        raise SetupError(f"there is no nats-server on this machine and none in {prefix}; run `make test` once")
    return str(unpacked.path / PROGRAM)


class RunningNats:
    """One server with a file store. It dies with the test run, however that ends."""

    def __init__(self, folder: Path, authorization: str = "") -> None:
        """Args:
        folder: for its streams and its log; what is there already is used.
        authorization: lines of its configuration that say who may connect; left out, one user with a password.
        """
        self._program = find()
        self._folder = folder.absolute()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.user, self.password = "ccaas", secrets.token_hex(16)
        one = f'authorization {{ user: "{self.user}", password: "{self.password}" }}\n'
        self._authorization = authorization or one

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"nats://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "nats.conf"
        file.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f"{self._authorization}"
            f'jetstream {{ store_dir: "{self._folder / "streams"}", max_mem: 64MB, max_file: 256MB }}\n'
        )
        file.chmod(0o600)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; returns when it takes connections. Raises SetupError with the end of its log."""
        log = self._folder / "log"
        command = ["setpriv", "--pdeathsig", "KILL", "--", self._program, "-c", str(self._folder / "nats.conf")]
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=output, stderr=output)
        limit = time.monotonic() + START_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.kill()
                raise SetupError(f"nats-server does not start: {log.read_text(errors='replace')[-1000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in order."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self) -> None:
        """Let it die at once, without a word to anybody; `start` brings it back."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as asked:
                return asked.recv(4) == b"INFO"
        except OSError:
            return False


if __name__ == "__main__":
    sys.exit(unpack("nats", NATS, there=bool(shutil.which("nats-server")), otherwise="nats-server"))
