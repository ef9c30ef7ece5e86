"""Nodes whose kubelet is silent: their conditions become Unknown, and their pods count as not ready.

A kubelet renews its node's Lease every ten seconds. When it has not done so for 50, nobody knows how the node is: its
conditions say Unknown, `NodeTaints` makes taints of that, and `NodePods` sends the pods away that do not tolerate
them. The pods cannot end while nobody is there to end them: they stay Terminating until the kubelet comes back.

Only nodes are looked at whose simulated kubelet was stopped (`STOPPED`). One that somebody made by hand never had a
kubelet, and is as its maker says.

Source: monitorNodeHealth in pkg/controller/nodelifecycle/node_lifecycle_controller.go in Kubernetes 1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labkit.errors import Conflict, NotFound
from labkit.k8s.objects import Object, annotations_of, get_path, name_of
from labkit.runtime.controller import Result
from labkit.runtime.recorder import timestamp
from labkit.sandbox.controllers import pods
from labkit.sandbox.controllers.plane import ControlPlane, Key, key_of, own_key

if TYPE_CHECKING:
    from collections.abc import Iterable

KUBELET: Final = "sandbox.gitops-lab/kubelet"
STOPPED: Final = "stopped"
"""What the annotation `KUBELET` says on a node whose kubelet is to be silent."""

GRACE_SECONDS: Final = 50.0
_LEASES: Final = "kube-node-lease"
_KUBELETS: Final = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class NodeHealth:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of("node-controller")
        self._events = plane.recorder("node-controller")
        self._nodes = plane.informer("v1", "Node")
        self._leases = plane.informer("coordination.k8s.io/v1", "Lease")
        self._pods = plane.informer("v1", "Pod")
        controller = plane.controller("node health", self.reconcile)
        controller.watch(self._nodes, own_key)
        controller.watch(self._pods, self._on_silent)

    def reconcile(self, key: Key) -> Result | None:
        """Look when the kubelet was last heard of."""
        node = self._nodes.get(*key)
        if node is None or not _is_stopped(node):
            return None
        lease = self._leases.get(_LEASES, key.name)
        heard = pods.parse_time(get_path(lease, "spec", "renewTime")) if lease is not None else None
        if heard is not None:
            left = GRACE_SECONDS - (self._clock.now() - heard).total_seconds()
            if left > 0:
                return Result(requeue_after=left)
        if not _is_unknown(node):
            self._give_up(node)
        self._mark_pods(key.name)
        return None

    def _give_up(self, node: Object) -> None:
        status, now = node.get("status") or {}, timestamp(self._clock.now())
        said = {c["type"]: c for c in status.get("conditions") or ()}
        for kind in _KUBELETS:
            old = said.get(kind) or {"type": kind, "lastHeartbeatTime": now}
            said[kind] = old | {
                "status": "Unknown",
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": now if old.get("status") != "Unknown" else old["lastTransitionTime"],
            }
        self._client.replace_status({**node, "status": {**status, "conditions": list(said.values())}})
        self._events.normal(node, "NodeNotReady", f"Node {name_of(node)} status is now: NodeNotReady")

    def _mark_pods(self, name: str) -> None:
        """Whoever was ready there may not be any longer: Services send nobody there."""
        for pod in self._pods.list():
            if get_path(pod, "spec", "nodeName") != name or not pods.is_ready(pod):
                continue
            now = timestamp(self._clock.now())
            conditions = [
                c | {"status": "False", "lastTransitionTime": now} if c["type"] == "Ready" else c
                for c in pod["status"]["conditions"]
            ]
            try:
                self._client.replace_status({**pod, "status": {**pod["status"], "conditions": conditions}})
            except (NotFound, Conflict):
                continue  # it has changed: its change calls again
            self._events.warning(pod, "NodeNotReady", "Node is not ready")

    def _on_silent(self, pod: Object) -> Iterable[Key]:
        node = self._nodes.get("", get_path(pod, "spec", "nodeName", default=""))
        return [key_of(node)] if node is not None and _is_stopped(node) and pods.is_ready(pod) else []


def _is_stopped(node: Object) -> bool:
    return annotations_of(node).get(KUBELET) == STOPPED


def _is_unknown(node: Object) -> bool:
    ready = pods.condition(node, "Ready")
    return ready is not None and ready["status"] == "Unknown"
