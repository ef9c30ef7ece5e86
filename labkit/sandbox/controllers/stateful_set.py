"""StatefulSet: pods with names and volumes that stay, made one after the other and updated from the last to the first.

Each look at a set does one step of this order, and stops where something has to be waited for:

1. make the pods that are missing, from the lowest ordinal up, each when the one before is ready;
2. take away those beyond ``replicas``, from the highest ordinal down;
3. replace those of an older revision, from the highest ordinal down to ``partition``.

With ``podManagementPolicy: Parallel`` the first two do not wait.

Source: pkg/controller/statefulset/stateful_set_control.go in Kubernetes.
"""

from __future__ import annotations

from labkit.errors import AlreadyExists, ApiError, NotFound
from labkit.k8s.objects import (
    Object,
    get_path,
    metadata,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
)
from labkit.runtime.controller import Result
from labkit.sandbox.controllers import ownership, pods
from labkit.sandbox.controllers import stateful_identity as identity
from labkit.sandbox.controllers.controller_revisions import Revisions, revision_of
from labkit.sandbox.controllers.plane import ControlPlane, Key, keeper_keys, own_key, selector_of

COMPONENT = "statefulset-controller"


class StatefulSets:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self.clock, self.client = plane.clock, plane.client_of(COMPONENT)
        self.events = plane.recorder(COMPONENT)
        self._sets = plane.informer("apps/v1", "StatefulSet")
        self._pods = plane.informer("v1", "Pod")
        self._revisions = plane.informer("apps/v1", "ControllerRevision")
        controller = plane.controller("StatefulSet", self.reconcile)
        controller.watch(self._sets, own_key)
        controller.watch(self._pods, keeper_keys("StatefulSet", self._sets, selector_of))

    def reconcile(self, key: Key) -> Result | None:
        """Do the next step, and write the status."""
        s = self._sets.get(*key)
        if s is None:
            return None
        revisions = Revisions(self.client, self._revisions, s)
        look = _Look(self, s, revisions, self.mine(s))
        failure: ApiError | None = None
        try:
            if not pods.is_deleting(s):
                look.step()
        except ApiError as error:
            failure = error
        look.write(self.mine(s))
        live = {revision_of(pod) for pod in look.pods} | {name_of(look.current), name_of(look.update)}
        revisions.truncate(live, s["spec"].get("revisionHistoryLimit", 10))
        if failure is not None and "NamespaceTerminating" not in str(failure.details):
            raise failure  # in a namespace that goes nothing can be made any more: there is nothing to try again
        return Result(requeue_after=look.later) if look.later is not None else None

    def mine(self, s: Object) -> list[Object]:
        """The pods that carry one of the set's names."""
        selector = selector_of(s)
        claimed = ownership.claimed(self.client, s, selector, self._pods)
        return [pod for pod in claimed if identity.ordinal_of(s, pod) is not None]


