"""Service → EndpointSlices (and the older Endpoints): which addresses stand behind a Service's name right now.

A Service selects pods by labels. Their addresses, the port that each one's container listens on, and whether each is
ready are written into EndpointSlices; who calls the Service is sent to one of the ready ones.

Source: pkg/controller/endpointslice, pkg/controller/endpoint and staging/…/endpointslice in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import AlreadyExists, Forbidden, NotFound
from labkit.k8s.objects import Object, get_path, labels_of, name_of, namespace_of, uid_of
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.controllers import pods
from labkit.sandbox.controllers.ownership import controller_reference
from labkit.sandbox.controllers.plane import ControlPlane, Key, key_of, own_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
ZONE = "topology.kubernetes.io/zone"
_MANAGER = "endpointslice-controller.k8s.io"
_SLICE_SIZE = 100

Ports = tuple[tuple[tuple[str, Any], ...], ...]
"""A list of ports in a form that can be a dictionary's key."""


class Endpoints:
    """The controller, of slices and Endpoints both."""

    def __init__(self, plane: ControlPlane) -> None:
        self._client = plane.client_of("endpointslice-controller")
        self._services = plane.informer("v1", "Service")
        self._pods = plane.informer("v1", "Pod")
        self._nodes = plane.informer("v1", "Node")
        self._slices = plane.informer("discovery.k8s.io/v1", "EndpointSlice")
        self._endpoints = plane.informer("v1", "Endpoints")
        controller = plane.controller("Endpoints", self.reconcile)
        controller.watch(self._services, own_key)
        controller.watch(self._pods, self._services_of)
        controller.watch(self._slices, _service_of_slice)
        controller.watch(self._endpoints, own_key)
        controller.watch(self._nodes, self._services_on)

    def reconcile(self, key: Key) -> None:
        """Write a Service's slices and Endpoints as its pods are now."""
        service = self._services.get(*key)
        if service is None:
            return self._forget(key)
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return None  # who leaves out the selector writes the endpoints
        selector = LabelSelector.from_labels(service["spec"]["selector"])
        found = [pod for pod in self._pods.list(key.namespace, selector) if self._counts(pod)]
        found.sort(key=name_of)
        try:
            self._write_slices(service, found)
            self._write_endpoints(service, found)
        except Forbidden as error:
            if "NamespaceTerminating" not in str(error.details):
                raise
        return None

    def _counts(self, pod: Object) -> bool:
        """Whether a pod has an address, on a node that is there, and has not ended."""
        on_node = self._nodes.get("", str(get_path(pod, "spec", "nodeName", default=""))) is not None
        return bool(get_path(pod, "status", "podIP")) and not pods.is_finished(pod) and on_node

    # ── EndpointSlices ────────────────────────────────────────────────────────

    def _write_slices(self, service: Object, found: Sequence[Object]) -> None:
        by_ports: dict[Ports, list[Object]] = {}
        for pod in found:
            by_ports.setdefault(_ports(service, pod), []).append(self._endpoint(service, pod))
        wanted = [
            (ports, members[start : start + _SLICE_SIZE])
            for ports, members in (by_ports or {(): []}).items()
            for start in range(0, max(1, len(members)), _SLICE_SIZE)
        ]
        there = sorted(self._own_slices(service), key=name_of)
        for ports, members in wanted:
            old = there.pop(0) if there else None
            self._write_slice(service, old, [dict(port) for port in ports], members)
        for left in there:
            self._client.delete("discovery.k8s.io/v1", "EndpointSlice", name_of(left), namespace_of(left))

    def _own_slices(self, service: Object) -> list[Object]:
        return [
            obj
            for obj in self._slices.list(namespace_of(service))
            if labels_of(obj).get(SERVICE_NAME) == name_of(service)
            and labels_of(obj).get(MANAGED_BY) == _MANAGER
            and not pods.is_deleting(obj)
        ]

    def _write_slice(
        self, service: Object, old: Object | None, ports: list[Object], members: list[Object]
    ) -> None:
        labels = _copied_labels(service) | {SERVICE_NAME: name_of(service), MANAGED_BY: _MANAGER}
        content = {"addressType": "IPv4", "endpoints": members or None, "ports": ports or None}
        if old is None:
            if pods.is_deleting(service):
                return  # its slices are being collected; a new one would only keep it from going
            meta = {
                "generateName": f"{name_of(service)}-",
                "namespace": namespace_of(service),
                "labels": labels,
                "ownerReferences": [controller_reference(service)],
            }
            self._client.create(
                {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, **content}
            )
        elif {field: old.get(field) or None for field in content} != content or labels_of(old) != labels:
            meta = {**old["metadata"], "labels": labels}
            self._client.replace({**old, "metadata": meta, **content})

    def _endpoint(self, service: Object, pod: Object) -> Object:
        deleting, ready = pods.is_deleting(pod), pods.is_ready(pod)
        always = bool(service["spec"].get("publishNotReadyAddresses"))
        node = str(pod["spec"]["nodeName"])
        endpoint: Object = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {
                "ready": always or (ready and not deleting),
                "serving": ready,
                "terminating": deleting,
            },
            "nodeName": node,
            "targetRef": _reference(pod),
        }
        zone = labels_of(self._nodes.get("", node) or {}).get(ZONE)
        if zone:
            endpoint["zone"] = zone
        if hostname := _hostname(service, pod):
            endpoint["hostname"] = hostname
        return endpoint

    # ── Endpoints ─────────────────────────────────────────────────────────────

    def _write_endpoints(self, service: Object, found: Sequence[Object]) -> None:
        always = bool(service["spec"].get("publishNotReadyAddresses"))
        counted = [pod for pod in found if always or not pods.is_deleting(pod)]
        labels = _copied_labels(service) | {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
        content = _subsets(service, counted)
        old = self._endpoints.get(namespace_of(service), name_of(service))
        if old is None:
            meta = {"name": name_of(service), "namespace": namespace_of(service), "labels": labels}
            try:
                self._client.create(
                    {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": content}
                )
            except AlreadyExists:
                return
        elif (old.get("subsets") or []) != content or labels_of(old) != labels:
            self._client.replace(
                {**old, "metadata": {**old["metadata"], "labels": labels}, "subsets": content}
            )

    def _forget(self, key: Key) -> None:
        """The Service is gone: so are its Endpoints. The slices name it as their owner and go by themselves."""
        there = self._endpoints.get(*key)
        if there is not None and "endpoints.kubernetes.io/managed-by" in labels_of(there):
            try:
                self._client.delete("v1", "Endpoints", key.name, key.namespace)
            except NotFound:
                return

    # ── whom a change concerns ────────────────────────────────────────────────

    def _services_of(self, pod: Object) -> Iterable[Key]:
        labels = labels_of(pod)
        return [
            key_of(service)
            for service in self._services.list(namespace_of(pod))
            if LabelSelector.from_labels(service["spec"].get("selector")).matches(labels)
        ]

    def _services_on(self, node: Object) -> Iterable[Key]:
        """Pods count once their node is there: a node that comes or goes concerns the Services of its pods."""
        if get_path(node, "status", "nodeInfo", "kubeletVersion") and self._nodes.get("", name_of(node)):
            return []  # a node that reports: its pods report as well
        name = name_of(node)
        mine = [pod for pod in self._pods.list() if get_path(pod, "spec", "nodeName") == name]
        return [key for pod in mine for key in self._services_of(pod)]


def _service_of_slice(obj: Object) -> Iterable[Key]:
    name = labels_of(obj).get(SERVICE_NAME)
    return [Key(namespace_of(obj), name)] if name else []


def _ports(service: Object, pod: Object) -> Ports:
    """The pod's own port for each port of the Service; one whose name the pod's containers lack is left out."""
    found = []
    for port in service["spec"].get("ports") or []:
        number = target_port(port, pod)
        if number is None:
            continue
        made = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
        if "appProtocol" in port:
            made["appProtocol"] = port["appProtocol"]
        found.append(tuple(sorted(made.items())))
    return tuple(found)


def target_port(port: Object, pod: Object) -> int | None:
    """The number that a Service's port means on a pod: ``targetPort``, looked up among its containers if a name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or int(port["port"])
    for container in pod["spec"]["containers"]:
        for own in container.get("ports") or []:
            if own.get("name") == target and own.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(own["containerPort"])
    return None


def _subsets(service: Object, found: Sequence[Object]) -> list[Object]:
    """Addresses that share their ports stand together, the ready apart from the others."""
    always = bool(service["spec"].get("publishNotReadyAddresses"))
    by_ports: dict[Ports, Object] = {}
    for pod in found:
        ports = _ports(service, pod)
        if not ports and service["spec"].get("ports"):
            continue
        field = "addresses" if always or pods.is_ready(pod) else "notReadyAddresses"
        address = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"]}
        if hostname := _hostname(service, pod):
            address["hostname"] = hostname
        address["targetRef"] = _reference(pod)
        by_ports.setdefault(ports, {}).setdefault(field, []).append(address)
    for subset in by_ports.values():
        for members in subset.values():
            members.sort(
                key=lambda address: [int(part) for part in address["ip"].split(".") if part.isdigit()]
            )
    return [
        subset | {"ports": [_without_empty_name(dict(port)) for port in ports]} if ports else subset
        for ports, subset in by_ports.items()
    ]


def _without_empty_name(port: Object) -> Object:
    return {field: value for field, value in port.items() if value != ""}


def _reference(pod: Object) -> Object:
    return {"kind": "Pod", "name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)}


def _hostname(service: Object, pod: Object) -> str:
    """A pod that a headless Service gives a name in DNS of its own: StatefulSets do."""
    spec = pod["spec"]
    return str(spec.get("hostname", "")) if spec.get("subdomain") == name_of(service) else ""


def _copied_labels(service: Object) -> dict[str, str]:
    labels = {k: v for k, v in labels_of(service).items() if k not in (SERVICE_NAME, MANAGED_BY)}
    return labels | {HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else labels
