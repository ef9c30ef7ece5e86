"""Network addresses that other people's configuration names."""

from __future__ import annotations

import contextlib
import ipaddress
import socket


def is_link_local(host: str) -> bool:
    """Whether a host is an address of the link itself, in whatever notation: no repository is there.

    What is there, on machines of cloud providers, is the service that hands out the machine's own credentials
    (169.254.169.254). Names are not looked up: who can change a name server can change the answer, too.
    """
    text = host.strip("[]").partition("%")[0]
    found: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    with contextlib.suppress(ValueError):
        found = ipaddress.ip_address(text)
    with contextlib.suppress(OSError, UnicodeEncodeError):
        # Whoever connects takes 2852039166 and 0xa9fea9fe for an address as well.
        found = found or ipaddress.IPv4Address(socket.inet_aton(text))
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found is not None and found.is_link_local
