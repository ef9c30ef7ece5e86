"""Who may write which part of an object, and when its generation grows.

``spec`` is the users' and ``status`` the controllers'; each is written through its own path, and what came
along for the other is put back.  `prepare_create` and `prepare_update` do that for every kind from the table
below; a few kinds have a hook more.

Source: ``PrepareForCreate`` and ``PrepareForUpdate`` of the strategies in Kubernetes' pkg/registry.
"""

# ruff: noqa: SIM905 - a table of words is read more easily as text

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.objects import copied
from labkit.sandbox.apiserver.definitions import CLEANUP, CRDS, set_condition

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]

# Kinds whose metadata.generation counts the changes of spec (of the whole object where there is no spec).
COUNTED: Final = frozenset(
    """
    pods replicationcontrollers podtemplates
    deployments.apps replicasets.apps statefulsets.apps daemonsets.apps
    jobs.batch cronjobs.batch
    ingresses.networking.k8s.io ingressclasses.networking.k8s.io networkpolicies.networking.k8s.io
    poddisruptionbudgets.policy endpointslices.discovery.k8s.io priorityclasses.scheduling.k8s.io
    customresourcedefinitions.apiextensions.k8s.io
    validatingwebhookconfigurations.admissionregistration.k8s.io
    mutatingwebhookconfigurations.admissionregistration.k8s.io
    validatingadmissionpolicies.admissionregistration.k8s.io
    validatingadmissionpolicybindings.admissionregistration.k8s.io
    """.split()
)

# A change of annotations counts as well.
COUNTS_ANNOTATIONS: Final = frozenset(("deployments.apps",))

# Kinds that have a status path and yet take the status that their creator sends.
STATUS_ON_CREATE: Final = frozenset(("nodes", "endpoints"))

# What the status path leaves as it was, beside spec.
STATUS_KEEPS_LABELS: Final = frozenset(
    ("deployments.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch")
)


def prepare_create(resource: Resource, obj: JSON) -> None:
    """Make `obj` a new object of its kind: no status but the initial one, the first generation."""
    if has_status(resource) and resource.name not in STATUS_ON_CREATE:
        if resource.custom is not None:
            obj.pop("status", None)
        else:
            obj["status"] = (resource.stored or resource).model.empty_status()
    if counted(resource):
        obj["metadata"]["generation"] = 1
    hook = _ON_CREATE.get(resource.name)
    if hook is not None:
        hook(obj)


def prepare_update(resource: Resource, new: JSON, old: JSON, subresource: str) -> None:
    """Put back in `new` what this path may not write, and count the generation."""
    if subresource == "status":
        _only_status(resource, new, old)
        return
    if subresource == "binding":
        return
    if has_status(resource):
        _restore(new, old, "status")
    hook = _ON_UPDATE.get(resource.name)
    if hook is not None:
        hook(new, old, subresource)
    meta, before = new["metadata"], old["metadata"]
    if "generation" in before:
        meta["generation"] = before["generation"]
    else:
        meta.pop("generation", None)
    if counted(resource) and _content(resource, new) != _content(resource, old):
        meta["generation"] = before.get("generation", 0) + 1


def prepare_delete(resource: Resource, obj: JSON, now: datetime) -> None:
    """Let the object say that it is going away, for the kinds that do."""
    if resource.name == "namespaces":
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    elif resource.name == CRDS and "deletionTimestamp" not in obj["metadata"]:
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if CLEANUP not in finalizers:
            finalizers.append(CLEANUP)
        text = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        set_condition(obj["status"], "Terminating", "True", "InstanceDeletionPending", text, now)


def has_status(resource: Resource) -> bool:
    """Whether the kind's status has a path of its own."""
    return resource.subresource("status") is not None


def counted(resource: Resource) -> bool:
    """Whether the kind's objects have a generation."""
    return resource.custom is not None or resource.name in COUNTED


def _content(resource: Resource, obj: JSON) -> Any:
    if resource.custom is not None or "spec" not in obj:
        skip = {"metadata", "status"} if has_status(resource) else {"metadata"}
        return {key: value for key, value in obj.items() if key not in skip}
    if resource.name in COUNTS_ANNOTATIONS:
        return obj.get("spec"), obj["metadata"].get("annotations")
    return obj.get("spec")


def _only_status(resource: Resource, new: JSON, old: JSON) -> None:
    """Keep everything of `old` but the status and, for built-in kinds, the labels and annotations."""
    for key in set(new) | set(old):
        if key not in ("metadata", "status"):
            _restore(new, old, key)
    if resource.custom is not None:
        kept = {"managedFields", "resourceVersion"}
        new["metadata"] = {key: value for key, value in old["metadata"].items() if key not in kept} | {
            key: value for key, value in new["metadata"].items() if key in kept
        }
        return
    for key in ("generation", "deletionTimestamp", "ownerReferences"):
        _restore(new["metadata"], old["metadata"], key)
    if resource.name in STATUS_KEEPS_LABELS:
        _restore(new["metadata"], old["metadata"], "labels")
    hook = _ON_STATUS.get(resource.name)
    if hook is not None:
        hook(new, old)


