"""DaemonSet: one pod on each node that it means.

The scheduler places the pods, as all others: each carries an affinity to the one node that it was made for.

Source: pkg/controller/daemon/daemon_controller.go and update.go in Kubernetes.
"""

from __future__ import annotations

from collections import defaultdict

from labkit.errors import ApiError, NotFound
from labkit.k8s.objects import Object, copied, get_path, metadata, name_of, namespace_of, uid_of
from labkit.runtime.controller import Result
from labkit.sandbox.controllers import controller_revisions, fits, ownership, pods, rolling
from labkit.sandbox.controllers.controller_revisions import Revisions, revision_of
from labkit.sandbox.controllers.plane import ControlPlane, Key, keeper_keys, key_of, own_key, selector_of

COMPONENT = "daemonset-controller"
_GENERATION = "pod-template-generation"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
"""What no daemon minds: it belongs to its node, in good times and bad."""


class DaemonSets:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of(COMPONENT)
        self._events = plane.recorder(COMPONENT)
        self._sets = plane.informer("apps/v1", "DaemonSet")
        self._pods = plane.informer("v1", "Pod")
        self._nodes = plane.informer("v1", "Node")
        self._revisions = plane.informer("apps/v1", "ControllerRevision")
        controller = plane.controller("DaemonSet", self.reconcile)
        controller.watch(self._sets, own_key)
        controller.watch(self._pods, keeper_keys("DaemonSet", self._sets, selector_of))
        controller.watch(self._nodes, lambda _node: [key_of(ds) for ds in self._sets.list()])

    def reconcile(self, key: Key) -> Result | None:
        """Make and delete pods, replace old ones as far as the strategy allows, write the status."""
        ds = self._sets.get(*key)
        if ds is None:
            return None
        revisions = Revisions(self._client, self._revisions, ds)
        newest = revisions.latest()
        if not pods.is_deleting(ds):
            self._manage(ds, newest)
            if get_path(ds, "spec", "updateStrategy", "type") != "OnDelete":
                self._replace_old(ds, newest)
        by_node = self._by_node(ds)
        live = {f"{name_of(ds)}-{revision_of(pod)}" for found in by_node.values() for pod in found} | {
            name_of(newest)
        }
        revisions.truncate(live, ds["spec"].get("revisionHistoryLimit", 10))
        return self._write(ds, newest, by_node)

    def _by_node(self, ds: Object) -> dict[str, list[Object]]:
        selector = selector_of(ds)
        found: dict[str, list[Object]] = defaultdict(list)
        for pod in ownership.claimed(self._client, ds, selector, self._pods):
            found[_node_of(pod)].append(pod)
        return found

    # ── one pod a node ────────────────────────────────────────────────────────

    def _manage(self, ds: Object, newest: Object) -> None:
        by_node = self._by_node(ds)
        for node in self._nodes.list():
            there = by_node.pop(name_of(node), [])
            run, stay = _should(ds, node)
            alive = [pod for pod in there if not pods.is_deleting(pod)]
            ended = [pod for pod in alive if pods.phase(pod) == "Failed"]
            for pod in ended if stay else alive:
                self._delete(ds, pod)
            alive = [pod for pod in alive if pod not in ended]
            if run and not there:
                self._create(ds, newest, name_of(node))
            elif stay and len(alive) > 1:
                for pod in sorted(alive, key=pods.created)[1:]:
                    self._delete(ds, pod)
        for there in by_node.values():  # their node is gone
            for pod in there:
                if not pods.is_deleting(pod):
                    self._delete(ds, pod)

    def _replace_old(self, ds: Object, newest: Object) -> None:
        """Delete pods of older revisions, no more at once than ``maxUnavailable`` leaves."""
        wanted = [name_of(node) for node in self._nodes.list() if _should(ds, node)[0]]
        by_node, now = self._by_node(ds), self._clock.now()
        allowed = rolling.share(
            get_path(ds, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable", default=1),
            len(wanted),
            up=True,
        )
        seconds = ds["spec"].get("minReadySeconds", 0)
        unavailable, old = 0, []
        for node in wanted:
            pod = next((p for p in by_node.get(node, []) if not pods.is_deleting(p)), None)
            if pod is None or not pods.is_available(pod, seconds, now):
                unavailable += 1
            if pod is not None and revision_of(pod) != _hash_of(newest, ds):
                old.append(pod)
        broken = [pod for pod in old if not pods.is_available(pod, seconds, now)]
        sound = [pod for pod in old if pod not in broken]
        for pod in [*broken, *sound[: max(0, max(1, allowed) - unavailable)]]:
            self._delete(ds, pod)

    def _create(self, ds: Object, newest: Object, node: str) -> None:
        pod = pods.from_template(ds["spec"]["template"], ds)
        pod["metadata"]["labels"] |= {
            controller_revisions.LABEL: _hash_of(newest, ds),
            _GENERATION: str(
                metadata(ds).get("annotations", {}).get("deprecated.daemonset.template.generation", "1")
            ),
        }
        spec = pod["spec"] = copied(pod["spec"])
        spec["affinity"] = _bound_to(spec.get("affinity") or {}, node)
        there = {(t.get("key"), t.get("effect")) for t in spec.get("tolerations") or []}
        spec["tolerations"] = [
            *(spec.get("tolerations") or []),
            *({"key": k, "operator": "Exists", "effect": e} for k, e in _TOLERATED if (k, e) not in there),
        ]
        try:
            made = self._client.create(pod)
        except ApiError as error:
            if "NamespaceTerminating" in str(error.details):
                return  # nothing can be made there any more, and all that is there will go
            self._events.warning(ds, "FailedCreate", f"Error creating: {error.message}")
            raise
        self._events.normal(ds, "SuccessfulCreate", f"Created pod: {name_of(made)}")

    def _delete(self, ds: Object, pod: Object) -> None:
        try:
            self._client.delete("v1", "Pod", name_of(pod), namespace_of(pod), uid=uid_of(pod))
        except NotFound:
            return
        self._events.normal(ds, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    # ── status ────────────────────────────────────────────────────────────────

    def _write(self, ds: Object, newest: Object, by_node: dict[str, list[Object]]) -> Result | None:
        now, seconds = self._clock.now(), ds["spec"].get("minReadySeconds", 0)
        desired = scheduled = misplaced = ready = available = updated = 0
        waits: list[float] = []
        for node in self._nodes.list():
            there = sorted(by_node.get(name_of(node), []), key=pods.created)
            if not _should(ds, node)[0]:
                misplaced += bool(there)
                continue
            desired += 1
            if not there:
                continue
            scheduled += 1
            pod = there[0]
            wait = pods.available_in(pod, seconds, now)
            ready += pods.is_ready(pod)
            available += wait == 0
            updated += revision_of(pod) == _hash_of(newest, ds)
            waits += [wait] if wait else []
        status: Object = {
            "currentNumberScheduled": scheduled,
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": desired,
            "numberReady": ready,
            "observedGeneration": metadata(ds).get("generation", 0),
        }
        others = {
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberUnavailable": desired - available,
        }
        status |= {name: count for name, count in others.items() if count}
        old = ds.get("status") or {}
        status |= {name: old[name] for name in ("conditions", "collisionCount") if name in old}
        if status != old:
            try:
                self._client.replace_status({**ds, "status": status})
            except NotFound:
                return None
        return Result(requeue_after=min(waits)) if waits else None


def _should(ds: Object, node: Object) -> tuple[bool, bool]:
    """Whether a pod is to be started on the node, and whether one that is there may stay."""
    pod = {"spec": dict(ds["spec"]["template"]["spec"])}
    own = pod["spec"].get("tolerations") or []
    pod["spec"]["tolerations"] = [
        *own,
        *({"key": k, "operator": "Exists", "effect": e} for k, e in _TOLERATED),
    ]
    if pod["spec"].get("nodeName") not in (None, "", name_of(node)) or not fits.matches_node(pod, node):
        return False, False
    bad = [
        taint["effect"]
        for taint in get_path(node, "spec", "taints", default=[])
        if taint["effect"] != "PreferNoSchedule"
        and not any(fits.toleration_matches(t, taint) for t in pod["spec"]["tolerations"])
    ]
    return not bad, "NoExecute" not in bad


def _node_of(pod: Object) -> str:
    """The node that a pod is on, or was made for."""
    name = str(get_path(pod, "spec", "nodeName", default=""))
    if name:
        return name
    terms = get_path(
        pod, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms", default=[],
    )  # fmt: skip
    for term in terms:
        for field in term.get("matchFields") or []:
            if field["key"] == "metadata.name":
                return str(field["values"][0])
    return ""


def _bound_to(affinity: Object, node: str) -> Object:
    """The affinity with nothing but this node required."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"nodeSelectorTerms": [term]}
    own = {**(affinity.get("nodeAffinity") or {}), "requiredDuringSchedulingIgnoredDuringExecution": required}
    return {**affinity, "nodeAffinity": own}


def _hash_of(revision: Object, ds: Object) -> str:
    return name_of(revision).removeprefix(f"{name_of(ds)}-")
