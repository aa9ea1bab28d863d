"""Finds what is wrong with the `asterisk:` section before Asterisk does."""

from __future__ import annotations

import errno
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ccaas.asterisk.install import PROGRAM
from ccaas.config.asterisk import AsteriskSettings
from ccaas.debian import Prefix

RTP_PORTS_PER_CALL = 4
"""Two legs, each with a port for RTP and one for RTCP."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    steps: tuple[str | int, ...]
    """The way to the value in the YAML, from the top: ("asterisk", "sip", "udp")."""
    problem: str
    mend: str

    def __str__(self) -> str:
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps).lstrip(".")
        return f"{key}: {self.problem}; {self.mend}"


def faults(settings: AsteriskSettings, base: Path, *, running: bool = False) -> list[Fault]:
    """Everything that would keep the managed Asterisk from working; nothing is checked of an external one.

    Args:
        settings: the section.
        base: folder from which its paths start (the YAML's).
        running: our own Asterisk is up, so that its ports are taken by itself.
    """
    if settings.mode == "external":
        return []
    found = [*_prefix(settings, base), *_names(settings), *_files(settings, base), *_ranges(settings)]
    return found if found or running else list(_ports_in_use(settings))


def _prefix(settings: AsteriskSettings, base: Path) -> Iterator[Fault]:
    prefix = Prefix(base / settings.prefix)
    if not prefix.has(PROGRAM):
        yield Fault(("asterisk", "prefix"), f"there is no Asterisk in {prefix.path}", "run `make setup`")


def _names(settings: AsteriskSettings) -> Iterator[Fault]:
    phones = [phone.name for phone in settings.phones]
    trunks = [trunk.name for trunk in settings.trunks]
    counted = Counter([*phones, *trunks])
    for section, names in (("phones", phones), ("trunks", trunks)):
        for index, name in enumerate(names):
            if counted[name] > 1 and name in (phones + trunks)[: index + (len(phones) if section == "trunks" else 0)]:
                yield Fault(
                    ("asterisk", section, index, "name"), f'"{name}" is taken already', "give each its own name"
                )
    for index, name in enumerate(settings.fallback.ring):
        if name not in phones:
            known = ", ".join(phones) or "none"
            yield Fault(
                ("asterisk", "fallback", "ring", index),
                f'there is no phone "{name}"',
                f"name one of asterisk.phones ({known})",
            )
    for index, trunk in enumerate(settings.trunks):
        if (trunk.user is None) != (trunk.password is None):
            yield Fault(("asterisk", "trunks", index), "user and password belong together", "give both or none")


def _files(settings: AsteriskSettings, base: Path) -> Iterator[Fault]:
    wanted: list[tuple[tuple[str | int, ...], Path]] = [
        (("asterisk", "dialplan_files", index), path) for index, path in enumerate(settings.dialplan_files)
    ]
    if settings.tls is not None:
        wanted += [
            (("asterisk", "tls", "certificate"), settings.tls.certificate),
            (("asterisk", "tls", "key"), settings.tls.key),
        ]
    for steps, path in wanted:
        if not (base / path).is_file():
            yield Fault(steps, f"there is no file {base / path}", "correct the path")


def _ranges(settings: AsteriskSettings) -> Iterator[Fault]:
    rtp = settings.rtp
    if rtp.last - rtp.first < 2 * RTP_PORTS_PER_CALL - 1:
        yield Fault(
            ("asterisk", "rtp"),
            f"{rtp.first} to {rtp.last} is too small a range",
            "make `last` larger than `first` by 100 or more",
        )
    if rtp.first <= settings.sip.udp <= rtp.last:
        yield Fault(
            ("asterisk", "sip", "udp"), f"port {settings.sip.udp} lies among the audio ports", "move it or asterisk.rtp"
        )
    tcp = Counter([port for _, _, port in _tcp_ports(settings)])
    for steps, _, port in _tcp_ports(settings)[1:]:
        if tcp[port] > 1:
            yield Fault(steps, f"TCP port {port} is given twice", "choose another port")


def _tcp_ports(settings: AsteriskSettings) -> list[tuple[tuple[str | int, ...], str, int]]:
    ports: list[tuple[tuple[str | int, ...], str, int]] = [
        (("asterisk", "http_port"), "127.0.0.1", settings.http_port),
        (("asterisk", "sip", "tcp"), settings.bind, settings.sip.tcp),
    ]
    if settings.tls is not None:
        ports.append((("asterisk", "tls", "sip"), settings.bind, settings.tls.sip))
        ports.append((("asterisk", "tls", "https"), settings.bind, settings.tls.https))
    return ports


def _ports_in_use(settings: AsteriskSettings) -> Iterator[Fault]:
    for steps, address, port in _tcp_ports(settings):
        yield from _try_port(steps, socket.SOCK_STREAM, address, port)
    yield from _try_port(("asterisk", "sip", "udp"), socket.SOCK_DGRAM, settings.bind, settings.sip.udp)


def _try_port(steps: tuple[str | int, ...], kind: socket.SocketKind, address: str, port: int) -> Iterator[Fault]:
    protocol = "TCP" if kind is socket.SOCK_STREAM else "UDP"
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # As Asterisk does, or a past run would count.
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                yield Fault(
                    steps, f"{protocol} port {port} on {address} is in use", "stop what uses it or choose another port"
                )
            elif error.errno == errno.EADDRNOTAVAIL:
                yield Fault(
                    ("asterisk", "bind"), f"this machine has no address {address}", "choose one of its own, or 0.0.0.0"
                )
            else:
                yield Fault(
                    steps,
                    f"{protocol} port {port} on {address} cannot be opened ({error.strerror})",
                    "choose a port above 1023",
                )
