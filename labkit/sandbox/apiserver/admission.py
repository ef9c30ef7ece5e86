"""Admission: what the server adds to an object, or refuses, by rules that look beyond the object itself.

Source: Kubernetes' plugin/pkg/admission; of the plugins that kube-apiserver 1.36 turns on by default those that mean
something without clouds.  Webhooks are stored, never called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import Forbidden, NotFound
from labkit.sandbox.apiserver import limits, problems, quotas
from labkit.sandbox.apiserver.allocation import Allocator
from labkit.sandbox.store import Key, Store

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.escalation import Escalation
    from labkit.sandbox.apiserver.requests import User, WriteOptions
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]
OnCreate = Callable[[JSON], None]

IMMORTAL: Final = ("default", "kube-system", "kube-public")
_GRACE_SECONDS: Final = 300  # how long pods stay on a node that went away
_GROWING: Final = ("pods", "services", "persistentvolumeclaims")  # kinds whose change may need more
_GONE_NODE: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_NOT_CALLED: Final = "the sandbox stores admission webhooks and policies, but never calls them"
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_DEFAULT_INGRESS: Final = "ingressclass.kubernetes.io/is-default-class"


class Admission:
    """Every plugin, in order."""

    def __init__(self, store: Store, escalation: Escalation) -> None:
        self._store = store
        self._escalation = escalation
        self._allocator = Allocator(store)
        self._on_create: dict[str, OnCreate] = {
            "pods": self._pod,
            "nodes": _keep_pods_away,
            "persistentvolumeclaims": self._claim,
            "persistentvolumes": _protect("kubernetes.io/pv-protection"),
            "services": self._allocator.allocate,
            "ingresses.networking.k8s.io": self._ingress,
            "priorityclasses.scheduling.k8s.io": self._priority_class,
        }

    def create(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:
        """Change or refuse a new object."""
        if resource.namespaced:
            self._namespace_is_alive(resource, obj["metadata"])
        hook = self._on_create.get(resource.name)
        if hook is not None:
            hook(obj)
        self._escalation.check(resource, obj, None, options.user)
        if resource.group == "admissionregistration.k8s.io":
            options.warnings.append(_NOT_CALLED)
        if resource.namespaced:
            quotas.check(self._store, resource, obj)

    def update(
        self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str
    ) -> None:
        """Change or refuse a change."""
        if resource.name == "services" and subresource != "status":
            _keep_addresses(new, old)
            self._allocator.allocate(new, old)
        if not subresource:
            self._escalation.check(resource, new, old, options.user)
        if resource.name in _GROWING and subresource in ("", "resize"):
            quotas.check(self._store, resource, new, old)
        if resource.name == "persistentvolumeclaims" and not subresource:
            limits.check_claim(self._store, new)

    def delete(self, resource: Resource, obj: JSON, user: User) -> None:  # noqa: ARG002
        """Refuse a deletion."""
        name = obj["metadata"]["name"]
        if resource.name == "namespaces" and name in IMMORTAL:
            raise problems.denied(resource, name, "this namespace may not be deleted")

    # ── NamespaceLifecycle ────────────────────────────────────────────────────

    def _namespace_is_alive(self, resource: Resource, meta: JSON) -> None:
        name = meta["namespace"]
        entry = self._store.get(Key("namespaces", "", name))
        if entry is None:
            details = {"name": name, "kind": "namespaces"}
            raise NotFound(f'namespaces "{name}" not found', details=details)
        if b'"deletionTimestamp"' not in entry.value:
            return
        text = f"unable to create new content in namespace {name} because it is being terminated"
        error = problems.denied(resource, meta.get("name", ""), text)
        message = f"namespace {name} is being terminated"
        error.details["causes"] = [
            {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
        ]
        raise error

    # ── ServiceAccount, Priority, DefaultTolerationSeconds, LimitRanger ───────

    def _pod(self, pod: JSON) -> None:
        spec = pod["spec"]
        account = spec.setdefault("serviceAccountName", spec.get("serviceAccount") or "default")
        spec["serviceAccount"] = account
        self._priority(pod)
        tolerations = spec.setdefault("tolerations", [])
        for key in _GONE_NODE:
            if not any(
                one.get("key") in (key, None, "") and one.get("effect") in ("NoExecute", None, "")
                for one in tolerations
            ):
                tolerations.append(
                    {
                        "key": key,
                        "operator": "Exists",
                        "effect": "NoExecute",
                        "tolerationSeconds": _GRACE_SECONDS,
                    }
                )
        limits.apply(self._store, pod)

    def _priority(self, pod: JSON) -> None:
        spec = pod["spec"]
        name = spec.get("priorityClassName", "")
        if name:
            entry = self._store.get(Key("priorityclasses.scheduling.k8s.io", "", name))
            if entry is None:
                resource_name = pod["metadata"].get("name", "")
                text = f"no PriorityClass with name {name} was found"
                raise problems.pod_denied(resource_name, text)
            found = entry.decode()
        else:
            classes = [entry.decode() for _, entry in self._store.list("priorityclasses.scheduling.k8s.io")]
            found = next((one for one in classes if one.get("globalDefault")), {})
            if found:
                spec["priorityClassName"] = found["metadata"]["name"]
        spec["priority"] = found.get("value", 0)
        spec["preemptionPolicy"] = spec.get("preemptionPolicy") or found.get(
            "preemptionPolicy", "PreemptLowerPriority"
        )

    def _priority_class(self, made: JSON) -> None:
        """Only one class is everybody's."""
        if not made.get("globalDefault"):
            return
        for key, entry in self._store.list("priorityclasses.scheduling.k8s.io"):
            if entry.decode().get("globalDefault"):
                text = f"PriorityClass {key.name} is already marked as default. Only one default can exist"
                raise Forbidden(
                    f'priorityclasses.scheduling.k8s.io "{made["metadata"].get("name", "")}" is forbidden: {text}',
                    details={
                        "name": made["metadata"].get("name", ""),
                        "group": "scheduling.k8s.io",
                        "kind": "priorityclasses",
                    },
                )

    # ── DefaultStorageClass, StorageObjectInUseProtection, DefaultIngressClass ─

    def _claim(self, claim: JSON) -> None:
        _protect("kubernetes.io/pvc-protection")(claim)
        if "storageClassName" not in claim["spec"]:
            default = self._default("storageclasses.storage.k8s.io", _DEFAULT_CLASS)
            if default:
                claim["spec"]["storageClassName"] = default
        limits.check_claim(self._store, claim)

    def _ingress(self, ingress: JSON) -> None:
        old_way = "kubernetes.io/ingress.class" in (ingress["metadata"].get("annotations") or {})
        if "ingressClassName" not in ingress["spec"] and not old_way:
            default = self._default("ingressclasses.networking.k8s.io", _DEFAULT_INGRESS)
            if default:
                ingress["spec"]["ingressClassName"] = default

    def _default(self, resource: str, annotation: str) -> str:
        for key, entry in self._store.list(resource):
            if (entry.decode()["metadata"].get("annotations") or {}).get(annotation) == "true":
                return key.name
        return ""


