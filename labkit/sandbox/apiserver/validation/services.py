"""Service."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import (
    FieldError,
    bad,
    duplicate,
    forbidden,
    required,
    unsupported,
)
from labkit.sandbox.apiserver.validation.basics import (
    address,
    choice,
    cidr,
    label_map,
    port_number,
    port_reference,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_LONGEST: Final = 86400
_FAMILY_POLICIES: Final = ("PreferDualStack", "RequireDualStack", "SingleStack")
_TRAFFIC: Final = ("PreferClose", "PreferSameNode", "PreferSameZone")
# A port as the real server shows one: its own struct's fields.
_GO_PORT: Final[JSON] = {
    "Name": "",
    "Protocol": "",
    "AppProtocol": None,
    "Port": 0,
    "TargetPort": 0,
    "NodePort": 0,
}
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def service(obj: JSON) -> Iterator[FieldError]:
    """A Service."""
    spec = obj["spec"]
    kind, headless = spec.get("type", ""), spec.get("clusterIP") == "None"
    ports = spec.get("ports") or []
    if not ports and not (headless and kind == "ClusterIP") and kind != "ExternalName":
        yield required("spec.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        yield bad("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_name(spec)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port(port, f"spec.ports[{index}]", len(ports) > 1, seen)
    yield from label_map(spec.get("selector"), "spec.selector")
    yield from _affinity(spec)
    yield from _addresses(spec, kind)
    yield from choice(kind, "spec.type", _TYPES, needed=True)
    yield from _node_ports(ports, kind)
    yield from _repeated(ports)
    yield from _balancer(spec, kind)
    yield from _policies(spec, kind)


def _external_name(spec: JSON) -> Iterator[FieldError]:
    for said, field in (("clusterIP", "clusterIPs"), ("ipFamilies",) * 2, ("ipFamilyPolicy",) * 2):
        if spec.get(said):
            yield forbidden(f"spec.{field}", "may not be set for ExternalName services")
    name = str(spec.get("externalName", "")).removesuffix(".")
    if not name:
        yield required("spec.externalName")
    else:
        yield from (bad("spec.externalName", name, text) for text in names.dns1123_subdomain(name))


def _affinity(spec: JSON) -> Iterator[FieldError]:
    affinity = spec.get("sessionAffinity")
    yield from choice(affinity, "spec.sessionAffinity", ("ClientIP", "None"), needed=True)
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if affinity == "ClientIP" and seconds is not None and not 0 < seconds <= _LONGEST:
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        yield bad(path, seconds, f"must be greater than 0 and less than {_LONGEST}")


def _port(port: JSON, path: str, needs_name: bool, seen: set[str]) -> Iterator[FieldError]:
    name = port.get("name", "")
    if needs_name and not name:
        yield required(f"{path}.name")
    elif name:
        yield from (bad(f"{path}.name", name, text) for text in names.dns1123_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
    yield from port_number(port.get("port", 0), f"{path}.port")
    yield from choice(port.get("protocol"), f"{path}.protocol", PROTOCOLS, needed=True)
    yield from port_reference(port.get("targetPort", 0), f"{path}.targetPort")
    protocol = port.get("appProtocol")
    if protocol is not None:
        yield from (bad(f"{path}.appProtocol", protocol, text) for text in names.qualified_name(protocol))


def _addresses(spec: JSON, kind: str) -> Iterator[FieldError]:
    if kind != "ExternalName":
        families = spec.get("ipFamilies") or []
        for index, family in enumerate(families):
            if family not in ("IPv4", "IPv6"):
                yield unsupported(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6"))
            elif family == "IPv6":
                yield bad(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
            if family in families[:index]:
                yield duplicate(f"spec.ipFamilies[{index}]", family)
        policy = spec.get("ipFamilyPolicy")
        if policy is not None and policy not in _FAMILY_POLICIES:
            yield unsupported("spec.ipFamilyPolicy", policy, _FAMILY_POLICIES)
        elif policy == "RequireDualStack":
            text = "this cluster is not configured for dual-stack services"
            yield bad("spec.ipFamilyPolicy", policy, text)
        for index, one in enumerate(spec.get("clusterIPs") or ()):
            if one not in ("", "None"):
                yield from address(one, f"spec.clusterIPs[{index}]")
    for index, one in enumerate(spec.get("externalIPs") or ()):
        place = f"spec.externalIPs[{index}]"
        errors = list(address(one, place))
        yield from errors or [bad(place, one, text) for text in special_address(one)]


def special_address(one: str, *, loopback: bool = False) -> Iterator[str]:
    """Why an address may not stand for a service; `loopback`: one of this machine's own may."""
    where = ipaddress.ip_address(one)
    if where.is_unspecified:
        yield f"may not be unspecified ({where})"
    if where.is_loopback and not loopback:
        yield "may not be in the loopback range (127.0.0.0/8, ::1/128)"
    if where.is_link_local:
        yield "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
    if where.is_multicast and (where.version == 4 and where in ipaddress.ip_network("224.0.0.0/24")):
        yield "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"


