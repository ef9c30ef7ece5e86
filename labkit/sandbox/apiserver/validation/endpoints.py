"""EndpointSlice, Endpoints and Lease.

Unlike in a real cluster, an endpoint may be on the loopback interface: the sandbox's own API server is.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, required
from labkit.sandbox.apiserver.validation.basics import address, choice, immutable, not_negative, port_number
from labkit.sandbox.apiserver.validation.services import PROTOCOLS, special_address

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_VERSIONS: Final = {"IPv4": 4, "IPv6": 6}


def endpoint_slice(obj: JSON) -> Iterator[FieldError]:
    """An EndpointSlice."""
    kind = obj.get("addressType", "")
    yield from choice(kind, "addressType", ("FQDN", "IPv4", "IPv6"), needed=True)
    for index, endpoint in enumerate(obj.get("endpoints") or ()):
        path = f"endpoints[{index}]"
        if not endpoint.get("addresses"):
            yield required(f"{path}.addresses", "must contain at least 1 address")
        for number, one in enumerate(endpoint.get("addresses") or ()):
            yield from _address(kind, one, f"{path}.addresses[{number}]")
        host = endpoint.get("hostname")
        if host is not None:
            yield from (bad(f"{path}.hostname", host, text) for text in names.dns1123_label(host))
    seen = set()
    for index, port in enumerate(obj.get("ports") or ()):
        path, name = f"ports[{index}]", port.get("name") or ""
        if name:
            yield from (bad(f"{path}.name", name, text) for text in names.dns1123_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        yield from choice(port.get("protocol"), f"{path}.protocol", PROTOCOLS, needed=True)
        if port.get("port") is not None:
            yield from port_number(port["port"], f"{path}.port")


def _address(kind: str, value: str, path: str) -> Iterator[FieldError]:
    if kind == "FQDN":
        yield from (bad(path, value, text) for text in names.dns1123_subdomain(value))
        return
    try:
        right = ipaddress.ip_address(value).version == _VERSIONS.get(kind, 0)
    except ValueError:
        right = False
    if not right and kind in _VERSIONS:
        yield bad(path, value, f"must be a valid {kind} address")
    elif right:
        yield from (bad(path, value, text) for text in special_address(value, loopback=True))


def endpoint_slice_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """An EndpointSlice keeps its kind of addresses."""
    yield from immutable(new, old, "", "addressType")


def endpoints(obj: JSON) -> Iterator[FieldError]:
    """An Endpoints."""
    for index, subset in enumerate(obj.get("subsets") or ()):
        path = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield required(path, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for number, one in enumerate(subset.get(field) or ()):
                place, value = f"{path}.{field}[{number}].ip", one.get("ip", "")
                errors = list(address(value, place))
                yield from errors or [
                    bad(place, value, text) for text in special_address(value, loopback=True)
                ]
        ports = subset.get("ports") or []
        for number, port in enumerate(ports):
            place, name = f"{path}.ports[{number}]", port.get("name", "")
            if name:
                yield from (bad(f"{place}.name", name, text) for text in names.dns1123_label(name))
            elif len(ports) > 1:
                yield required(f"{place}.name")
            yield from port_number(port.get("port", 0), f"{place}.port")
            yield from choice(port.get("protocol"), f"{place}.protocol", PROTOCOLS, needed=True)


def lease(obj: JSON) -> Iterator[FieldError]:
    """A Lease."""
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield bad("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from not_negative(spec, "spec", "leaseTransitions")
