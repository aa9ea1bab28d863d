"""A real Asterisk for tests and benches: private folder, free ports, ready when entered.

async with RunningAsterisk(folder, phones=("6001",)) as asterisk:
    … asterisk.access, asterisk.sip_address, await asterisk.console("core show channels")
"""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ccaas.asterisk.managed import ManagedAsterisk
from ccaas.config.asterisk import AsteriskSettings

DEFAULT_PREFIX = Path(__file__).parents[2] / ".cache/asterisk"
"""Where `make setup` puts Asterisk in a checkout."""

RTP_SPAN = 1000
"""UDP ports for audio: 250 calls."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on 127.0.0.1 that nobody uses right now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_sip_port() -> int:
    """A port on 127.0.0.1 that is free for UDP and TCP alike."""
    while True:
        port = free_port(socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def free_settings(phones: Sequence[str | Mapping[str, Any]] = (), **changes: Any) -> AsteriskSettings:
    """Settings with free ports, echo extensions and the phones given (names, or whole phone sections)."""
    sip = free_sip_port()
    # Below the kernel's own range, and seldom the same for two at once.
    first = random.SystemRandom().randrange(10_000, 32_000 - RTP_SPAN, 2)
    section: dict[str, Any] = {
        "prefix": DEFAULT_PREFIX,
        "http_port": free_port(),
        "sip": {"udp": sip, "tcp": sip},
        "rtp": {"first": first, "last": first + RTP_SPAN - 1},
        "phones": [{"name": phone} if isinstance(phone, str) else dict(phone) for phone in phones],
        "test_extensions": True,
    }
    return AsteriskSettings.model_validate({**section, **changes})


class RunningAsterisk:
    """Renders, starts and on leaving stops an Asterisk of its own; it dies with the test run, however that ends.

    `outlive` leaves it up when this program is killed, as in production.
    """

    def __init__(
        self,
        folder: Path,
        *,
        phones: Sequence[str | Mapping[str, Any]] = (),
        settings: AsteriskSettings | None = None,
        outlive: bool = False,
    ) -> None:
        self.settings = settings or free_settings(phones)
        self.managed = ManagedAsterisk(self.settings, folder, Path(), outlive=outlive)
        self.folder = self.managed.folder
        self.access = self.managed.access
        self.process = self.managed.process

    @property
    def sip_address(self) -> str:
        """Host and port for SIP over UDP and TCP: "127.0.0.1:25060"."""
        return f"{self.settings.bind}:{self.settings.sip.udp}"

    def uri(self, user: str) -> str:
        """The SIP address of an extension."""
        return f"sip:{user}@{self.sip_address}"

    def password(self, phone: str) -> str:
        """A phone's password."""
        given = {one.name: one.password for one in self.settings.phones}
        return given[phone] or self.managed.secrets.phones[phone]

    async def console(self, command: str) -> str:
        """What `asterisk -rx COMMAND` prints."""
        return await self.managed.console(command)

    async def __aenter__(self) -> Self:
        await self.managed.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.managed.stop()
