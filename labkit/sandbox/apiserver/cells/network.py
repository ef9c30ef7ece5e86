"""Services', endpoints' and ingresses' cells."""

from __future__ import annotations

from typing import Any

from labkit.k8s.objects import get_path
from labkit.sandbox.apiserver.cells.values import NONE, UNSET

JSON = dict[str, Any]


def cluster_ip(service: JSON) -> str:
    """The Service's address."""
    addresses = service["spec"].get("clusterIPs") or ()
    return (addresses[0] if addresses else service["spec"].get("clusterIP")) or NONE


def external_ip(service: JSON) -> str:
    """Where a Service can be reached from outside."""
    spec = service["spec"]
    more = ",".join(spec.get("externalIPs") or ())
    kind = spec.get("type")
    if kind == "ExternalName":
        return spec.get("externalName") or NONE
    if kind != "LoadBalancer":
        return more or NONE
    found = balancer(service)
    joined = ",".join(part for part in (found, more) if part)
    return joined or "<pending>"


def balancer(obj: JSON) -> str:
    """The addresses of an object's load balancer."""
    found = get_path(obj, "status", "loadBalancer", "ingress", default=())
    return ",".join(one.get("ip") or one.get("hostname") or "" for one in found)


def service_ports(service: JSON) -> str:
    """``80:30080/TCP``."""
    ports = service["spec"].get("ports") or ()
    return (
        ",".join(
            f"{one['port']}:{one['nodePort']}/{one['protocol']}"
            if one.get("nodePort")
            else f"{one['port']}/{one['protocol']}"
            for one in ports
        )
        or NONE
    )


def first_three(values: list[str]) -> str:
    """The first three, and how many more."""
    if not values:
        return NONE
    rest = f" + {len(values) - 3} more..." if len(values) > 3 else ""
    return ",".join(values[:3]) + rest


def endpoints(obj: JSON) -> str:
    """``10.0.0.1:80``, the first three."""
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        ports: list[JSON] = subset.get("ports") or [{}]
        for port in ports:
            addresses = [address["ip"] for address in subset.get("addresses") or ()]
            found += [f"{address}:{port['port']}" if port else address for address in addresses]
    return first_three(found)


def slice_ports(obj: JSON) -> str:
    """The ports of an EndpointSlice, the first three."""
    ports = obj.get("ports")
    return first_three([str(one.get("port", "*")) for one in ports]) if ports else UNSET


def slice_addresses(obj: JSON) -> str:
    """The addresses of an EndpointSlice, the first three."""
    found = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]
    return first_three(found) if found else UNSET


def ingress_hosts(obj: JSON) -> str:
    """The host names, the first three."""
    hosts = [rule.get("host") for rule in obj["spec"].get("rules") or ()]
    named = [host for host in hosts if host]
    if not named:
        return "*"
    return first_three(named)


def class_parameters(obj: JSON) -> str:
    """What an IngressClass refers to."""
    parameters = obj["spec"].get("parameters")
    if not parameters:
        return NONE
    kind = parameters["kind"]
    if parameters.get("apiGroup"):
        kind = f"{kind}.{parameters['apiGroup']}"
    return f"{kind}/{parameters['name']}"
