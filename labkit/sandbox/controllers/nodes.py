"""Nodes: what their conditions mean for the pods, written as taints; and pods whose node is gone.

A node that is not ready gets a taint that keeps new pods away; one that stays so sends away those that are there,
after the time that each tolerates. Whether a node *is* ready its kubelet says, or the person who made it by hand.

Source: pkg/controller/nodelifecycle, pkg/controller/tainteviction and pkg/controller/podgc in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import NotFound
from labkit.k8s.objects import Object, get_path, name_of, namespace_of, uid_of
from labkit.runtime.controller import Result
from labkit.runtime.recorder import timestamp
from labkit.sandbox.controllers import conditions, pods
from labkit.sandbox.controllers.fits import UNSCHEDULABLE, toleration_matches
from labkit.sandbox.controllers.plane import ControlPlane, Key, own_key

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
QUARANTINE_SECONDS = 40.0
"""How long a pod may name a node that does not exist before it is taken away."""

_PRESSURE = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_OURS = {NOT_READY, UNREACHABLE, UNSCHEDULABLE, *_PRESSURE.values()}


class NodeTaints:
    """Keeps each node's taints as its conditions say."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of("node-controller")
        self._nodes = plane.informer("v1", "Node")
        plane.controller("node taints", self.reconcile).watch(self._nodes, own_key)

    def reconcile(self, key: Key) -> None:
        """Write a node's taints."""
        node = self._nodes.get(*key)
        if node is None:
            return
        old = get_path(node, "spec", "taints", default=[])
        wanted = set(_wanted(node))
        kept = [t for t in old if t["key"] not in _OURS or (t["key"], t["effect"]) in wanted]
        there = {(t["key"], t["effect"]) for t in kept}
        now = timestamp(self._clock.now())
        for name, effect in sorted(wanted - there):
            kept.append({"key": name, "effect": effect, "timeAdded": now})
        if kept != old:
            patch = {"spec": {"taints": kept or None}}
            self._client.patch("v1", "Node", key.name, patch=patch, field_manager="kube-controller-manager")


def _wanted(node: Object) -> Iterable[tuple[str, str]]:
    ready = pods.condition(node, "Ready")
    if ready is None or ready["status"] == "False":
        yield NOT_READY, "NoSchedule"
        if ready is not None:
            yield NOT_READY, "NoExecute"
    elif ready["status"] == "Unknown":
        yield UNREACHABLE, "NoSchedule"
        yield UNREACHABLE, "NoExecute"
    for condition, taint in _PRESSURE.items():
        if pods.is_true(node, condition):
            yield taint, "NoSchedule"
    if get_path(node, "spec", "unschedulable"):
        yield UNSCHEDULABLE, "NoSchedule"


class NodePods:
    """Takes pods away from nodes that they do not tolerate any longer, or that are gone."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of("pod-garbage-collector")
        self._events = plane.recorder("taint-eviction-controller")
        self._pods = plane.informer("v1", "Pod")
        self._nodes = plane.informer("v1", "Node")
        self._missing: dict[str, float] = {}
        controller = plane.controller("node pods", self.reconcile)
        controller.watch(self._nodes, self._pods_on)
        controller.watch(self._pods, self._if_troubled)

    def reconcile(self, key: Key) -> Result | None:
        """Look whether a pod may stay where it is."""
        pod = self._pods.get(*key)
        name = get_path(pod, "spec", "nodeName", default="") if pod else ""
        if pod is None or not name:
            return None
        node = self._nodes.get("", name)
        if node is None:
            return self._without_node(pod)
        self._missing.pop(uid_of(pod), None)
        if pods.is_deleting(pod):
            return None
        return self._with_taints(pod, node)

    def _without_node(self, pod: Object) -> Result | None:
        now = self._clock.monotonic()
        left = self._missing.setdefault(uid_of(pod), now) + QUARANTINE_SECONDS - now
        if left > 0:
            return Result(requeue_after=left)
        del self._missing[uid_of(pod)]
        self._mark(pod, "DeletionByPodGC", "PodGC: node no longer exists")
        self._delete(pod, grace=0)
        return None

    def _with_taints(self, pod: Object, node: Object) -> Result | None:
        """``NoExecute``: out at once without a toleration, else when the shortest tolerated time is over."""
        waits = []
        for taint in get_path(node, "spec", "taints", default=[]):
            if taint["effect"] != "NoExecute":
                continue
            bearing = [
                t for t in get_path(pod, "spec", "tolerations", default=[]) if toleration_matches(t, taint)
            ]
            if not bearing:
                waits.append(0.0)
            since = pods.parse_time(taint.get("timeAdded")) or self._clock.now()
            passed = (self._clock.now() - since).total_seconds()
            waits += [
                t["tolerationSeconds"] - passed for t in bearing if t.get("tolerationSeconds") is not None
            ]
        if not waits:
            return None
        if min(waits) > 0:
            return Result(requeue_after=min(waits))
        self._events.normal(
            pod, "TaintManagerEviction", f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}"
        )
        self._mark(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
        self._delete(pod)
        return None

    def _mark(self, pod: Object, reason: str, message: str) -> None:
        """Let the pod say who sends it away: a Job may count it apart from those that failed by themselves."""
        new = conditions.condition("DisruptionTarget", "True", reason, message, self._clock.now())
        new |= {"observedGeneration": pod["metadata"].get("generation", 1), "lastProbeTime": None}
        status = pod.get("status") or {}
        said = conditions.put(list(status.get("conditions") or []), new)
        try:
            self._client.replace_status({**pod, "status": {**status, "conditions": said}})
        except NotFound:
            return

    def _delete(self, pod: Object, grace: int | None = None) -> None:
        try:
            self._client.delete(
                "v1", "Pod", name_of(pod), namespace_of(pod), grace_period_seconds=grace, uid=uid_of(pod)
            )
        except NotFound:
            return

    def _pods_on(self, node: Object) -> Iterable[Key]:
        taints = get_path(node, "spec", "taints", default=[])
        if self._nodes.get("", name_of(node)) and not any(t["effect"] == "NoExecute" for t in taints):
            return []
        found = [pod for pod in self._pods.list() if get_path(pod, "spec", "nodeName") == name_of(node)]
        return [Key(namespace_of(pod), name_of(pod)) for pod in found]

    def _if_troubled(self, pod: Object) -> Iterable[Key]:
        node = self._nodes.get("", get_path(pod, "spec", "nodeName", default=""))
        if not get_path(pod, "spec", "nodeName"):
            return []
        taints = get_path(node, "spec", "taints", default=[]) if node else []
        if node is not None and not any(t["effect"] == "NoExecute" for t in taints):
            return []
        return [Key(namespace_of(pod), name_of(pod))]
