"""ResourceQuotas: how much of what a namespace may have.

Source: Kubernetes' staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota.  What is used is counted from the
objects themselves at every write; the status, which people look at, is written by a controller.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from labkit.k8s import quota as counting
from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver import problems

if TYPE_CHECKING:
    from labkit.k8s.quota import Usage
    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.store import Store

JSON = dict[str, Any]


def check(store: Store, resource: Resource, obj: JSON, old: JSON | None = None) -> None:
    """Raise `Forbidden` where a new object, or what a change adds to it, would exceed a quota of its namespace."""
    namespace, storage = obj["metadata"].get("namespace", ""), resource.storage or resource.name
    for key, entry in store.list("resourcequotas", namespace):
        quota = entry.decode()
        hard = (quota.get("spec") or {}).get("hard") or {}
        if not counting.means(quota, storage, obj):
            continue
        name = obj["metadata"].get("name", "")
        if storage == "pods" and old is None and (problem := counting.unsaid(hard, obj)):
            raise problems.denied(resource, name, f"failed quota: {key.name}: {problem}")
        wanted = _more(storage, obj, old, hard)
        if not wanted:
            continue
        used = used_in(store, namespace, quota)
        over = [name for name in sorted(wanted) if used[name] + wanted[name] > parse(hard[name])]
        if over:
            raise problems.denied(resource, name, _exceeded(key.name, over, wanted, used, hard))


def _more(storage: str, obj: JSON, old: JSON | None, hard: JSON) -> Usage:
    """What the write needs more than there is, of what the quota limits."""
    before = counting.usage(storage, old) if old is not None else {}
    needed = {
        name: value - before.get(name, Decimal(0))
        for name, value in counting.usage(storage, obj).items()
        if name in hard
    }
    return needed if old is None else {name: value for name, value in needed.items() if value > 0}


def used_in(store: Store, namespace: str, quota: JSON) -> Usage:
    """How much of each thing that a quota limits its namespace has."""
    names = (quota.get("spec") or {}).get("hard") or {}
    total: Usage = dict.fromkeys(names, Decimal(0))
    resources = {name.removeprefix("count/") for name in names if name.startswith("count/")}
    resources |= {one for one in counting.COUNTED if any(counting.concerns(name, one) for name in names)}
    for resource in resources:
        for _, entry in store.list(resource, namespace):
            obj = entry.decode()
            if not counting.means(quota, resource, obj):
                continue
            for name, value in counting.usage(resource, obj).items():
                if name in total:
                    total[name] += value
    return total


def _exceeded(quota: str, over: list[str], wanted: Usage, used: Usage, hard: dict[str, str]) -> str:
    def shown(values: Usage) -> str:
        return ",".join(f"{name}={counting.text(values[name], hard[name])}" for name in over)

    limits = ",".join(f"{name}={hard[name]}" for name in over)
    return f"exceeded quota: {quota}, requested: {shown(wanted)}, used: {shown(used)}, limited: {limits}"
