"""What a cluster has before anybody has used it: its namespaces, its own Service, its roles and priorities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver import bodies
from labkit.sandbox.apiserver.requests import WriteOptions
from labkit.sandbox.store import Key

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]

NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")
CLUSTER_IP: Final = "10.96.0.1"


def bootstrap(api: Api, port: int) -> None:
    """Create what is missing; in a cluster that has been used before, next to nothing."""
    if api.store.get(Key("namespaces", "", NAMESPACES[-1])) is None:
        from labkit.sandbox.apiserver import policy

        for obj in [*_namespaces(), *policy.objects(), _service()]:
            _create(api, obj)
    _point_service(api, port)


def _namespaces() -> list[JSON]:
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES]


def _service() -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": CLUSTER_IP,
            "ports": [{"name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP"}],
        },
    }


def _point_service(api: Api, port: int) -> None:
    """Let the Service ``kubernetes`` say where this process listens."""
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
    key = Key("endpointslices.discovery.k8s.io", "default", "kubernetes")
    entry = api.store.get(key)
    if entry is None:
        _create(api, slice_)
    elif entry.decode().get("ports") != slice_["ports"]:
        resource = api.resource("discovery.k8s.io/v1", "EndpointSlice")
        obj = entry.decode() | {"ports": slice_["ports"]}
        options = WriteOptions(field_validation="Ignore", field_manager="kube-apiserver")
        api.writes.put(resource, "default", "kubernetes", obj, options)


def _create(api: Api, obj: JSON) -> None:
    resource = api.resource(obj["apiVersion"], obj["kind"])
    namespace = obj["metadata"].get("namespace", "")
    if api.store.get(Key(resource.storage, namespace, obj["metadata"]["name"])) is not None:
        return
    content = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    options = WriteOptions(field_validation="Ignore", field_manager="kube-apiserver")
    api.verbs.create(resource, namespace, bodies.canonical(content, resource, options), options)