def _keep_pods_away(node: JSON) -> None:
    """TaintNodesByCondition: a new node takes no pods until its kubelet said that it is ready."""
    taints = node.setdefault("spec", {}).setdefault("taints", [])
    taint = {"key": _GONE_NODE[0], "effect": "NoSchedule"}
    if not any((t.get("key"), t.get("effect")) == (taint["key"], taint["effect"]) for t in taints):
        taints.append(taint)


def _protect(finalizer: str) -> OnCreate:
    def add(obj: JSON) -> None:
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if finalizer not in finalizers:
            finalizers.append(finalizer)

    return add


def _keep_addresses(new: JSON, old: JSON) -> None:
    """What a client left out of a Service's update stays (it was allocated, not written)."""
    spec, before = new["spec"], old["spec"]
    if spec["type"] == "ExternalName" or before["type"] == "ExternalName":
        return
    if not spec.get("clusterIP") and before.get("clusterIP"):
        spec["clusterIP"] = before["clusterIP"]
        spec.pop("clusterIPs", None)
    if not spec.get("clusterIPs") and spec.get("clusterIP") == before.get("clusterIP"):
        spec["clusterIPs"] = list(before.get("clusterIPs") or ())
    elif spec.get("clusterIP") != before.get("clusterIP") and spec.get("clusterIPs") == before.get(
        "clusterIPs"
    ):
        spec["clusterIPs"] = [spec["clusterIP"]]
    for key in ("ipFamilies", "ipFamilyPolicy"):
        if not spec.get(key) and before.get(key):
            spec[key] = before[key]
