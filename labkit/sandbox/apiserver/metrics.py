"""``metrics.k8s.io``: what nodes and pods use now, as metrics-server says it; ``kubectl top`` and autoscalers ask.

Nothing of it is stored: each answer is made of what the kubelet knows at that moment.

Source: kubernetes-sigs/metrics-server, pkg/api, and k8s.io/metrics/pkg/apis/metrics/v1beta1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import NotFound
from labkit.sandbox.apiserver.custom import CustomVersion
from labkit.sandbox.apiserver.object_meta import timestamp
from labkit.sandbox.apiserver.resources import Resource
from labkit.sandbox.store import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.sandbox.apiserver.api import Api
    from labkit.sandbox.apiserver.node import Usage

JSON = dict[str, Any]

GROUP, VERSION, WINDOW = "metrics.k8s.io", "v1beta1", "15s"

_USAGE: Final = {
    "type": "object",
    "description": "The usage of resources, by name.",
    "additionalProperties": {"type": "string"},
}
_COMMON: Final = {
    "timestamp": {"type": "string", "format": "date-time", "description": "The end of the window."},
    "window": {"type": "string", "description": "The time over which the usage is averaged."},
}
_CONTAINERS: Final = {
    "type": "array",
    "description": "What each container uses.",
    "items": {"type": "object", "properties": {"name": {"type": "string"}, "usage": _USAGE}},
}


def resources(api: Api) -> list[Resource]:
    """The group's two kinds."""
    nodes = _kind("NodeMetrics", "nodes", "Cluster", {**_COMMON, "usage": _USAGE}, api)
    pods = _kind("PodMetrics", "pods", "Namespaced", {**_COMMON, "containers": _CONTAINERS}, api)
    return [replace(nodes, computed=NodeMetrics(api)), replace(pods, computed=PodMetrics(api))]


def _kind(kind: str, plural: str, scope: str, properties: JSON, api: Api) -> Resource:
    schema = {"type": "object", "description": f"{kind} of the last moments.", "properties": properties}
    model = CustomVersion(
        {"group": GROUP}, {"name": VERSION, "schema": {"openAPIV3Schema": schema}}, api.codec
    )
    return Resource(
        group=GROUP,
        version=VERSION,
        kind=kind,
        plural=plural,
        singular="",
        namespaced=scope == "Namespaced",
        model=model,
        verbs=("get", "list"),
        list_kind=f"{kind}List",
        custom=model,
    )


class NodeMetrics:
    """What each simulated node uses; see `resources.Computed`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get(self, _namespace: str, name: str) -> JSON:
        """See `resources.Computed`."""
        entry = self._api.store.get(Key("nodes", "", name))
        found = self._of(entry.decode()) if entry is not None else None
        if found is None:
            raise NotFound(f'nodemetrics.{GROUP} "{name}" not found', details=_details("nodemetrics", name))
        return found

    def list(self, _namespace: str) -> Iterator[JSON]:
        """See `resources.Computed`."""
        for _, entry in self._api.store.list("nodes"):
            if (found := self._of(entry.decode())) is not None:
                yield found

    def _of(self, node: JSON) -> JSON | None:
        used = self._api.node.node_usage(node) if self._api.node is not None else None
        return {**_head(node, self._api), "usage": _usage(used)} if used is not None else None


class PodMetrics:
    """What each running pod uses, container by container; see `resources.Computed`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get(self, namespace: str, name: str) -> JSON:
        """See `resources.Computed`."""
        entry = self._api.store.get(Key("pods", namespace, name))
        found = self._of(entry.decode()) if entry is not None else None
        if found is None:
            place = f"{namespace}/{name}"
            raise NotFound(f'podmetrics.{GROUP} "{place}" not found', details=_details("podmetrics", place))
        return found

    def list(self, namespace: str) -> Iterator[JSON]:
        """See `resources.Computed`."""
        for _, entry in self._api.store.list("pods", namespace):
            if (found := self._of(entry.decode())) is not None:
                yield found

    def _of(self, pod: JSON) -> JSON | None:
        used = self._api.node.pod_usage(pod) if self._api.node is not None else {}
        if not used or len(used) < len(pod["spec"]["containers"]):
            return None  # as metrics-server: all of a pod's containers, or nothing
        containers = [{"name": name, "usage": _usage(one)} for name, one in used.items()]
        return {**_head(pod, self._api), "containers": containers}


def _head(obj: JSON, api: Api) -> JSON:
    meta, now = obj["metadata"], timestamp(api.clock.now())
    kept = {key: meta[key] for key in ("name", "namespace", "labels") if key in meta}
    return {"metadata": {**kept, "creationTimestamp": now}, "timestamp": now, "window": WINDOW}


def _details(kind: str, name: str) -> JSON:
    return {"name": name, "group": GROUP, "kind": kind}


def _usage(used: Usage) -> JSON:
    return {"cpu": f"{used.nanocores}n", "memory": f"{used.kibibytes}Ki"}
