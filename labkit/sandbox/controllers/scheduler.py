"""Scheduler: gives a pod a node by writing ``spec.nodeName``; where none fits, it says why.

First it asks of each node whether the pod may and can run there (`fits`); of those that are left it takes the one with
the most room. Pods that name another scheduler, or a node, are left alone.

Source: pkg/scheduler in Kubernetes, its default plugins.
"""

from __future__ import annotations

from collections import Counter

from labkit.errors import Conflict, NotFound
from labkit.k8s.objects import Object, get_path, name_of, namespace_of, uid_of
from labkit.sandbox.controllers import conditions, fits, pods
from labkit.sandbox.controllers.fits import Candidate, Room
from labkit.sandbox.controllers.plane import ControlPlane, Key, own_key

NAME = "default-scheduler"


class Scheduler:
    """The controller of pods that have no node yet."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock = plane.clock
        self._client = plane.client.as_user("system:kube-scheduler", manager="kube-scheduler")
        self._events = plane.recorder(NAME)
        self._pods = plane.informer("v1", "Pod")
        self._nodes = plane.informer("v1", "Node")
        self._claims = plane.informer("v1", "PersistentVolumeClaim")
        self._on_node: dict[str, dict[str, Object]] = {}
        self._pods.on_change(self._note)
        controller = plane.controller("scheduler", self.reconcile)
        controller.watch(self._pods, own_key)
        self._pods.on_change(lambda _event, obj, old: self._retry(obj, old))
        self._nodes.on_change(lambda _event, _obj, _old: self._retry_all())
        self._claims.on_change(lambda _event, _obj, _old: self._retry_all())
        self._controller = controller

    def reconcile(self, key: Key) -> None:
        """Find a node for a pod."""
        pod = self._pods.get(*key)
        if pod is None or not _waits(pod):
            return
        if get_path(pod, "spec", "schedulingGates"):
            self._say(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
            return
        node, reasons = self._choose(pod)
        if node is None:
            text = _refusal(len(self._nodes.list()), reasons)
            self._say(pod, "Unschedulable", text)
            return
        try:
            self._client.bind(key.namespace, key.name, node)
        except (Conflict, NotFound):
            return  # somebody else was quicker
        self._events.normal(pod, "Scheduled", f"Successfully assigned {key} to {node}")

    def _choose(self, pod: Object) -> tuple[str | None, Counter[str]]:
        """The best node, or why each of them does not do."""
        reasons: Counter[str] = Counter()
        cluster = [self._candidate(node) for node in self._nodes.list()]
        problem = self._claim_problem(pod)
        if problem:
            return None, Counter({problem: len(cluster)})
        request = Room.requested(pod)
        good: list[Candidate] = []
        for candidate in cluster:
            found = fits.problems(pod, request, candidate, cluster)
            reasons.update(found)
            if not found:
                good.append(candidate)
        if not good:
            return None, reasons
        best = max(good, key=lambda c: (fits.preference(pod, c), c.room.left_after(request), name_of(c.node)))
        return name_of(best.node), reasons

    def _candidate(self, node: Object) -> Candidate:
        there = list(self._on_node.get(name_of(node), {}).values())
        return Candidate(node, there, Room.of(node, there))

    def _claim_problem(self, pod: Object) -> str:
        for volume in get_path(pod, "spec", "volumes", default=[]):
            name = get_path(volume, "persistentVolumeClaim", "claimName")
            if name is None:
                continue
            claim = self._claims.get(namespace_of(pod), name)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if not claim["spec"].get("volumeName") and not claim["spec"].get("storageClassName"):
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _say(self, pod: Object, reason: str, message: str) -> None:
        """Write PodScheduled=False, and an Event, unless that is what was said last."""
        before = pods.condition(pod, "PodScheduled")
        if before is not None and (before.get("reason"), before.get("message")) == (reason, message):
            return
        new = conditions.condition("PodScheduled", "False", reason, message, self._clock.now())
        if before is not None and before["status"] == "False":
            new["lastTransitionTime"] = before.get("lastTransitionTime")
        new["observedGeneration"] = pod["metadata"].get("generation", 0)
        patch = {"status": {"conditions": [new]}}
        self._client.patch(
            "v1", "Pod", name_of(pod), namespace_of(pod), patch=patch, patch_type="strategic",
            subresource="status", field_manager="kube-scheduler",
        )  # fmt: skip
        if reason == "Unschedulable":
            self._events.warning(pod, "FailedScheduling", message)

    # ── when to look again ────────────────────────────────────────────────────

    def _note(self, event: str, pod: Object, old: Object | None) -> None:
        """Keep, for each node, which pods take room on it."""
        for one in (old, pod):
            if one is not None and (node := get_path(one, "spec", "nodeName")):
                self._on_node.setdefault(node, {}).pop(uid_of(one), None)
        node = get_path(pod, "spec", "nodeName")
        if event != "DELETED" and node and not pods.is_finished(pod):
            self._on_node.setdefault(node, {})[uid_of(pod)] = pod

    def _retry(self, pod: Object, old: Object | None) -> None:
        """A pod that ended or went makes room for those that wait."""
        gone = self._pods.get(namespace_of(pod), name_of(pod)) is None
        if get_path(pod, "spec", "nodeName") and (gone or (pods.is_finished(pod) and old is not None)):
            self._retry_all()

    def _retry_all(self) -> None:
        for pod in self._pods.list():
            if _waits(pod) and pods.condition(pod, "PodScheduled") is not None:
                self._controller.enqueue(Key(namespace_of(pod), name_of(pod)))


def _waits(pod: Object) -> bool:
    """Whether it is ours to place."""
    spec = pod["spec"]
    return not spec.get("nodeName") and spec.get("schedulerName", NAME) == NAME and pods.is_active(pod)


def _refusal(nodes: int, reasons: Counter[str]) -> str:
    """In the scheduler's words: how many nodes, and what is wrong with how many of them."""
    if not nodes:
        return "no nodes available to schedule pods"
    head = f"0/{nodes} nodes are available"
    if len(reasons) == 1 and reasons.total() == nodes and fits.is_about_pod(next(iter(reasons))):
        return f"{head}: {next(iter(reasons))}."
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    hopeless = sum(count for reason, count in reasons.items() if not fits.could_be_preempted(reason))
    hopeless = min(nodes, hopeless)
    parts = []
    if nodes - hopeless:
        parts.append(f"{nodes - hopeless} No preemption victims found for incoming pod")
    if hopeless:
        parts.append(f"{hopeless} Preemption is not helpful for scheduling")
    preemption = f"preemption: {head}: {', '.join(parts)}."
    return f"{head}: {listed}. no new claims to deallocate, {preemption}"
