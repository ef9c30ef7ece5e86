"""LimitRange and ResourceQuota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, required
from labkit.sandbox.apiserver.validation.basics import immutable

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_TYPES: Final = ("Container", "PersistentVolumeClaim", "Pod")
_SCOPES: Final = (
    "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
    "VolumeAttributesClass",
)  # fmt: skip
_COUNTED: Final = (
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
)  # fmt: skip
_QUOTA: Final = frozenset(
    (
        *_COUNTED, "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    )
)  # fmt: skip
_PODS_ONLY: Final = frozenset(("pods",))
_COMPUTE: Final = frozenset(
    (
        "pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
        "ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage",
    )
)  # fmt: skip


def limit_range(obj: JSON) -> Iterator[FieldError]:
    """A LimitRange's bounds fit each other."""
    seen = set()
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", item.get("type", "")
        problems = names.qualified_name(kind)
        yield from (bad(f"{path}.type", kind, text) for text in problems)
        if not problems and "/" not in kind and kind not in _TYPES:
            yield bad(f"{path}.type", kind, "must be a standard limit type or fully qualified")
        if kind in seen:
            yield duplicate(f"{path}.type", kind)
        seen.add(kind)
        yield from _kind(item, kind, path)
        every = {name for field in _BOUNDS for name in item.get(field) or {}}
        for name in sorted(every):
            yield from _bounds(item, name, path)


_BOUNDS: Final = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")


def _kind(item: JSON, kind: str, path: str) -> Iterator[FieldError]:
    if kind == "Pod":
        text = "may not be specified when `type` is 'Pod'"
        said = [field for field in ("default", "defaultRequest") if item.get(field)]
        yield from (forbidden(f"{path}.{field}", text) for field in said)
    if kind == "PersistentVolumeClaim" and not any(
        "storage" in (item.get(field) or {}) for field in ("min", "max")
    ):
        text = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", text)


# Which of two amounts may not exceed the other: the smaller's field and name, the larger's; where it is said, of which.
_ORDER: Final = (
    ("min", "min value", "max", "max value", "min", "min"),
    ("min", "min value", "defaultRequest", "default request value", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default request value", "max", "max value", "defaultRequest", "defaultRequest"),
    (
        "defaultRequest",
        "default request value",
        "default",
        "default limit value",
        "defaultRequest",
        "defaultRequest",
    ),
    ("min", "min value", "default", "default value", "default", "min"),
    ("default", "default value", "max", "max value", "default", "max"),
)


def _bounds(item: JSON, name: str, path: str) -> Iterator[FieldError]:
    for low, low_name, high, high_name, place, shown in _ORDER:
        least, most = (item.get(low) or {}).get(name), (item.get(high) or {}).get(name)
        if least is not None and most is not None and parse(least) > parse(most):
            text = f"{low_name} {least} is greater than {high_name} {most}"
            yield bad(f"{path}.{place}[{name}]", item[shown][name], text)
    ratio = (item.get("maxLimitRequestRatio") or {}).get(name)
    if ratio is not None and parse(ratio) < 1:
        yield bad(f"{path}.maxLimitRequestRatio[{name}]", ratio, f"ratio {ratio} is less than 1")


def resource_quota(obj: JSON) -> Iterator[FieldError]:
    """A ResourceQuota names things and amounts."""
    spec = obj.get("spec") or {}
    hard = spec.get("hard") or {}
    for name, value in sorted(hard.items()):
        yield from _quota(name, value, f"spec.hard[{name}]")
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in _SCOPES:
            yield bad("spec.scopes", scopes, "unsupported scope")
        fits = _PODS_ONLY if scope == "BestEffort" else _COMPUTE
        for name in sorted(hard):
            if scope in _SCOPES[:-1] and name in _QUOTA and name not in fits:
                yield bad("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"}):
        if pair <= set(scopes):
            yield bad("spec.scopes", scopes, "conflicting scopes")


def _quota(name: str, value: str, path: str) -> Iterator[FieldError]:
    problems = names.qualified_name(name)
    yield from (bad(path, name, text) for text in problems)
    huge = name.startswith(("hugepages-", "requests.hugepages-"))
    if not problems and "/" not in name and name not in _QUOTA and not huge:
        if name != "storage":
            yield bad(path, name, "must be a standard resource type or fully qualified")
        yield bad(path, name, "must be a standard resource for quota")
    amount = parse(value)
    if amount < 0:
        yield bad(path, value, "must be greater than or equal to 0")
    if ("/" in name or name in _COUNTED) and amount != amount.to_integral_value():
        yield bad(path, value, "must be an integer")


def resource_quota_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A ResourceQuota keeps its scopes."""
    yield from immutable(new.get("spec") or {}, old.get("spec") or {}, "spec", "scopes")
