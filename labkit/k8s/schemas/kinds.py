"""The kinds that a cluster has from the start: how they are named and what may be done with them.

One line a kind: the plural, the kind, short names, then what is unusual.  Verbs that are not said are all eight.

Source: the discovery documents of kube-apiserver 1.36.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ALL: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CREATE: Final = ("create",)
UPDATE: Final = ("update",)
CHANGE: Final = ("get", "patch", "update")
PROXY: Final = ("create", "delete", "get", "patch", "update")


@dataclass(frozen=True)
class Sub:
    """A subresource: its name, the kind it speaks, its verbs; group and version where they are not its parent's."""

    name: str
    kind: str = ""
    verbs: tuple[str, ...] = CHANGE
    group: str = ""
    version: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind in one version."""

    group: str
    version: str
    plural: str
    kind: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True
    verbs: tuple[str, ...] = ALL
    subresources: tuple[Sub, ...] = ()
    singular: str = ""

    @property
    def api_version(self) -> str:
        """``apps/v1``, ``v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version


STATUS: Final = Sub("status")
SCALE: Final = Sub("scale", "Scale", CHANGE, "autoscaling", "v1")


def _of(group: str, version: str, *rows: tuple[str, ...] | tuple[object, ...]) -> tuple[Kind, ...]:
    found = []
    for plural, kind, shorts, *rest in rows:
        extra: dict[str, object] = dict(rest[0]) if rest else {}  # type: ignore[call-overload]
        subs = extra.pop("subs", ())
        found.append(
            Kind(
                group,
                version,
                str(plural),
                str(kind),
                tuple(str(shorts).split()),
                singular=str(extra.pop("singular", kind)).lower(),
                subresources=tuple(subs),  # type: ignore[arg-type]
                **extra,  # type: ignore[arg-type]
            )
        )
    return tuple(found)


_ALL_CATEGORY: Final = {"categories": ("all",)}
_CLUSTER: Final = {"namespaced": False}
_REVIEW: Final = {"namespaced": False, "verbs": CREATE}

