"""From where somebody visits, through the proxies in front of us."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from aiohttp import web

__all__ = ["Network", "visitor_address"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_OF_ONE_HOUSEHOLD = 64
"""bits: whoever has one IPv6 address has all that begin like it"""


def visitor_address(request: web.Request, proxies: Sequence[Network]) -> str:
    """The last address that isn't a proxy of ours. Only they are believed in what `X-Forwarded-For` says."""
    passed = [part.strip() for header in request.headers.getall("X-Forwarded-For", []) for part in header.split(",")]
    address: _Address | None = None
    for hop in (request.remote or "", *reversed(passed)):
        found = _read(hop)
        if found is None:
            break
        address = found
        if not _is_one_of(found, proxies):
            break
    return "?" if address is None else _counted_as(address)


def _read(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _is_one_of(address: _Address, proxies: Iterable[Network]) -> bool:
    return any(address in network for network in proxies)


def _counted_as(address: _Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, _OF_ONE_HOUSEHOLD), strict=False))
