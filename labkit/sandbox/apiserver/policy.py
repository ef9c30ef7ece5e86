"""The roles that every cluster has, as tables.

Source: Kubernetes' plugin/pkg/auth/authorizer/rbac/bootstrappolicy (those roles that mean something here).
"""

# ruff: noqa: ISC004 - long rows of a table

from __future__ import annotations

from typing import Any, Final

JSON = dict[str, Any]

API: Final = "rbac.authorization.k8s.io"

READ: Final = "get list watch"
WRITE: Final = "create delete deletecollection patch update"
ALL: Final = f"{READ} {WRITE}"

Row = tuple[str, str, str]  # groups ("core" is the core group), resources, verbs

_VIEW: Final[tuple[Row, ...]] = (
    ("core", "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
     "replicationcontrollers/scale serviceaccounts services services/status", READ),
    ("core", "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
     "resourcequotas resourcequotas/status", READ),
    ("core", "namespaces", READ),
    ("discovery.k8s.io", "endpointslices", READ),
    ("apps", "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
     "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status", READ),
    ("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", READ),
    ("batch", "cronjobs cronjobs/status jobs jobs/status", READ),
    ("policy", "poddisruptionbudgets poddisruptionbudgets/status", READ),
    ("networking.k8s.io", "ingresses ingresses/status networkpolicies", READ),
    ("events.k8s.io", "events", READ),
    ("metrics.k8s.io", "pods nodes", READ),
)  # fmt: skip

_EDIT: Final[tuple[Row, ...]] = (
    ("core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", READ),
    ("core", "serviceaccounts", "impersonate"),
    ("core", "pods pods/attach pods/exec pods/portforward pods/proxy", WRITE),
    ("core", "pods/eviction serviceaccounts/token", "create"),
    ("core", "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
     "serviceaccounts services services/proxy", WRITE),
    ("apps", "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale "
     "statefulsets statefulsets/scale", WRITE),
    ("autoscaling", "horizontalpodautoscalers", WRITE),
    ("batch", "cronjobs jobs", WRITE),
    ("policy", "poddisruptionbudgets", WRITE),
    ("networking.k8s.io", "ingresses networkpolicies", WRITE),
    ("coordination.k8s.io", "leases", ALL),
)  # fmt: skip

_ADMIN: Final[tuple[Row, ...]] = (
    ("authorization.k8s.io", "localsubjectaccessreviews", "create"),
    (API, "rolebindings roles", ALL),
)


# name → rows; the aggregated roles view, edit and admin are made of those whose labels say so.
CLUSTER_ROLES: Final[dict[str, tuple[Row, ...]]] = {
    "cluster-admin": (("*", "*", "*"),),
    "system:basic-user": (
        ("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
        ("authentication.k8s.io", "selfsubjectreviews", "create"),
    ),
    "system:discovery": (
        (
            "",
            "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/",
            "get",
        ),
    ),
    "system:public-info-viewer": (("", "/healthz /livez /readyz /version /version/", "get"),),
    "system:aggregate-to-view": _VIEW,
    "system:aggregate-to-edit": _EDIT,
    "system:aggregate-to-admin": _ADMIN,
    "system:node": (("*", "*", "*"),),
    "system:kube-controller-manager": (("*", "*", "*"),),
    "system:kube-scheduler": (("*", "*", "*"),),
}

# The roles that are the sum of others: by which label.
AGGREGATED: Final = {"view": ("view",), "edit": ("edit", "view"), "admin": ("admin", "edit", "view")}

# binding → role, subjects ("User:…", "Group:…")
CLUSTER_BINDINGS: Final[dict[str, tuple[str, str]]] = {
    "cluster-admin": ("cluster-admin", "Group:system:masters"),
    "system:basic-user": ("system:basic-user", "Group:system:authenticated"),
    "system:discovery": ("system:discovery", "Group:system:authenticated"),
    "system:public-info-viewer": (
        "system:public-info-viewer",
        "Group:system:authenticated Group:system:unauthenticated",
    ),
    "system:kube-controller-manager": (
        "system:kube-controller-manager",
        "User:system:kube-controller-manager",
    ),
    "system:kube-scheduler": ("system:kube-scheduler", "User:system:kube-scheduler"),
}

PRIORITY_CLASSES: Final = {
    "system-cluster-critical": (
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    "system-node-critical": (
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
}


def _rule(row: Row) -> JSON:
    groups, targets, verbs = row
    if targets.startswith("/"):
        return {"nonResourceURLs": targets.split(), "verbs": verbs.split()}
    return {
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": targets.split(),
        "verbs": verbs.split(),
    }


def objects() -> list[JSON]:
    """All of them as objects."""
    made = [_cluster_role(name, rows) for name, rows in CLUSTER_ROLES.items()]
    made += [_aggregated(name, sources) for name, sources in AGGREGATED.items()]
    made += [_binding(name, role, subjects) for name, (role, subjects) in CLUSTER_BINDINGS.items()]
    made += [_priority(name, value, text) for name, (value, text) in PRIORITY_CLASSES.items()]
    return made


def _meta(name: str) -> JSON:
    return {
        "name": name,
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {f"{API}/autoupdate": "true"},
    }


def _cluster_role(name: str, rows: tuple[Row, ...]) -> JSON:
    meta = _meta(name)
    if name.startswith("system:aggregate-to-"):
        meta["labels"][f"{API}/aggregate-to-{name.removeprefix('system:aggregate-to-')}"] = "true"
    rules = [_rule(row) for row in rows]
    if name == "cluster-admin":
        rules.append({"nonResourceURLs": ["*"], "verbs": ["*"]})
    return {"apiVersion": f"{API}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}


def _aggregated(name: str, sources: tuple[str, ...]) -> JSON:
    meta = _meta(name)
    if name != "admin":
        outer = {"view": "edit", "edit": "admin"}[name]
        meta["labels"][f"{API}/aggregate-to-{outer}"] = "true"
    label = f"{API}/aggregate-to-{name}"
    rows = [row for source in sources for row in CLUSTER_ROLES[f"system:aggregate-to-{source}"]]
    return {
        "apiVersion": f"{API}/v1",
        "kind": "ClusterRole",
        "metadata": meta,
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]},
        "rules": [_rule(row) for row in rows],
    }


def _binding(name: str, role: str, subjects: str) -> JSON:
    named = [text.partition(":") for text in subjects.split()]
    return {
        "apiVersion": f"{API}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": _meta(name),
        "roleRef": {"apiGroup": API, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": API, "kind": kind, "name": who} for kind, _, who in named],
    }


def _priority(name: str, value: int, text: str) -> JSON:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "description": text,
    }