class _Look:
    """One look at one set."""

    def __init__(self, parent: StatefulSets, s: Object, revisions: Revisions, mine: list[Object]) -> None:
        self._client, self._events, self._now = parent.client, parent.events, parent.clock.now()
        self._set, self._spec = s, s["spec"]
        self._status: Object = dict(s.get("status") or {})
        self.later: float | None = None
        self.pods = mine
        self.update = revisions.latest()
        self.current = revisions.named(self._status.get("currentRevision", "")) or self.update
        self._there = {identity.ordinal_of(s, pod): pod for pod in mine}

    @property
    def _one_by_one(self) -> bool:
        return bool(self._spec.get("podManagementPolicy") != "Parallel")

    def step(self) -> None:
        """As far as it goes without waiting."""
        if self._make() and self._take_away():
            self._replace_old()

    # ── the three steps; each says whether the next may begin ─────────────────

    def _make(self) -> bool:
        for ordinal in identity.ordinals(self._set):
            pod = self._there.get(ordinal)
            if pod is not None and pods.is_finished(pod) and not pods.is_deleting(pod):
                self._events.warning(
                    self._set, "RecreatingTerminatedPod", f"{name_of(pod)} has ended; made anew"
                )
                self._delete(pod)  # it comes again when it is gone
                return False
            if pod is None:
                self._create(ordinal)
                if self._one_by_one:
                    return False
            elif self._one_by_one and not self._is_well(pod):
                return False
        return True

    def _take_away(self) -> bool:
        wanted = identity.ordinals(self._set)
        condemned = sorted(
            ((o, pod) for o, pod in self._there.items() if o is not None and o not in wanted), reverse=True,
            key=lambda item: item[0],
        )  # fmt: skip
        for ordinal, pod in condemned:
            if not pods.is_deleting(pod):
                self._hand_claims(pod, ordinal)
                self._delete(pod)
            if self._one_by_one:
                return False
        return not condemned

    def _replace_old(self) -> None:
        strategy = self._spec.get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        for ordinal in reversed(identity.ordinals(self._set)):
            if ordinal - identity.first(self._set) < self._partition:
                return
            pod = self._there.get(ordinal)
            if pod is None:
                return
            if revision_of(pod) != name_of(self.update) and not pods.is_deleting(pod):
                self._delete(pod)
                return
            if not self._is_well(pod):
                return

    # ── pods and claims ───────────────────────────────────────────────────────

    @property
    def _partition(self) -> int:
        return int(get_path(self._spec, "updateStrategy", "rollingUpdate", "partition", default=0) or 0)

    def _is_well(self, pod: Object) -> bool:
        """Ready for long enough, and not on its way out."""
        if pods.is_deleting(pod):
            return False
        wait = pods.available_in(pod, self._spec.get("minReadySeconds", 0), self._now)
        if wait:
            self.later = wait if self.later is None else min(self.later, wait)
        return wait == 0 and pods.phase(pod) == "Running"

    def _revision_for(self, ordinal: int) -> Object:
        """Below the partition a pod comes back as it was."""
        rolling = (self._spec.get("updateStrategy") or {}).get("type") != "OnDelete"
        below = ordinal - identity.first(self._set) < self._partition
        return self.current if rolling and below else self.update

    def _create(self, ordinal: int) -> None:
        name = f"{name_of(self._set)}-{ordinal}"
        for claim in identity.new_claims(self._set, ordinal):
            if self._client.find("v1", "PersistentVolumeClaim", name_of(claim), namespace_of(claim)) is None:
                self._client.create(claim)
                text = f"create Claim {name_of(claim)} Pod {name} in StatefulSet {name_of(self._set)} success"
                self._events.normal(self._set, "SuccessfulCreate", text)
        text = f"create Pod {name} in StatefulSet {name_of(self._set)}"
        try:
            made = self._client.create(identity.new_pod(self._set, self._revision_for(ordinal), ordinal))
        except AlreadyExists:
            return  # a stranger has the name, or the one before is not gone yet
        except ApiError as error:
            if "NamespaceTerminating" not in str(error.details):
                self._events.warning(self._set, "FailedCreate", f"{text} failed error: {error.message}")
            raise
        self._there[ordinal] = made
        self._events.normal(self._set, "SuccessfulCreate", f"{text} successful")

    def _delete(self, pod: Object) -> None:
        try:
            self._client.delete("v1", "Pod", name_of(pod), namespace_of(pod), uid=uid_of(pod))
        except NotFound:
            return
        text = f"delete Pod {name_of(pod)} in StatefulSet {name_of(self._set)} successful"
        self._events.normal(self._set, "SuccessfulDelete", text)

    def _hand_claims(self, pod: Object, ordinal: int) -> None:
        """Where claims go with a smaller set, they belong to the pod from now on."""
        if not identity.deletes_claims(self._set, "whenScaled"):
            return
        for claim in identity.new_claims(self._set, ordinal):
            found = self._client.find("v1", "PersistentVolumeClaim", name_of(claim), namespace_of(claim))
            if found is None or any(ref["uid"] == uid_of(pod) for ref in owner_references(found)):
                continue
            owners = [*owner_references(found), identity.owner_reference(pod)]
            self._client.patch(
                "v1", "PersistentVolumeClaim", name_of(found), namespace_of(found),
                patch={"metadata": {"ownerReferences": owners}}, field_manager="kube-controller-manager",
            )  # fmt: skip

    # ── status ────────────────────────────────────────────────────────────────

    def write(self, mine: list[Object]) -> None:
        """Count what is there."""
        self.pods, current, update = mine, name_of(self.current), name_of(self.update)
        seconds = self._spec.get("minReadySeconds", 0)
        counted = [pod for pod in mine if not pods.is_deleting(pod)]
        counts = {
            "readyReplicas": sum(pods.is_ready(pod) and pods.phase(pod) == "Running" for pod in mine),
            "currentReplicas": sum(revision_of(pod) == current for pod in counted),
            "updatedReplicas": sum(revision_of(pod) == update for pod in counted),
        }
        over = counts["updatedReplicas"] == len(mine) == self._spec["replicas"] == counts["readyReplicas"]
        if over and current != update and (self._spec.get("updateStrategy") or {}).get("type") != "OnDelete":
            current, counts["currentReplicas"] = update, counts["updatedReplicas"]
        status: Object = {
            "replicas": len(mine),
            "availableReplicas": sum(pods.is_available(pod, seconds, self._now) for pod in mine),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": self._status.get("collisionCount", 0),
            "observedGeneration": metadata(self._set).get("generation", 0),
        } | {name: count for name, count in counts.items() if count}
        if self._status.get("conditions"):
            status["conditions"] = self._status["conditions"]
        if status != (self._set.get("status") or {}):
            try:
                self._client.replace_status({**self._set, "status": status})
            except NotFound:
                return
