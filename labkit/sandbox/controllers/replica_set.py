"""ReplicaSet: as many pods as ``spec.replicas`` says, neither more nor fewer.

The simplest controller, and the one to read first: count the pods, make or delete the difference, write down what is
there. It knows nothing of versions or rollouts; a Deployment does that by moving numbers between ReplicaSets.

Source of the rules: pkg/controller/replicaset/replica_set.go and replica_set_utils.go in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import ApiError, Forbidden, NotFound
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
from labkit.runtime.controller import Result
from labkit.sandbox.controllers import conditions, ownership, pods, ranking
from labkit.sandbox.controllers.plane import (
    AGAIN,
    BATCH,
    ControlPlane,
    Key,
    keeper_keys,
    own_key,
    selector_of,
)

if TYPE_CHECKING:
    from labkit.k8s.selectors import LabelSelector


class ReplicaSets:
    """The controller. ReplicationControllers are kept by the same rules; they select by a plain map."""

    api_version, kind, component = "apps/v1", "ReplicaSet", "replicaset-controller"

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of(self.component)
        self._events = plane.recorder(self.component)
        self._sets = plane.informer(self.api_version, self.kind)
        self._pods = plane.informer("v1", "Pod")
        controller = plane.controller(self.kind, self.reconcile)
        controller.watch(self._sets, own_key)
        controller.watch(self._pods, keeper_keys(self.kind, self._sets, self.selector))

    def selector(self, rs: Object) -> LabelSelector:
        """Which pods it means."""
        return selector_of(rs)

    def reconcile(self, key: Key) -> Result | None:
        """Make or delete pods until there are as many as wanted, and write the status."""
        rs = self._sets.get(*key)
        if rs is None:
            return None
        mine = ownership.claimed(self._client, rs, self.selector(rs), self._pods)
        failure: ApiError | None = None
        if not pods.is_deleting(rs):
            active = [pod for pod in mine if pods.is_active(pod)]
            difference = rs["spec"]["replicas"] - len(active)
            try:
                if difference > 0:
                    self._create(rs, min(difference, BATCH))
                elif difference < 0:
                    self._delete(rs, active, min(-difference, BATCH))
            except ApiError as error:
                failure = error
            if failure is None and abs(difference) > BATCH:
                return AGAIN
            mine = ownership.claimed(self._client, rs, self.selector(rs), self._pods)
        result = self._write_status(rs, mine, failure)
        if failure is not None:
            raise failure  # the queue tries again, later and later
        return result

    # ── pods ──────────────────────────────────────────────────────────────────

    def _create(self, rs: Object, count: int) -> None:
        for _ in range(count):
            try:
                pod = self._client.create(pods.from_template(rs["spec"]["template"], rs))
            except Forbidden as error:
                if "NamespaceTerminating" in str(error.details):
                    return  # nothing can be made there any more, and all that is there will go
                self._events.warning(rs, "FailedCreate", f"Error creating: {error.message}")
                raise
            except ApiError as error:
                self._events.warning(rs, "FailedCreate", f"Error creating: {error.message}")
                raise
            self._events.normal(rs, "SuccessfulCreate", f"Created pod: {name_of(pod)}")

    def _delete(self, rs: Object, active: list[Object], count: int) -> None:
        victims = ranking.to_delete(active, self._related(rs), count, self._clock.now())
        for pod in victims:
            try:
                self._client.delete("v1", "Pod", name_of(pod), namespace_of(pod), uid=uid_of(pod))
            except NotFound:
                continue
            except ApiError as error:
                self._events.warning(rs, "FailedDelete", f"Error deleting: {error.message}")
                raise
            self._events.normal(rs, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _related(self, rs: Object) -> list[Object]:
        """The active pods of this ReplicaSet and of its siblings under the same Deployment."""
        owner = controller_of(rs)
        siblings = self._sets.owned_by(owner["uid"]) if owner else [rs]
        found = [pod for sibling in siblings for pod in self._pods.owned_by(uid_of(sibling))]
        return [pod for pod in found if pods.is_active(pod)]

    # ── status ────────────────────────────────────────────────────────────────

    def _write_status(self, rs: Object, mine: list[Object], failure: ApiError | None) -> Result | None:
        spec, old, now = rs["spec"], rs.get("status") or {}, self._clock.now()
        active = [pod for pod in mine if pods.is_active(pod)]
        waiting = [pods.available_in(pod, spec.get("minReadySeconds", 0), now) for pod in active]
        template = labels_of(spec["template"])
        counts = {
            "fullyLabeledReplicas": sum(template.items() <= labels_of(pod).items() for pod in active),
            "readyReplicas": pods.count_ready(active),
            "availableReplicas": sum(seconds == 0 for seconds in waiting),
        }
        status: Object = {"replicas": len(active)} | {name: count for name, count in counts.items() if count}
        status |= self._terminating(mine)
        status["observedGeneration"] = metadata(rs).get("generation", 0)
        status["conditions"] = self._conditions(rs, old.get("conditions") or [], failure, len(active))
        if not status["conditions"]:
            del status["conditions"]
        if status != old:
            self._client.replace_status({**rs, "status": status})
        soonest = min((seconds for seconds in waiting if seconds), default=None)
        return Result(requeue_after=soonest) if soonest is not None else None

    def _terminating(self, mine: list[Object]) -> Object:
        going = sum(pods.is_deleting(pod) and not pods.is_finished(pod) for pod in mine)
        return {"terminatingReplicas": going}

    def _conditions(
        self, rs: Object, old: list[Object], failure: ApiError | None, active: int
    ) -> list[Object]:
        if failure is None:
            return conditions.without(old, "ReplicaFailure")
        reason = "FailedCreate" if active < get_path(rs, "spec", "replicas", default=0) else "FailedDelete"
        new = conditions.condition("ReplicaFailure", "True", reason, failure.message, self._clock.now())
        return conditions.put(old, new)
