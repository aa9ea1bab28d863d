"""The private folder in which a managed Asterisk lives: configuration, log, recordings, control socket."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 100
"""Characters of a Unix socket's path that Linux takes (108), less the name of the file."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths under one absolute folder."""

    path: Path

    @property
    def etc(self) -> Path:
        """Rendered configuration; everything in it is made again from the settings."""
        return self.path / "etc"

    @property
    def config(self) -> Path:
        """What `asterisk -C` names."""
        return self.etc / "asterisk.conf"

    @property
    def log(self) -> Path:
        """Asterisk's log file."""
        return self.path / "log/messages"

    @property
    def console(self) -> Path:
        """What Asterisk prints before its log is open, and when it crashes."""
        return self.path / "log/console"

    @property
    def data(self) -> Path:
        """What Asterisk only reads: prompts and its manual; made again at every start."""
        return self.path / "data"

    @property
    def recordings(self) -> Path:
        """Where ARI's recordings are written."""
        return self.path / "spool/recording"

    @property
    def secrets(self) -> Path:
        """Passwords made for this installation."""
        return self.path / "secrets.json"

    @property
    def sockets(self) -> Path:
        """Folder of the control socket and the pid file; a short one in /tmp where this folder's path is too long."""
        wanted = self.path / "run"
        if len(str(wanted)) + len("/asterisk.ctl") <= SOCKET_PATH_LIMIT:
            return wanted
        digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"ccaas-{os.getuid()}-{digest}"

    @property
    def pid_file(self) -> Path:
        """Written by Asterisk itself."""
        return self.sockets / "asterisk.pid"

    def make(self) -> None:
        """Create the folders, readable by their owner alone."""
        for part in (
            *("etc", "log/cdr-csv", "log/cel-custom", "db", "lib/keys", "lib/agi-bin", "cache", "moh", "sbin"),
            *("spool/recording", "spool/voicemail", "spool/monitor", "spool/outgoing", "spool/tmp"),
        ):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
