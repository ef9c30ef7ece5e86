"""Roles and bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver import object_meta
from labkit.sandbox.apiserver.field_errors import FieldError, bad, required, unsupported
from labkit.sandbox.apiserver.validation.basics import label_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_API: Final = "rbac.authorization.k8s.io"


def role(obj: JSON) -> Iterator[FieldError]:
    """A Role or ClusterRole."""
    namespaced = "namespace" in obj["metadata"]
    for index, rule in enumerate(obj.get("rules") or ()):
        yield from _rule(rule, f"rules[{index}]", namespaced=namespaced)
    aggregation = obj.get("aggregationRule")
    if aggregation is not None:
        selectors = aggregation.get("clusterRoleSelectors") or []
        if not selectors:
            yield required(
                "aggregationRule.clusterRoleSelectors",
                "at least one clusterRoleSelector required if aggregationRule is non-nil",
            )
        for index, selector in enumerate(selectors):
            yield from label_selector(selector, f"aggregationRule.clusterRoleSelectors[{index}]")


def _rule(rule: JSON, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    if rule.get("nonResourceURLs"):
        if namespaced:
            yield bad(
                f"{path}.nonResourceURLs",
                rule["nonResourceURLs"],
                "namespaced rules cannot apply to non-resource URLs",
            )
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            yield bad(
                f"{path}.nonResourceURLs",
                rule["nonResourceURLs"],
                "rules cannot apply to both regular resources and non-resource URLs",
            )
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def role_binding(obj: JSON) -> Iterator[FieldError]:
    """A RoleBinding."""
    yield from _binding(obj, ("Role", "ClusterRole"), namespaced=True)


def cluster_role_binding(obj: JSON) -> Iterator[FieldError]:
    """A ClusterRoleBinding."""
    yield from _binding(obj, ("ClusterRole",), namespaced=False)


def _binding(obj: JSON, kinds: tuple[str, ...], *, namespaced: bool) -> Iterator[FieldError]:
    reference = obj.get("roleRef") or {}
    if reference.get("apiGroup") != _API:
        yield unsupported("roleRef.apiGroup", reference.get("apiGroup", ""), [_API])
    if reference.get("kind") not in kinds:
        yield unsupported("roleRef.kind", reference.get("kind", ""), kinds)
    name = reference.get("name", "")
    if not name:
        yield required("roleRef.name")
    else:
        yield from (bad("roleRef.name", name, text) for text in object_meta.path_segment(name))
    for index, subject in enumerate(obj.get("subjects") or ()):
        yield from _subject(subject, f"subjects[{index}]", namespaced=namespaced)


def _subject(subject: JSON, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    kind = subject.get("kind", "")
    if not subject.get("name"):
        yield required(f"{path}.name")
    group = subject.get("apiGroup", "")
    if kind == "ServiceAccount":
        if group:
            yield unsupported(f"{path}.apiGroup", group, [""])
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        if group != _API:
            yield unsupported(f"{path}.apiGroup", group, [_API])
    else:
        yield unsupported(f"{path}.kind", kind, ["ServiceAccount", "User", "Group"])


def binding_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A binding keeps its role."""
    if new.get("roleRef") != old.get("roleRef"):
        yield bad("roleRef", new.get("roleRef"), "cannot change roleRef")
