"""ResourceQuotas: how much of what a namespace may have.

Source: Kubernetes' staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota and pkg/quota/v1/evaluator/core.
What is used is counted from the objects themselves at every write.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.quantities import canonical, parse
from labkit.sandbox.apiserver import problems

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.store import Store

JSON = dict[str, Any]
Usage = dict[str, Decimal]

_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
_COUNTED: Final = {
    "pods": "pods",
    "services": "services",
    "secrets": "secrets",
    "configmaps": "configmaps",
    "persistentvolumeclaims": "persistentvolumeclaims",
    "replicationcontrollers": "replicationcontrollers",
    "resourcequotas": "resourcequotas",
}


def check(store: Store, resource: Resource, obj: JSON) -> None:
    """Raise `Forbidden` where the new object would exceed a quota of its namespace."""
    namespace = obj["metadata"].get("namespace", "")
    for key, entry in store.list("resourcequotas", namespace):
        quota = entry.decode()
        hard = (quota.get("spec") or {}).get("hard") or {}
        wanted = {name: value for name, value in usage(resource.name, obj).items() if name in hard}
        if not wanted or not _in_scope(quota, obj):
            continue
        used = used_in(store, namespace, list(wanted))
        over = [name for name in sorted(wanted) if used[name] + wanted[name] > parse(hard[name])]
        if over:
            raise problems.denied(
                resource, obj["metadata"].get("name", ""), _exceeded(key.name, over, wanted, used, hard)
            )


def used_in(store: Store, namespace: str, names: list[str]) -> Usage:
    """How much of each named thing the namespace has."""
    total: Usage = dict.fromkeys(names, Decimal(0))
    resources = {name.removeprefix("count/") for name in names if name.startswith("count/")}
    resources |= {one for one in _COUNTED if any(_concerns(name, one) for name in names)}
    for resource in resources:
        for _, entry in store.list(resource, namespace):
            obj = entry.decode()
            for name, value in usage(resource, obj).items():
                if name in total:
                    total[name] += value
    return total


def usage(resource: str, obj: JSON) -> Usage:
    """What one object counts for."""
    if resource == "pods" and (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    found: Usage = {f"count/{resource}": Decimal(1)}
    if resource in _COUNTED:
        found[_COUNTED[resource]] = Decimal(1)
    if resource == "pods":
        found |= _compute(obj)
    elif resource == "services":
        kind = obj["spec"].get("type")
        found["services.nodeports"] = Decimal(
            len(obj["spec"].get("ports") or ()) if kind in ("NodePort", "LoadBalancer") else 0
        )
        found["services.loadbalancers"] = Decimal(kind == "LoadBalancer")
    elif resource == "persistentvolumeclaims":
        requests = (obj["spec"].get("resources") or {}).get("requests") or {}
        found["requests.storage"] = parse(requests.get("storage", "0"))
    return found


def _compute(pod: JSON) -> Usage:
    found: Usage = {}
    for name in _COMPUTE:
        for kind in ("requests", "limits"):
            total = sum(
                (
                    parse(((c.get("resources") or {}).get(kind) or {}).get(name, "0"))
                    for c in pod["spec"]["containers"]
                ),
                Decimal(0),
            )
            found[f"{kind}.{name}"] = total
            if kind == "requests":
                found[name] = total
    return found


def _concerns(name: str, resource: str) -> bool:
    if resource == "pods":
        return name == "pods" or name.rpartition(".")[2] in _COMPUTE
    if resource == "persistentvolumeclaims":
        return name in ("persistentvolumeclaims", "requests.storage")
    return name == resource or name.startswith(f"{resource}.")


def _in_scope(quota: JSON, obj: JSON) -> bool:
    scopes = (quota.get("spec") or {}).get("scopes") or []
    spec = obj.get("spec") or {}
    terminating = spec.get("activeDeadlineSeconds") is not None
    best_effort = (obj.get("status") or {}).get("qosClass") == "BestEffort"
    holds = {
        "Terminating": terminating,
        "NotTerminating": not terminating,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
    }
    return all(holds.get(scope, True) for scope in scopes)


def _exceeded(quota: str, over: list[str], wanted: Usage, used: Usage, hard: dict[str, str]) -> str:
    def shown(values: Usage) -> str:
        return ",".join(f"{name}={canonical(str(values[name]))}" for name in over)

    limits = ",".join(f"{name}={hard[name]}" for name in over)
    return f"exceeded quota: {quota}, requested: {shown(wanted)}, used: {shown(used)}, limited: {limits}"