def _restore(new: JSON, old: JSON, key: str) -> None:
    if key in old:
        new[key] = copied(old[key])
    else:
        new.pop(key, None)


# ── kinds with a hook ─────────────────────────────────────────────────────────


def _create_pod(pod: JSON) -> None:
    pod["status"] = {"phase": "Pending", "qosClass": qos_class(pod)}


def _status_of_pod(new: JSON, old: JSON) -> None:
    new["status"]["qosClass"] = old.get("status", {}).get("qosClass") or qos_class(old)


def _create_namespace(namespace: JSON) -> None:
    spec = namespace.setdefault("spec", {})
    spec["finalizers"] = [*(f for f in spec.get("finalizers") or [] if f != "kubernetes"), "kubernetes"]
    namespace["status"] = {"phase": "Active"}


def _update_namespace(new: JSON, old: JSON, subresource: str) -> None:
    if subresource != "finalize":
        new["spec"] = {**new.get("spec", {}), "finalizers": (old.get("spec") or {}).get("finalizers", [])}
        if not new["spec"]["finalizers"]:
            del new["spec"]["finalizers"]


def _create_claim(claim: JSON) -> None:
    claim["status"] = {"phase": "Pending"}


def _create_service(service: JSON) -> None:
    service["status"] = {"loadBalancer": {}}


def _create_ingress(ingress: JSON) -> None:
    ingress["status"] = {"loadBalancer": {}}


def _create_daemon_set(daemon_set: JSON) -> None:
    annotations = daemon_set["metadata"].setdefault("annotations", {})
    annotations["deprecated.daemonset.template.generation"] = "1"


def _update_daemon_set(new: JSON, old: JSON, subresource: str) -> None:  # noqa: ARG001
    key = "deprecated.daemonset.template.generation"
    before = (old["metadata"].get("annotations") or {}).get(key, "1")
    changed = new["spec"].get("template") != old["spec"].get("template")
    count = int(before) + 1 if changed and before.isdigit() else before
    new["metadata"].setdefault("annotations", {})[key] = str(count)


def _create_job(job: JSON) -> None:
    """A Job selects its pods by its own uid, unless its author says that he does."""
    if job["spec"].get("manualSelector"):
        return
    uid, name = job["metadata"]["uid"], job["metadata"].get("name", "")
    template = job["spec"].setdefault("template", {})
    for meta in (job["metadata"], template.setdefault("metadata", {})):
        labels = meta.setdefault("labels", {})
        labels.setdefault("controller-uid", uid)
        labels.setdefault("batch.kubernetes.io/controller-uid", uid)
        labels.setdefault("job-name", name)
        labels.setdefault("batch.kubernetes.io/job-name", name)
    selector = job["spec"].setdefault("selector", {})
    selector.setdefault("matchLabels", {})["batch.kubernetes.io/controller-uid"] = uid


def _create_definition(definition: JSON) -> None:
    stored = next((v["name"] for v in definition["spec"].get("versions") or () if v.get("storage")), None)
    definition["status"] = {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None}
    definition["status"]["storedVersions"] = [stored] if stored else []


def _update_definition(new: JSON, old: JSON, subresource: str) -> None:  # noqa: ARG001
    for version in new["spec"].get("versions") or ():
        stored = new["status"]["storedVersions"] = new["status"].get("storedVersions") or []
        if version.get("storage") and version["name"] not in stored:
            stored.append(version["name"])


def qos_class(pod: JSON) -> str:
    """Guaranteed, Burstable or BestEffort, by the containers' requests and limits of CPU and memory."""
    containers = [*(pod["spec"].get("containers") or ()), *(pod["spec"].get("initContainers") or ())]
    said, equal = False, bool(containers)
    for container in containers:
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        for name in ("cpu", "memory"):
            said = said or name in requests or name in limits
            equal = equal and name in limits and requests.get(name, limits[name]) == limits[name]
    if not said:
        return "BestEffort"
    return "Guaranteed" if equal else "Burstable"


_ON_CREATE: Final[dict[str, Callable[[JSON], None]]] = {
    "pods": _create_pod,
    "namespaces": _create_namespace,
    "persistentvolumeclaims": _create_claim,
    "persistentvolumes": _create_claim,
    "services": _create_service,
    "ingresses.networking.k8s.io": _create_ingress,
    "daemonsets.apps": _create_daemon_set,
    "jobs.batch": _create_job,
    "customresourcedefinitions.apiextensions.k8s.io": _create_definition,
}
_ON_UPDATE: Final[dict[str, Callable[[JSON, JSON, str], None]]] = {
    "namespaces": _update_namespace,
    "daemonsets.apps": _update_daemon_set,
    "customresourcedefinitions.apiextensions.k8s.io": _update_definition,
}
_ON_STATUS: Final[dict[str, Callable[[JSON, JSON], None]]] = {"pods": _status_of_pod}
