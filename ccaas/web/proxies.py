"""Whose connection it is, where reverse proxies may stand before a server of ours."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError("give an IP address or a network like 10.0.0.0/8") from None


Network = Annotated[str, AfterValidator(_network)]
"""An IP address or a network, as settings have it."""


def client_address(peer: str | None, forwarded: str, proxies: Sequence[str]) -> str:
    """Whose connection it is.

    Args:
        peer: the other end of the TCP connection.
        forwarded: `X-Forwarded-For`; what is left of the first address that is no proxy of ours may be forged.
        proxies: networks of our own proxies.

    Returns:
        An IP address; of IPv6 the /64, which one customer has to himself. Empty when there is none.
    """
    networks = [ipaddress.ip_network(proxy) for proxy in proxies]
    found = ""
    for hop in (peer or "", *reversed(forwarded.split(","))):
        try:
            address = ipaddress.ip_address(hop.strip())
        except ValueError:
            break
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        found = str(
            address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False).network_address
        )
        if not any(address in network for network in networks):
            break
    return found
