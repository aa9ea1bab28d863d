"""A private PostgreSQL for tests and benches: its own folder, a free loopback port, stopped by its process id.

with RunningPostgres(folder) as server:
    url = await server.database("orders")  # its password is `server.password`

`python -m ccaas.testing.postgres PREFIX` unpacks Debian's packages, without root, where the machine has no PostgreSQL.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from ccaas.debian import PackageSet, Prefix
from ccaas.errors import SetupError
from ccaas.testing.asterisk import free_port
from ccaas.testing.unpacking import unpack

DEFAULT_PREFIX = Path(__file__).parents[2] / ".cache/postgresql"
"""Where `make test` puts it in a checkout, unless the machine has one."""

POSTGRESQL = PackageSet(
    packages=("postgresql",),
    leave_out=(
        # The machine's own: a C library only works with the loader of its very version.
        *(r"libc6", r"libgcc-s1", r"libstdc\+\+6", r"gcc-\d+-base"),
        # What maintainer scripts and administrators need.
        *(r"perl.*", r"libperl.*", r"lib.*-perl", r"debconf", r"dpkg", r"tar", r"usrmerge", r"adduser", r"passwd"),
        *(r"postgresql-common.*", r"postgresql-client-common", r"ssl-cert", r"openssl.*", r"locales.*", r"libc-.*"),
        *(r"systemd.*", r"sysvinit-utils", r"init-system-helpers", r"lsb-base", r"netbase", r"ucf", r"sensible-utils"),
        # Compiled queries, which we turn off.
        *(r"libllvm\d+.*", r"libz3-4", r"postgresql-\d+-jit"),
    ),
)

START_S = 60.0
STOP_S = 60.0


def find(prefix: Path = DEFAULT_PREFIX) -> tuple[Path, Mapping[str, str]]:
    """The folder of PostgreSQL's programs, and the environment that they need: the newest of the machine's, else the
    unpacked one.

    Raises:
        SetupError: there is none.
    """
    if own := _newest(Path("/usr/lib/postgresql")):
        return own, dict(os.environ)
    unpacked = Prefix(prefix.absolute())
    programs = _newest(unpacked.path / "usr/lib/postgresql")
    if programs is None:
        raise SetupError(f"there is no PostgreSQL on this machine and none in {prefix}; run `make test` once")
    libraries = unpacked.library_dir
    paths = f"{libraries}:{unpacked.path / 'lib' / libraries.name}"
    return programs, {**os.environ, "LD_LIBRARY_PATH": paths}


def _newest(folder: Path) -> Path | None:
    found = [path for path in folder.glob("*/bin") if (path / "initdb").is_file()]
    return max(found, key=lambda path: float(path.parent.name), default=None)


class RunningPostgres:
    """One server. It waits for its disk as in production (fsync), and dies with the test run, however that ends."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Args:
        folder: for its data, made when it is not there; data that are there already are used.
        options: further settings: "shared_buffers=1GB".
        """
        self._programs, self._environment = find()
        self._folder = folder.absolute()
        self._data = self._folder / "data"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.password = ""
        """Of the user postgres."""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
        secret = self._folder / "password"
        if not (self._data / "PG_VERSION").exists():
            shutil.rmtree(self._data, ignore_errors=True)
            secret.write_text(secrets.token_hex(16))
            secret.chmod(0o644 if os.geteuid() == 0 else 0o600)
            self._initialise(secret)
        self.password = secret.read_text()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; returns when it takes connections. Raises SetupError with the end of its log."""
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        log = self._folder / "log"
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=on",
            "synchronous_commit=on",
            "logging_collector=off",
            *self._options,
        ]
        command = [
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            *(word for s in settings for word in ("-c", s)),
        ]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_as_somebody(), *command], env=self._environment, cwd=self._folder, stdout=output, stderr=output
            )
        limit = time.monotonic() + START_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.kill()
                raise SetupError(f"PostgreSQL does not start: {log.read_text(errors='replace')[-1000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in order, whoever is connected."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self) -> None:
        """Let it die at once, without a word to anybody; `start` brings it back."""
        process, self._process = self._process, None
        if process is not None:
            # SIGQUIT is what the server itself calls immediate: nothing is written any more, children go too.
            process.send_signal(signal.SIGQUIT)
            process.wait()

    async def database(self, name: str) -> str:
        """Make an empty database; its URL, without the password."""
        connection = await asyncpg.connect(self.url("postgres"), password=self.password)
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database, without the password."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def _ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _initialise(self, secret: Path) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres", f"--pwfile={secret}"]
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions")
        done = subprocess.run(
            [*_as_somebody(), *command, *options],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(f"PostgreSQL's initdb failed: {(done.stderr or done.stdout).strip()[-500:]}")


def _as_somebody() -> list[str]:
    """PostgreSQL refuses to be root: then it is nobody, who may still enter the folders that it is given."""
    command = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        command += [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        command += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*command, "--"]


if __name__ == "__main__":
    sys.exit(
        unpack("postgres", POSTGRESQL, there=_newest(Path("/usr/lib/postgresql")) is not None, otherwise="postgresql")
    )
