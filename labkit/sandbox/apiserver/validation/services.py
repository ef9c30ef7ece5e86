"""Service."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, required
from labkit.sandbox.apiserver.validation.basics import choice, label_map, port_number, port_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def service(obj: JSON) -> Iterator[FieldError]:
    """A Service."""
    spec = obj["spec"]
    kind, headless = spec.get("type", ""), spec.get("clusterIP") == "None"
    ports = spec.get("ports") or []
    if not ports and not headless and kind != "ExternalName":
        yield required("spec.ports")
    if kind == "ExternalName":
        yield from _external_name(spec)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port(port, f"spec.ports[{index}]", len(ports) > 1, seen)
    yield from label_map(spec.get("selector"), "spec.selector")
    yield from choice(spec.get("sessionAffinity"), "spec.sessionAffinity", ("ClientIP", "None"), needed=True)
    yield from choice(kind, "spec.type", _TYPES, needed=True)
    yield from _addresses(spec, kind)
    yield from _node_ports(ports, kind)
    yield from _repeated(ports)
    yield from _policies(spec, kind)


def _external_name(spec: JSON) -> Iterator[FieldError]:
    if spec.get("clusterIP"):
        yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    name = str(spec.get("externalName", "")).removesuffix(".")
    if not name:
        yield required("spec.externalName")
    else:
        yield from (bad("spec.externalName", name, text) for text in names.dns1123_subdomain(name))


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


def _addresses(spec: JSON, kind: str) -> Iterator[FieldError]:
    if kind == "ExternalName":
        return
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        if address in ("", "None"):
            continue
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield bad(
                f"spec.clusterIPs[{index}]",
                address,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            )
    for index, address in enumerate(spec.get("externalIPs") or ()):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield bad(
                f"spec.externalIPs[{index}]",
                address,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            )
    if kind == "LoadBalancer" and spec.get("clusterIP") == "None":
        yield bad("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services")
    if kind == "NodePort" and spec.get("clusterIP") == "None":
        yield bad("spec.clusterIPs[0]", "None", "may not be set to 'None' for NodePort services")


def _node_ports(ports: list[JSON], kind: str) -> Iterator[FieldError]:
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        path, number = f"spec.ports[{index}].nodePort", port.get("nodePort", 0)
        if not number:
            continue
        if kind == "ClusterIP":
            yield forbidden(path, "may not be used when `type` is 'ClusterIP'")
        elif (port.get("protocol", ""), number) in taken:
            yield duplicate(path, number)
        taken.add((port.get("protocol", ""), number))


def _repeated(ports: list[JSON]) -> Iterator[FieldError]:
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in seen:
            yield duplicate(f"spec.ports[{index}]", {"port": key[1], "protocol": key[0]})
        seen.add(key)


def _policies(spec: JSON, kind: str) -> Iterator[FieldError]:
    outside = spec.get("externalTrafficPolicy")
    if outside:
        if kind not in ("NodePort", "LoadBalancer") and not spec.get("externalIPs"):
            text = "may only be set for externally-accessible services"
            yield bad("spec.externalTrafficPolicy", outside, text)
        else:
            yield from choice(outside, "spec.externalTrafficPolicy", ("Cluster", "Local"))
    yield from choice(spec.get("internalTrafficPolicy"), "spec.internalTrafficPolicy", ("Cluster", "Local"))
    yield from choice(
        spec.get("ipFamilyPolicy"),
        "spec.ipFamilyPolicy",
        ("SingleStack", "PreferDualStack", "RequireDualStack"),
    )
    if spec.get("loadBalancerClass") and kind != "LoadBalancer":
        yield forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        yield forbidden(
            "spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"
        )


def service_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A Service's first address stays, unless it becomes, or was, an ExternalName."""
    spec, before = new["spec"], old["spec"]
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return
    now, then = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if then and now[:1] != then[:1]:
        yield bad("spec.clusterIPs[0]", now, "may not change once set")