KINDS: Final[tuple[Kind, ...]] = (
    *_of(
        "",
        "v1",
        ("bindings", "Binding", "", {"verbs": CREATE}),
        ("configmaps", "ConfigMap", "cm"),
        ("endpoints", "Endpoints", "ep"),
        ("events", "Event", "ev"),
        ("limitranges", "LimitRange", "limits"),
        (
            "namespaces",
            "Namespace",
            "ns",
            {
                "namespaced": False,
                "verbs": tuple(verb for verb in ALL if verb != "deletecollection"),
                "subs": (Sub("finalize", "Namespace", UPDATE), STATUS),
            },
        ),
        ("nodes", "Node", "no", {**_CLUSTER, "subs": (Sub("proxy", "NodeProxyOptions", PROXY), STATUS)}),
        ("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", {"subs": (STATUS,)}),
        ("persistentvolumes", "PersistentVolume", "pv", {**_CLUSTER, "subs": (STATUS,)}),
        (
            "pods",
            "Pod",
            "po",
            {
                **_ALL_CATEGORY,
                "subs": (
                    Sub("attach", "PodAttachOptions", ("create", "get")),
                    Sub("binding", "Binding", CREATE),
                    Sub("ephemeralcontainers", "Pod"),
                    Sub("eviction", "Eviction", CREATE, "policy", "v1"),
                    Sub("exec", "PodExecOptions", ("create", "get")),
                    Sub("log", "Pod", ("get",)),
                    Sub("portforward", "PodPortForwardOptions", ("create", "get")),
                    Sub("proxy", "PodProxyOptions", PROXY),
                    Sub("resize", "Pod"),
                    STATUS,
                ),
            },
        ),
        ("podtemplates", "PodTemplate", ""),
        ("replicationcontrollers", "ReplicationController", "rc", {**_ALL_CATEGORY, "subs": (SCALE, STATUS)}),
        ("resourcequotas", "ResourceQuota", "quota", {"subs": (STATUS,)}),
        ("secrets", "Secret", ""),
        (
            "serviceaccounts",
            "ServiceAccount",
            "sa",
            {"subs": (Sub("token", "TokenRequest", CREATE, "authentication.k8s.io", "v1"),)},
        ),
        (
            "services",
            "Service",
            "svc",
            {**_ALL_CATEGORY, "subs": (Sub("proxy", "ServiceProxyOptions", PROXY), STATUS)},
        ),
    ),
    *_of(
        "admissionregistration.k8s.io",
        "v1",
        (
            "mutatingwebhookconfigurations",
            "MutatingWebhookConfiguration",
            "",
            {**_CLUSTER, "categories": ("api-extensions",)},
        ),
        (
            "validatingadmissionpolicies",
            "ValidatingAdmissionPolicy",
            "",
            {**_CLUSTER, "categories": ("api-extensions",), "subs": (STATUS,)},
        ),
        (
            "validatingadmissionpolicybindings",
            "ValidatingAdmissionPolicyBinding",
            "",
            {**_CLUSTER, "categories": ("api-extensions",)},
        ),
        (
            "validatingwebhookconfigurations",
            "ValidatingWebhookConfiguration",
            "",
            {**_CLUSTER, "categories": ("api-extensions",)},
        ),
    ),
    *_of(
        "apiextensions.k8s.io",
        "v1",
        (
            "customresourcedefinitions",
            "CustomResourceDefinition",
            "crd crds",
            {**_CLUSTER, "categories": ("api-extensions",), "subs": (STATUS,)},
        ),
    ),
    *_of(
        "apps",
        "v1",
        ("controllerrevisions", "ControllerRevision", ""),
        ("daemonsets", "DaemonSet", "ds", {**_ALL_CATEGORY, "subs": (STATUS,)}),
        ("deployments", "Deployment", "deploy", {**_ALL_CATEGORY, "subs": (SCALE, STATUS)}),
        ("replicasets", "ReplicaSet", "rs", {**_ALL_CATEGORY, "subs": (SCALE, STATUS)}),
        ("statefulsets", "StatefulSet", "sts", {**_ALL_CATEGORY, "subs": (SCALE, STATUS)}),
    ),
    *_of(
        "authentication.k8s.io",
        "v1",
        ("selfsubjectreviews", "SelfSubjectReview", "", _REVIEW),
        ("tokenreviews", "TokenReview", "", _REVIEW),
    ),
    *_of(
        "authorization.k8s.io",
        "v1",
        ("localsubjectaccessreviews", "LocalSubjectAccessReview", "", {"verbs": CREATE}),
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview", "", _REVIEW),
        ("selfsubjectrulesreviews", "SelfSubjectRulesReview", "", _REVIEW),
        ("subjectaccessreviews", "SubjectAccessReview", "", _REVIEW),
    ),
    *_of(
        "autoscaling",
        "v1",
        ("horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", {**_ALL_CATEGORY, "subs": (STATUS,)}),
    ),
    *_of(
        "autoscaling",
        "v2",
        ("horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", {**_ALL_CATEGORY, "subs": (STATUS,)}),
    ),
    *_of(
        "batch",
        "v1",
        ("cronjobs", "CronJob", "cj", {**_ALL_CATEGORY, "subs": (STATUS,)}),
        ("jobs", "Job", "", {**_ALL_CATEGORY, "subs": (STATUS,)}),
    ),
    *_of("coordination.k8s.io", "v1", ("leases", "Lease", "")),
    *_of("discovery.k8s.io", "v1", ("endpointslices", "EndpointSlice", "")),
    *_of("events.k8s.io", "v1", ("events", "Event", "ev")),
    *_of(
        "networking.k8s.io",
        "v1",
        ("ingressclasses", "IngressClass", "", _CLUSTER),
        ("ingresses", "Ingress", "ing", {"subs": (STATUS,)}),
        ("networkpolicies", "NetworkPolicy", "netpol"),
    ),
    *_of("policy", "v1", ("poddisruptionbudgets", "PodDisruptionBudget", "pdb", {"subs": (STATUS,)})),
    *_of(
        "rbac.authorization.k8s.io",
        "v1",
        ("clusterrolebindings", "ClusterRoleBinding", "", _CLUSTER),
        ("clusterroles", "ClusterRole", "", _CLUSTER),
        ("rolebindings", "RoleBinding", ""),
        ("roles", "Role", ""),
    ),
    *_of("scheduling.k8s.io", "v1", ("priorityclasses", "PriorityClass", "pc", _CLUSTER)),
    *_of(
        "storage.k8s.io",
        "v1",
        ("csidrivers", "CSIDriver", "", _CLUSTER),
        ("csinodes", "CSINode", "", _CLUSTER),
        ("csistoragecapacities", "CSIStorageCapacity", ""),
        ("storageclasses", "StorageClass", "sc", _CLUSTER),
        ("volumeattachments", "VolumeAttachment", "", {**_CLUSTER, "subs": (STATUS,)}),
    ),
)
