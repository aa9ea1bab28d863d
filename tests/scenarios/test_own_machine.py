"""Nothing leaves the machine: in a whole call, no process of ours has a socket that reaches beyond it."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path

import pytest
from callers import CHANGE, asked, asterisk_pid, greeted, nothing_left, until

from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

_UNSPECIFIED = {"0.0.0.0", "::"}


async def test_every_socket_stays_on_the_machine(site: Installation, ua: SipCaller) -> None:
    seen: set[tuple[str, str]] = set()
    watching = asyncio.create_task(_watch(site, seen))
    call = await greeted(ua)
    await asked(call, CHANGE)
    await call.hang_up()
    await until(lambda: nothing_left(site), "the call left nothing behind")
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)

    assert {place for place, _ in seen} >= {"controller", "asterisk"}
    assert {address for _, address in seen if not ipaddress.ip_address(address).is_loopback} == set()


async def _watch(site: Installation, seen: set[tuple[str, str]]) -> None:
    asterisk = asterisk_pid(site)
    controller = int((await site.health())["pid"])
    while True:
        for name, pid in (("asterisk", asterisk), ("controller", controller), *_children(controller)):
            seen |= {(name, address) for address in _addresses(pid)}
        await asyncio.sleep(0.02)


def _children(pid: int) -> list[tuple[str, int]]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [(f"child {child}", int(child)) for child in found]


def _addresses(pid: int) -> set[str]:
    """Both ends of all internet sockets of a process; of one without a far end, its own.

    PJSIP keeps two UDP sockets, without an address of its own or a far end, for asking name servers; it does so only
    when somebody configures a trunk by name.
    """
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found: set[str] = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            ends = {_address(field) for field in fields[1:3]}
            if fields[9] not in inodes or (table.startswith("udp") and ends <= _UNSPECIFIED):
                continue
            found |= {_address(fields[1])} | (ends - _UNSPECIFIED)
    return found


def _address(field: str) -> str:
    """ "0100007F:1F90" of /proc/net/tcp as "127.0.0.1": each 32-bit word is in the machine's own order."""
    words = field.partition(":")[0]
    octets = b"".join(bytes.fromhex(words[at : at + 8])[::-1] for at in range(0, len(words), 8))
    return str(ipaddress.ip_address(octets))
