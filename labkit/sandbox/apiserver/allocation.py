"""A Service's addresses and node ports: what is asked for if it is free, else the next that is.

What is taken is read from the Services themselves, so that nothing can be lost or leak.

Source: Kubernetes' pkg/registry/core/service (ipallocator, portallocator, storage/alloc.go).
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver import field_errors
from labkit.sandbox.apiserver.field_errors import FieldError, bad

if TYPE_CHECKING:
    from labkit.sandbox.store import Change, Store

JSON = dict[str, Any]

SERVICES: Final = "services"
NETWORK: Final = ipaddress.ip_network("10.96.0.0/12")
NODE_PORTS: Final = range(30000, 32768)
_ADDRESSED: Final = ("ClusterIP", "NodePort", "LoadBalancer")


class Allocator:
    """Gives Services their addresses and ports."""

    def __init__(self, store: Store) -> None:
        # How many Services have it: two for a moment, when a restore swaps the addresses of two.
        self._addresses: Counter[str] = Counter()
        self._ports: Counter[int] = Counter()
        self._next_address, self._next_port = 10, 0
        for _, entry in store.list(SERVICES):
            self._take(entry.decode())
        store.subscribe(self._on_change)

    def _on_change(self, change: Change) -> None:
        if change.key.resource != SERVICES:
            return
        if change.old is not None:
            self._addresses -= Counter(set(_addresses(change.old)))  # what nobody has any more is not counted
            self._ports -= Counter(set(_ports(change.old)))
        if change.new is not None:
            self._take(change.new)

    def _take(self, service: JSON) -> None:
        self._addresses.update(set(_addresses(service)))
        self._ports.update(set(_ports(service)))

    def allocate(self, service: JSON, old: JSON | None = None) -> None:
        """Fill in what the Service's type needs, and take away what it may not have.  Raises `Invalid`."""
        spec = service["spec"]
        name = service["metadata"].get("name", "")
        if old is not None:
            _drop_outlived(spec, old["spec"])
        if spec["type"] not in _ADDRESSED:
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
                if old is None or key in ("clusterIP", "clusterIPs"):
                    spec.pop(key, None)
            return
        self._families(spec)
        self._address(spec, name, set(_addresses(old)) if old else set())
        self._node_ports(spec, name, set(_ports(old)) if old else set(), old)

    def _families(self, spec: JSON) -> None:
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        if not spec.get("ipFamilies"):
            spec["ipFamilies"] = ["IPv4"]

    def _address(self, spec: JSON, name: str, own: set[str]) -> None:
        asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
        if not asked:
            asked = self._free_address()
        elif asked != "None" and asked not in own:
            self._check_address(asked, name)
        spec["clusterIP"] = asked
        if not spec.get("clusterIPs"):
            spec["clusterIPs"] = [asked]

    def _free_address(self) -> str:
        for _ in range(NETWORK.num_addresses):
            self._next_address = (self._next_address + 1) % (NETWORK.num_addresses - 2) or 1
            found = str(NETWORK[self._next_address])
            if found not in self._addresses:
                return found
        raise field_errors.invalid("", "Service", "", [bad("spec.clusterIPs", None, "the range is full")])

    def _check_address(self, asked: str, name: str) -> None:
        path = "spec.clusterIPs"
        try:
            inside = ipaddress.ip_address(asked) in NETWORK
        except ValueError:
            return  # validation says what is wrong with it
        problem = None
        if not inside:
            text = f"the provided IP ({asked}) is not in the valid range. The range of valid IPs is {NETWORK}"
            problem = bad(path, [asked], f"failed to allocate IP {asked}: {text}")
        elif asked in self._addresses:
            problem = bad(path, [asked], f"failed to allocate IP {asked}: provided IP is already allocated")
        if problem:
            raise field_errors.invalid("", "Service", name, [problem])

    def _node_ports(self, spec: JSON, name: str, own: set[int], old: JSON | None) -> None:
        wanted = spec["type"] == "NodePort" or (
            spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True)
        )
        before = {
            (p.get("protocol"), p["port"]): p.get("nodePort")
            for p in (old or {"spec": {}})["spec"].get("ports") or ()
        }
        taken: dict[int, str] = {}
        for index, port in enumerate(spec.get("ports") or ()):
            if not wanted:
                if old is not None and before.get((port.get("protocol"), port["port"])) == port.get(
                    "nodePort"
                ):
                    port.pop("nodePort", None)
                continue
            asked = port.get("nodePort")
            if not asked:
                asked = before.get((port.get("protocol"), port["port"])) or self._free_port(taken)
            elif asked not in own and taken.get(asked) in (None, port.get("protocol")):
                self._check_port(asked, index, name, taken)
            taken[asked] = port.get("protocol", "TCP")
            port["nodePort"] = asked
        if spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
            spec.setdefault("healthCheckNodePort", self._free_port(taken))

    def _free_port(self, taken: dict[int, str]) -> int:
        for _ in NODE_PORTS:
            port = NODE_PORTS[self._next_port % len(NODE_PORTS)]
            self._next_port += 97  # spread, and the range's length has no such factor
            if port not in self._ports and port not in taken:
                return port
        raise field_errors.invalid(
            "", "Service", "", [bad("spec.ports", None, "the range of node ports is full")]
        )

    def _check_port(self, asked: int, index: int, name: str, taken: dict[int, str]) -> None:
        path = f"spec.ports[{index}].nodePort"
        problem: FieldError | None = None
        if asked not in NODE_PORTS:
            valid = f"{NODE_PORTS[0]}-{NODE_PORTS[-1]}"
            text = f"provided port is not in the valid range. The range of valid ports is {valid}"
            problem = bad(path, asked, text)
        elif asked in self._ports or asked in taken:
            problem = bad(path, asked, "provided port is already allocated")
        if problem:
            raise field_errors.invalid("", "Service", name, [problem])


def _drop_outlived(spec: JSON, old: JSON) -> None:
    """Take away what only the type of before needed, where the client left it as it was: a change of type works.

    Source: dropTypeDependentFields in pkg/registry/core/service/strategy.go.
    """
    for needs, field in _FOR_TYPE:
        if needs(old) and not needs(spec) and old.get(field) == spec.get(field):
            spec.pop(field, None)


def _balanced(spec: JSON) -> bool:
    return spec.get("type") == "LoadBalancer"


def _reached_from_outside(spec: JSON) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer") or (
        spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs"))
    )


def _health_checked(spec: JSON) -> bool:
    return _balanced(spec) and spec.get("externalTrafficPolicy") == "Local"


_FOR_TYPE: Final = (
    (_health_checked, "healthCheckNodePort"),  # first: it asks for what the next takes away
    (_reached_from_outside, "externalTrafficPolicy"),
    (_balanced, "allocateLoadBalancerNodePorts"),
    (_balanced, "loadBalancerClass"),
)


def _addresses(service: JSON | None) -> list[str]:
    spec = (service or {}).get("spec") or {}
    return [one for one in spec.get("clusterIPs") or [] if one and one != "None"]


def _ports(service: JSON | None) -> list[int]:
    spec = (service or {}).get("spec") or {}
    found = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    return found + ([spec["healthCheckNodePort"]] if spec.get("healthCheckNodePort") else [])
