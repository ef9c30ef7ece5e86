"""What an object counts for in a ResourceQuota, and which quotas mean it.

Source: pkg/quota/v1/evaluator/core (pods.go, services.go, persistent_volume_claims.go) in Kubernetes 1.36.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.objects import get_path
from labkit.k8s.quantities import canonical, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

JSON = dict[str, Any]
Usage = dict[str, Decimal]

COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
COUNTED: Final = (
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
)  # fmt: skip
_CLASS: Final = ".storageclass.storage.k8s.io/"
_ENFORCED: Final = frozenset(
    ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
)


def usage(resource: str, obj: JSON) -> Usage:
    """What one object counts for; ``resource`` as in ``deployments.apps``. A pod that has ended counts for nothing."""
    if resource == "pods" and get_path(obj, "status", "phase") in ("Succeeded", "Failed"):
        return {}
    found: Usage = {f"count/{resource}": Decimal(1)}
    if resource in COUNTED:
        found[resource] = Decimal(1)
    more = _MORE.get(resource)
    return found | more(obj["spec"]) if more is not None else found


def concerns(name: str, resource: str) -> bool:
    """Whether a quota's name is about a resource."""
    if name.startswith("count/"):
        return name.removeprefix("count/") == resource
    if resource == "pods":
        rest = name.removeprefix("requests.").removeprefix("limits.")
        return name == "pods" or rest in COMPUTE or rest.startswith("hugepages-") or (
            name.startswith("requests.") and "/" in name and _CLASS not in name
        )  # fmt: skip
    if resource == "persistentvolumeclaims":
        return name in ("persistentvolumeclaims", "requests.storage") or _CLASS in name
    return name == resource or (resource == "services" and name.startswith("services."))


def means(quota: JSON, resource: str, obj: JSON) -> bool:
    """Whether the quota's scopes take the object. A quota with scopes is about pods alone (and claims of a class)."""
    spec = quota.get("spec") or {}
    wanted = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    wanted += get_path(spec, "scopeSelector", "matchExpressions", default=[]) or []
    if not wanted:
        return True
    return resource == "pods" and all(_in_scope(one, obj.get("spec") or {}) for one in wanted)


def unsaid(names: Iterable[str], pod: JSON) -> str:
    """What a pod has to say where a quota limits it: ``must specify limits.cpu for: main``, or ""."""
    spec, missing = pod["spec"], {}
    for name in sorted(_ENFORCED & set(names)):
        kind, _, resource = name.rpartition(".")
        containers = [*spec["containers"], *(spec.get("initContainers") or ())]
        silent = [
            c["name"] for c in containers if get_path(c, "resources", kind or "requests", resource) is None
        ]
        if silent:
            missing[name] = ",".join(sorted(silent))
    return "must specify " + "; ".join(f"{n} for: {who}" for n, who in missing.items()) if missing else ""


def text(amount: Decimal, like: str) -> str:
    """An amount as the API writes it, in the family of units (``Mi`` or ``M``) of the limit."""
    if like.endswith("i") and amount == amount.to_integral_value():
        return canonical(f"{amount / 1024:f}Ki") if amount % 1024 == 0 else str(int(amount))
    return canonical(format(amount, "f"))


def pod_total(spec: JSON, kind: str) -> Usage:
    """A pod's ``requests`` or ``limits``: all containers together, or an init container that needs more."""
    total, most = _sum(spec.get("containers") or (), kind), Usage()
    beside: Usage = {}
    for container in spec.get("initContainers") or ():
        own = _amounts(container, kind)
        if container.get("restartPolicy") == "Always":  # a sidecar: it stays
            beside = _added(beside, own)
            own = beside
        else:
            own = _added(beside, own)
        most = {name: max(most.get(name, Decimal(0)), own.get(name, Decimal(0))) for name in {*most, *own}}
    total = _added(total, beside)
    total = {name: max(total.get(name, Decimal(0)), most.get(name, Decimal(0))) for name in {*total, *most}}
    overhead = {name: parse(value) for name, value in (spec.get("overhead") or {}).items()}
    return _added(total, overhead) if overhead else total


def _sum(containers: Iterable[JSON], kind: str) -> Usage:
    total: Usage = {}
    for container in containers:
        total = _added(total, _amounts(container, kind))
    return total


def _amounts(container: JSON, kind: str) -> Usage:
    said = get_path(container, "resources", kind, default={}) or {}
    return {name: parse(value) for name, value in said.items()}


def _added(one: Usage, other: Usage) -> Usage:
    return {name: one.get(name, Decimal(0)) + other.get(name, Decimal(0)) for name in {*one, *other}}


def _pod(spec: JSON) -> Usage:
    found: Usage = {}
    requests, limits = pod_total(spec, "requests"), pod_total(spec, "limits")
    for name, value in requests.items():
        found[f"requests.{name}"] = value
        if name in COMPUTE or name.startswith("hugepages-"):
            found[name] = value
    return found | {f"limits.{name}": value for name, value in limits.items() if name in COMPUTE}


def _service(spec: JSON) -> Usage:
    kind, ports = spec.get("type"), Decimal(len(spec.get("ports") or ()))
    opened = kind == "NodePort" or (
        kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False
    )
    return {
        "services.nodeports": ports if opened else Decimal(0),
        "services.loadbalancers": Decimal(kind == "LoadBalancer"),
    }


def _claim(spec: JSON) -> Usage:
    size = parse(get_path(spec, "resources", "requests", "storage", default="0"))
    found = {"requests.storage": size}
    if spec.get("storageClassName"):
        prefix = f"{spec['storageClassName']}{_CLASS}"
        found |= {f"{prefix}requests.storage": size, f"{prefix}persistentvolumeclaims": Decimal(1)}
    return found


_MORE: Final[dict[str, Callable[[JSON], Usage]]] = {
    "pods": _pod,
    "services": _service,
    "persistentvolumeclaims": _claim,
}


def _in_scope(wanted: JSON, spec: JSON) -> bool:
    name, values = wanted["scopeName"], wanted.get("values") or []
    terminating = spec.get("activeDeadlineSeconds") is not None
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    best_effort = not any(
        resource in ("cpu", "memory")
        for container in containers
        for kind in ("requests", "limits")
        for resource in get_path(container, "resources", kind, default={}) or {}
    )
    if name == "PriorityClass":
        own = spec.get("priorityClassName") or ""
        match wanted.get("operator"):
            case "In":
                return own in values
            case "NotIn":
                return own not in values
            case "DoesNotExist":
                return not own
        return bool(own)
    terms = [
        term
        for kind in ("podAffinity", "podAntiAffinity")
        for field in (
            "requiredDuringSchedulingIgnoredDuringExecution",
            "preferredDuringSchedulingIgnoredDuringExecution",
        )
        for one in get_path(spec, "affinity", kind, field, default=[]) or []
        for term in [one.get("podAffinityTerm") or one]
    ]
    holds = {
        "Terminating": terminating,
        "NotTerminating": not terminating,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "CrossNamespacePodAffinity": any(
            term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms
        ),
    }
    return holds.get(name, False)
