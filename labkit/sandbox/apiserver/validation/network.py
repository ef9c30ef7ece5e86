"""Ingress, IngressClass, NetworkPolicy."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, too_long, unsupported
from labkit.sandbox.apiserver.object_meta import path_segment
from labkit.sandbox.apiserver.validation.basics import (
    cidr,
    domain_path,
    immutable,
    label_selector,
    port_number,
    port_reference,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def ingress(obj: JSON) -> Iterator[FieldError]:
    """An Ingress."""
    spec = obj["spec"]
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and default is None:
        text = "either `defaultBackend` or `rules` must be specified"
        yield bad("spec", None, text)
    if default is not None:
        yield from _backend(default, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        yield from _ingress_rule(rule, f"spec.rules[{index}]")
    for index, tls in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(tls.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{index}].hosts[{number}]")
        secret = tls.get("secretName", "")
        if secret:
            place = f"spec.tls[{index}].secretName"
            yield from (bad(place, secret, text) for text in names.dns1123_subdomain(secret))
    name = spec.get("ingressClassName")
    if name is not None:
        yield from (bad("spec.ingressClassName", name, text) for text in names.dns1123_subdomain(name))


def new_ingress(obj: JSON) -> Iterator[FieldError]:
    """The old way to name the class and the new one do not contradict each other."""
    key = "kubernetes.io/ingress.class"
    old, new = (obj["metadata"].get("annotations") or {}).get(key), obj["spec"].get("ingressClassName")
    if old is not None and new is not None and old != new:
        text = "must match `ingressClassName` when both are specified"
        yield bad(f"annotations.{key}", old, text)


def _host(host: str, path: str) -> Iterator[FieldError]:
    check = names.wildcard_subdomain if "*" in host else names.dns1123_subdomain
    yield from (bad(path, host, text) for text in check(host))


def _ingress_rule(rule: JSON, path: str) -> Iterator[FieldError]:
    host = rule.get("host", "")
    if host:
        try:
            ipaddress.ip_address(host)
            yield bad(f"{path}.host", host, "must be a DNS name, not an IP address")
        except ValueError:
            yield from _host(host, f"{path}.host")
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        yield required(f"{path}.http.paths")
    for index, one in enumerate(http.get("paths") or ()):
        yield from _path(one, f"{path}.http.paths[{index}]")


def _path(one: JSON, path: str) -> Iterator[FieldError]:
    kind, value = one.get("pathType"), one.get("path", "")
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    if kind not in _PATH_TYPES:
        yield unsupported(f"{path}.pathType", kind, _PATH_TYPES)
    elif kind in ("Exact", "Prefix"):
        if not value.startswith("/"):
            yield bad(f"{path}.path", value, "must be an absolute path")
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in value:
                yield bad(f"{path}.path", value, f"must not contain '{part}'")
        for part in ("/..", "/."):
            if value.endswith(part):
                yield bad(f"{path}.path", value, f"cannot end with '{part}'")
    elif value and not value.startswith("/"):
        yield bad(f"{path}.path", value, "must be an absolute path")
    yield from _backend(one.get("backend") or {}, f"{path}.backend")


def _backend(backend: JSON, path: str) -> Iterator[FieldError]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield bad(path, "", "cannot set both resource and service backends")
        return
    if resource is not None:
        for field in ("kind", "name"):
            if not resource.get(field):
                yield required(f"{path}.resource.{field}")
        return
    if service is None:
        yield bad(path, "", "resource or service backend is required")
        return
    name = service.get("name", "")
    if not name:
        yield required(f"{path}.service.name")
    else:
        yield from (bad(f"{path}.service.name", name, text) for text in names.dns1123_label(name))
    port = service.get("port") or {}
    if port.get("name") and port.get("number"):
        yield bad(path, "", "cannot set both port name & port number")
    elif port.get("name"):
        yield from port_reference(port["name"], f"{path}.service.port.name")
    elif port.get("number"):
        yield from port_number(port["number"], f"{path}.service.port.number")
    else:
        yield required(path, "port name or number is required")


def ingress_class(obj: JSON) -> Iterator[FieldError]:
    """An IngressClass."""
    controller = obj["spec"].get("controller", "")
    if len(controller) > 250:
        yield too_long("spec.controller", 250)
    yield from domain_path(controller, "spec.controller")
    reference, path = obj["spec"].get("parameters"), "spec.parameters"
    if reference is None:
        return
    group = reference.get("apiGroup")
    if group is not None:
        yield from (bad(f"{path}.apiGroup", group, text) for text in names.dns1123_subdomain(group))
    for field in ("kind", "name"):
        value = reference.get(field, "")
        if not value:
            yield required(f"{path}.{field}")
        yield from (bad(f"{path}.{field}", value, text) for text in path_segment(value))
    scope, namespace = reference.get("scope"), reference.get("namespace")
    if scope not in ("Cluster", "Namespace"):
        yield unsupported(f"{path}.scope", scope, ("Cluster", "Namespace"))
    elif scope == "Namespace" and namespace is None:
        yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")


def ingress_class_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """An IngressClass keeps its controller."""
    yield from immutable(new["spec"], old["spec"], "spec", "controller")


def network_policy(obj: JSON) -> Iterator[FieldError]:
    """A NetworkPolicy."""
    spec = obj["spec"]
    yield from label_selector(spec.get("podSelector"), "spec.podSelector")
    for field, end in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(field) or ()):
            path = f"spec.{field}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _policy_port(port, f"{path}.ports[{number}]")
            for number, peer in enumerate(rule.get(end) or ()):
                yield from _peer(peer, f"{path}.{end}[{number}]")
    kinds = spec.get("policyTypes") or []
    if len(kinds) > 2:
        yield bad("spec.policyTypes", kinds, "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(kinds):
        if kind not in ("Ingress", "Egress"):
            yield unsupported(f"spec.policyTypes[{index}]", kind, ("Ingress", "Egress"))


def _policy_port(port: JSON, path: str) -> Iterator[FieldError]:
    kind, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if kind is not None and kind not in _PROTOCOLS:
        yield unsupported(f"{path}.protocol", kind, ("TCP", "UDP", "SCTP"))
    if isinstance(number, int):
        yield from port_number(number, f"{path}.port")
        if end is not None:
            if end < number:
                yield bad(f"{path}.endPort", end, "must be greater than or equal to `port`")
            yield from port_number(end, f"{path}.endPort")
        return
    if end is not None:
        why = "non-numeric" if number is not None else "not specified"
        yield bad(f"{path}.endPort", end, f"may not be specified when `port` is {why}")
    yield from port_reference(number, f"{path}.port")


def _peer(peer: JSON, path: str) -> Iterator[FieldError]:
    selectors = [field for field in ("podSelector", "namespaceSelector") if peer.get(field) is not None]
    for field in selectors:
        yield from label_selector(peer[field], f"{path}.{field}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _block(block, f"{path}.ipBlock")
        if selectors:
            yield forbidden(path, "may not specify both ipBlock and another peer")
    elif not selectors:
        yield required(path, "must specify a peer")


def _block(block: JSON, path: str) -> Iterator[FieldError]:
    whole = block.get("cidr", "")
    if not whole:
        yield required(f"{path}.cidr")
        return
    errors = list(cidr(whole, f"{path}.cidr"))
    yield from errors
    if errors:
        return
    for index, text in enumerate(block.get("except") or ()):
        place = f"{path}.except[{index}]"
        errors = list(cidr(text, place))
        yield from errors
        if not errors and not _inside(text, whole):
            yield bad(place, text, "must be a strict subset of `cidr`")


def _inside(part: str, whole: str) -> bool:
    inner, outer = (ipaddress.ip_network(text, strict=False) for text in (part, whole))
    if inner.version != outer.version or inner.prefixlen <= outer.prefixlen:
        return False
    return inner.network_address in outer
