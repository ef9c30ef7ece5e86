"""PodDisruptionBudget: how many pods may be evicted now, so that enough stay.

``kubectl drain`` asks the API to evict; the API asks the budget's status, which is counted here.

Source: pkg/controller/disruption in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import NotFound
from labkit.k8s.objects import (
    Object,
    controller_of,
    get_path,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
)
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.controllers import conditions, pods, rolling
from labkit.sandbox.controllers.plane import ControlPlane, Key, key_of, own_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SCALED = {
    "ReplicaSet": "apps/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "ReplicationController": "v1",
}


class Unknown(Exception):
    """Nobody says how many pods there should be."""


class DisruptionBudgets:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of("disruption-controller")
        self._events = plane.recorder("controllermanager")
        self._budgets = plane.informer("policy/v1", "PodDisruptionBudget")
        self._pods = plane.informer("v1", "Pod")
        self._owners = {kind: plane.informer(version, kind) for kind, version in _SCALED.items()}
        controller = plane.controller("PodDisruptionBudget", self.reconcile)
        controller.watch(self._budgets, own_key)
        controller.watch(self._pods, self._about)
        for informer in self._owners.values():
            controller.watch(informer, lambda obj: map(key_of, self._budgets.list(namespace_of(obj))))

    def reconcile(self, key: Key) -> None:
        """Count, and write the status."""
        budget = self._budgets.get(*key)
        if budget is None:
            return
        mine = [pod for pod in self._pods.list(key.namespace) if _means(budget, pod)]
        status = {**(budget.get("status") or {})}
        try:
            expected, desired = self._wanted(budget, mine)
        except Unknown as error:
            self._events.warning(budget, "CalculateExpectedPodCountFailed", str(error))
            self._write(budget, status | {"disruptionsAllowed": 0}, "SyncFailed", str(error))
            return
        disrupted = _still_there(status.get("disruptedPods") or {}, mine)
        healthy = sum(
            pods.is_ready(p) and not pods.is_deleting(p) and name_of(p) not in disrupted for p in mine
        )
        status |= {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
        }
        status.pop("disruptedPods", None)
        if disrupted:
            status["disruptedPods"] = disrupted
        self._write(
            budget, status, "SufficientPods" if status["disruptionsAllowed"] else "InsufficientPods", ""
        )

    def _about(self, pod: Object) -> Iterable[Key]:
        return [key_of(budget) for budget in self._budgets.list(namespace_of(pod)) if _means(budget, pod)]

    def _wanted(self, budget: Object, mine: Sequence[Object]) -> tuple[int, int]:
        """How many pods there should be, and how many of them have to be healthy."""
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            expected = self._expected(mine)
            return expected, max(0, expected - rolling.share(spec["maxUnavailable"], expected, up=True))
        least = spec.get("minAvailable")
        if isinstance(least, str):
            expected = self._expected(mine)
            return expected, rolling.share(least, expected, up=True)
        return len(mine), least if least is not None else 1

    def _expected(self, mine: Sequence[Object]) -> int:
        """What the pods' controllers want, each counted once."""
        found: dict[str, int] = {}
        for pod in mine:
            owner = self._scaled(pod)
            if owner is None:
                raise Unknown(f"found no controllers for pod {name_of(pod)!r}")
            found[uid_of(owner)] = get_path(owner, "spec", "replicas", default=1)
        return sum(found.values())

    def _scaled(self, obj: Object) -> Object | None:
        """The object that says how many of a pod's kind there are: its ReplicaSet's Deployment, its StatefulSet …"""
        reference = controller_of(obj)
        informer = self._owners.get(reference["kind"]) if reference else None
        owner = informer.get(namespace_of(obj), reference["name"]) if informer and reference else None
        if owner is None:
            return None
        return self._scaled(owner) or owner

    def _write(self, budget: Object, status: Object, reason: str, message: str) -> None:
        allowed = "True" if reason == "SufficientPods" else "False"
        new = conditions.condition("DisruptionAllowed", allowed, reason, message, self._clock.now())
        new["observedGeneration"] = metadata(budget).get("generation", 0)
        status["conditions"] = conditions.put(status.get("conditions") or [], new)
        status["observedGeneration"] = metadata(budget).get("generation", 0)
        if status == (budget.get("status") or {}):
            return
        try:
            self._client.replace_status({**budget, "status": status})
        except NotFound:
            return


def _means(budget: Object, pod: Object) -> bool:
    """Whether the budget counts the pod; without a selector it counts none."""
    selector = budget["spec"].get("selector")
    if selector is None or pods.is_finished(pod):
        return False
    return LabelSelector.from_object(selector).matches(labels_of(pod))


def _still_there(disrupted: dict[str, str], mine: Sequence[Object]) -> dict[str, str]:
    """Of the pods that were evicted those whose deletion has not been seen yet."""
    waiting = {name_of(pod) for pod in mine if not pods.is_deleting(pod)}
    return {name: when for name, when in disrupted.items() if name in waiting}
