"""Deployment: brings pods from one template to the next without anybody noticing.

It makes no pod itself. For each template it has had, it owns a ReplicaSet; a rollout moves replicas from the old ones
to the new one in steps that ``maxSurge`` and ``maxUnavailable`` allow, and each step waits until the pods of the one
before are available. A rollback is a rollout to a template of the past.

Each call looks at everything anew, does *one* step, and writes the status; the change it made calls it again.
`rolling` has the numbers, `revisions` the history, `deployment_status` what it says about itself.
Source of the rules: pkg/controller/deployment in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import AlreadyExists, ApiError
from labkit.k8s.objects import Object, annotations_of, controller_of, get_path, name_of, namespace_of, uid_of
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.controllers import deployment_status, ownership, pods, revisions, rolling, templates
from labkit.sandbox.controllers.deployment_status import Progress
from labkit.sandbox.controllers.plane import ControlPlane, Key, own_key, owner_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from labkit.runtime.controller import Result

COMPONENT = "deployment-controller"


class Deployments:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of(COMPONENT)
        self._events = plane.recorder(COMPONENT)
        self._deployments = plane.informer("apps/v1", "Deployment")
        self._sets = plane.informer("apps/v1", "ReplicaSet")
        self._pods = plane.informer("v1", "Pod")
        controller = plane.controller("Deployment", self.reconcile)
        controller.watch(self._deployments, own_key)
        controller.watch(self._sets, owner_key("apps/v1", "Deployment"))
        controller.watch(self._pods, self._waiting_for)

    def reconcile(self, key: Key) -> Result | None:
        """One step towards the template and the number of replicas that the Deployment asks for."""
        d = self._deployments.get(*key)
        if d is None:
            return None
        selector = d["spec"]["selector"]
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            self._refuse_to_select_everything(d)
            return None
        ownership.claimed(self._client, d, LabelSelector.from_object(selector), self._sets)
        progress = Progress(d, self._clock.now())
        if pods.is_deleting(d):
            return self._write_status(d, progress)
        progress.note_pause()
        if d["spec"].get("paused") or self._is_resized(d):
            self._scale(d, progress)
        elif rolling.is_rolling(d):
            self._roll(d, progress)
        else:
            self._recreate(d, progress)
        return self._write_status(d, progress)

    # ── strategies ────────────────────────────────────────────────────────────

    def _roll(self, d: Object, progress: Progress) -> None:
        """RollingUpdate: let the new one grow if it may; else let the old ones shrink if they may."""
        new = self._new(d, progress)
        if new is None:
            return
        sets = self._all(d)
        size = (
            rolling.wanted(d)
            if rolling.wanted(new) > rolling.wanted(d)
            else rolling.size_of_new(d, sets, new)
        )
        if self._resize(d, new, size):
            return
        _, old = self._split(d)
        plan = rolling.give_up_old(d, old, new)
        for rs, size in plan:
            self._resize(d, rs, size)
        if not plan and progress.is_complete(self._all(d), new):
            self._clean_up(d)

    def _recreate(self, d: Object, progress: Progress) -> None:
        """Recreate: first all old pods go, then the new ones come."""
        new, old = self._split(d)
        active = [rs for rs in old if rolling.wanted(rs) > 0]
        for rs in active:
            self._resize(d, rs, 0)
        if active or self._old_pods_run(old):
            return
        new = self._new(d, progress)
        if new is None:
            return
        self._resize(d, new, rolling.wanted(d))
        if progress.is_complete(self._all(d), new):
            self._clean_up(d)

    def _scale(self, d: Object, progress: Progress) -> None:
        """The number of replicas changed, or the Deployment is paused: resize what is there, start nothing new."""
        new, old = self._split(d)
        if new is not None:
            new = self._keep_revision(d, new, old, progress)
        sets = [*old, *([new] if new is not None else [])]
        active = [rs for rs in sets if rolling.wanted(rs) > 0]
        if len(active) <= 1:
            only = active[0] if active else new or max(old, key=pods.created, default=None)
            if only is not None:
                self._resize(d, only, rolling.wanted(d))
        elif rolling.is_saturated(d, new):
            for rs in old:
                self._resize(d, rs, 0)
        elif rolling.is_rolling(d):
            for rs, size in rolling.spread(d, sets):
                self._resize(d, rs, size, note=True)
        if d["spec"].get("paused"):
            self._clean_up(d)

    def _is_resized(self, d: Object) -> bool:
        """Whether ``spec.replicas`` is another number than the ReplicaSets were last sized for."""
        noted = [annotations_of(rs).get(rolling.DESIRED) for rs in self._all(d) if rolling.wanted(rs) > 0]
        return any(size is not None and rolling.number(size) != rolling.wanted(d) for size in noted)

    def _old_pods_run(self, old: Sequence[Object]) -> bool:
        return any(not pods.is_finished(pod) for rs in old for pod in self._pods.owned_by(uid_of(rs)))

    def _waiting_for(self, pod: Object) -> Iterable[Key]:
        """The Deployment to tell of a pod's end, since Recreate waits for the last old one."""
        owner = controller_of(pod)
        if owner is None or owner["kind"] != "ReplicaSet" or self._pods.get(namespace_of(pod), name_of(pod)):
            return ()
        rs = self._sets.get(namespace_of(pod), owner["name"])
        return owner_key("apps/v1", "Deployment")(rs) if rs is not None else ()

    # ── its ReplicaSets ───────────────────────────────────────────────────────

    def _all(self, d: Object) -> list[Object]:
        mine = self._sets.owned_by(uid_of(d))
        return [rs for rs in mine if (controller_of(rs) or {}).get("uid") == uid_of(d)]

    def _split(self, d: Object) -> tuple[Object | None, list[Object]]:
        return revisions.split(d, self._all(d))

    def _new(self, d: Object, progress: Progress) -> Object | None:
        """The ReplicaSet of the template, made if it must be; ``None`` if that has to be tried again."""
        new, old = self._split(d)
        if new is not None:
            return self._keep_revision(d, new, old, progress)
        return self._create(d, old, progress)

    def _keep_revision(self, d: Object, new: Object, old: Sequence[Object], progress: Progress) -> Object:
        """The template of now has the highest number, even where a rollback took it from the past."""
        annotations = revisions.noted(d, new, revisions.next_revision(old))
        ready_seconds = d["spec"].get("minReadySeconds", 0)
        if annotations != annotations_of(new) or ready_seconds != new["spec"].get("minReadySeconds", 0):
            new = self._client.replace(
                {
                    **new,
                    "metadata": {**new["metadata"], "annotations": annotations},
                    "spec": {**new["spec"], "minReadySeconds": ready_seconds},
                }
            )
        progress.revision = annotations[revisions.REVISION]
        progress.found(new)
        return new

    def _create(self, d: Object, old: Sequence[Object], progress: Progress) -> Object | None:
        number, size = revisions.next_revision(old), rolling.size_of_new(d, old, None)
        wanted = revisions.new_replica_set(d, number, size)
        try:
            new = self._client.create(wanted)
        except AlreadyExists:
            return self._collided(d, wanted, progress)
        except ApiError as error:
            text = f'Failed to create new replica set "{name_of(wanted)}": {error.message}'
            progress.failed_to_create(text)
            self._events.warning(d, "ReplicaSetCreateError", text)
            self._write_status(d, progress)
            raise
        if size > 0:
            self._say_scaled(d, new, 0, size)
        progress.revision = str(number)
        progress.created(new)
        return new

    def _collided(self, d: Object, wanted: Object, progress: Progress) -> Object | None:
        """The name is taken: by our own of that template (then all is well), or the hash needs another seed."""
        there = self._sets.get(namespace_of(wanted), name_of(wanted))
        ours = there is not None and (controller_of(there) or {}).get("uid") == uid_of(d)
        if there is not None and ours and templates.same(there["spec"]["template"], d["spec"]["template"]):
            return there
        progress.collisions += 1
        return None

    def _resize(self, d: Object, rs: Object, size: int, *, note: bool = False) -> bool:
        """Give a ReplicaSet that many pods, and note the Deployment's size on it; says whether the number changed."""
        before, sizes = rolling.wanted(rs), revisions.sizes(d)
        if size == before and not (note and sizes.items() - annotations_of(rs).items()):
            return False
        changes = {"metadata": {"annotations": sizes}, "spec": {"replicas": size}}
        self._client.patch(
            "apps/v1", "ReplicaSet", name_of(rs), namespace_of(rs), patch=changes,
            field_manager="kube-controller-manager",
        )  # fmt: skip
        if size != before:
            self._say_scaled(d, rs, before, size)
        return size != before

    def _say_scaled(self, d: Object, rs: Object, before: int, size: int) -> None:
        direction = "up" if size > before else "down"
        text = f"Scaled {direction} replica set {name_of(rs)} from {before} to {size}"
        self._events.normal(d, "ScalingReplicaSet", text)

    def _clean_up(self, d: Object) -> None:
        for rs in revisions.to_clean_up(d, self._split(d)[1]):
            self._client.delete(
                "apps/v1", "ReplicaSet", name_of(rs), namespace_of(rs), propagation_policy="Background"
            )

    # ── status ────────────────────────────────────────────────────────────────

    def _write_status(self, d: Object, progress: Progress) -> Result | None:
        new, old = self._split(d)
        sets = [*old, *([new] if new is not None else [])]
        status = deployment_status.status_of(d, sets, new, progress)
        annotations = annotations_of(d)
        if progress.revision:
            annotations = {**annotations, revisions.REVISION: progress.revision}
        if status != (d.get("status") or {}) or annotations != annotations_of(d):
            self._client.replace_status(
                {**d, "metadata": {**d["metadata"], "annotations": annotations}, "status": status}
            )
        return progress.look_again(status)

    def _refuse_to_select_everything(self, d: Object) -> None:
        text = "This deployment is selecting all pods. A non-empty selector is required."
        self._events.warning(d, "SelectingAll", text)
        generation = d["metadata"]["generation"]
        if get_path(d, "status", "observedGeneration", default=0) < generation:
            status = {**(d.get("status") or {}), "observedGeneration": generation}
            self._client.replace_status({**d, "status": status})
