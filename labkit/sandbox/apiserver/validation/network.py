"""Ingress, IngressClass, NetworkPolicy, EndpointSlice."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, unsupported
from labkit.sandbox.apiserver.validation.basics import (
    choice,
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
    name = spec.get("ingressClassName")
    if name is not None:
        yield from (bad("spec.ingressClassName", name, text) for text in names.dns1123_subdomain(name))
    for index, tls in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(tls.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{index}].hosts[{number}]")


def _host(host: str, path: str) -> Iterator[FieldError]:
    plain = host.removeprefix("*.") if "*" in host else host
    yield from (bad(path, host, text) for text in names.dns1123_subdomain(plain))


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
    elif kind not in _PATH_TYPES:
        yield unsupported(f"{path}.pathType", kind, _PATH_TYPES)
    elif kind in ("Exact", "Prefix"):
        if not value.startswith("/"):
            yield bad(f"{path}.path", value, "must be an absolute path")
        for part in ("//", "/./", "/../", "%2f", "%2F"):
            if part in value:
                yield bad(f"{path}.path", value, f"must not contain '{part}'")
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
        yield required(path, "either `service` or `resource` must be specified")
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
        yield FieldError("spec.controller", "FieldValueTooLong", "Too long: may not be more than 250 bytes")
    if not controller:
        yield bad("spec.controller", "", 'must be a domain-prefixed path (such as "acme.io/foo")')


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
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        yield from choice(kind, f"spec.policyTypes[{index}]", ("Egress", "Ingress"))


def _policy_port(port: JSON, path: str) -> Iterator[FieldError]:
    yield from choice(port.get("protocol"), f"{path}.protocol", _PROTOCOLS)
    number, end = port.get("port"), port.get("endPort")
    if number is not None:
        yield from port_reference(number, f"{path}.port")
        if end is not None and isinstance(number, int) and end < number:
            yield bad(f"{path}.endPort", end, "must be greater than or equal to `port`")
        if end is not None and isinstance(number, str):
            yield bad(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
    elif end is not None:
        yield required(f"{path}.port", "must be specified when `endPort` is specified")


def _peer(peer: JSON, path: str) -> Iterator[FieldError]:
    selectors = [field for field in ("podSelector", "namespaceSelector") if peer.get(field) is not None]
    for field in selectors:
        yield from label_selector(peer[field], f"{path}.{field}")
    block = peer.get("ipBlock")
    if block is None:
        if not selectors:
            yield required(path, "must specify a peer")
        return
    if selectors:
        yield forbidden(path, "may not specify both ipBlock and another peer")
    yield from _block(block, f"{path}.ipBlock")


def _block(block: JSON, path: str) -> Iterator[FieldError]:
    cidr = block.get("cidr", "")
    if not cidr:
        yield required(f"{path}.cidr")
        return
    try:
        whole = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        yield bad(f"{path}.cidr", cidr, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        return
    for index, text in enumerate(block.get("except") or ()):
        place = f"{path}.except[{index}]"
        try:
            part = ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield bad(place, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
            continue
        if part.version != whole.version or not part.subnet_of(whole):  # type: ignore[arg-type]
            yield bad(place, text, "must be a strict subset of `cidr`")


def endpoint_slice(obj: JSON) -> Iterator[FieldError]:
    """An EndpointSlice."""
    yield from choice(obj.get("addressType"), "addressType", ("FQDN", "IPv4", "IPv6"), needed=True)
    for index, endpoint in enumerate(obj.get("endpoints") or ()):
        if not endpoint.get("addresses"):
            yield required(f"endpoints[{index}].addresses", "must contain at least 1 address")


def endpoint_slice_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """An EndpointSlice keeps its kind of addresses."""
    yield from immutable(new, old, "", "addressType")