def _node_ports(ports: list[JSON], kind: str) -> Iterator[FieldError]:
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        path, number = f"spec.ports[{index}].nodePort", port.get("nodePort", 0)
        if not number:
            continue
        if kind == "ClusterIP":
            yield forbidden(path, "may not be used when `type` is 'ClusterIP'")
        if (port.get("protocol", ""), number) in taken:
            yield duplicate(path, number)
        taken.add((port.get("protocol", ""), number))


def _repeated(ports: list[JSON]) -> Iterator[FieldError]:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in seen:
            yield duplicate(f"spec.ports[{index}]", _GO_PORT | {"Protocol": key[0], "Port": key[1]})
        seen.add(key)


def _balancer(spec: JSON, kind: str) -> Iterator[FieldError]:
    only = "may only be used when `type` is 'LoadBalancer'"
    ranges = spec.get("loadBalancerSourceRanges") or []
    if ranges and kind != "LoadBalancer":
        yield forbidden("spec.LoadBalancerSourceRanges", only)
    for index, text in enumerate(ranges):
        yield from cidr(text.strip(), f"spec.LoadBalancerSourceRanges[{index}]")
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        yield forbidden("spec.allocateLoadBalancerNodePorts", only)
    name = spec.get("loadBalancerClass")
    if name and kind != "LoadBalancer":
        yield forbidden("spec.loadBalancerClass", only)
    elif name:
        yield from (bad("spec.loadBalancerClass", name, text) for text in names.qualified_name(name))


def _policies(spec: JSON, kind: str) -> Iterator[FieldError]:
    outside = spec.get("externalTrafficPolicy")
    if kind not in ("NodePort", "LoadBalancer") and not (kind == "ClusterIP" and spec.get("externalIPs")):
        if outside:
            text = "may only be set for externally-accessible services"
            yield bad("spec.externalTrafficPolicy", outside, text)
    else:
        yield from choice(outside, "spec.externalTrafficPolicy", ("Cluster", "Local"), needed=True)
    health = spec.get("healthCheckNodePort")
    if health and (kind, outside) != ("LoadBalancer", "Local"):
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield bad("spec.healthCheckNodePort", health, text)
    inside = spec.get("internalTrafficPolicy")
    if inside is not None and inside not in ("Cluster", "Local"):
        yield unsupported("spec.internalTrafficPolicy", inside, ("Cluster", "Local"))
    traffic = spec.get("trafficDistribution")
    if traffic is not None and traffic not in _TRAFFIC:
        yield unsupported("spec.trafficDistribution", traffic, _TRAFFIC)


def service_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A Service's first address stays, unless it becomes, or was, an ExternalName."""
    spec, before = new["spec"], old["spec"]
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return
    now, then = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if then and now[:1] != then[:1]:
        yield bad("spec.clusterIPs[0]", now, "may not change once set")
