"""Orphaned resources: what lies in an application's namespace and belongs to no application.

An AppProject asks for it (``spec.orphanedResources``). Then every kind that can be in a namespace is watched, which
costs a watch for each kind: so it is done for such projects only, and not for kinds that the cluster writes for itself
all the time (as Argo CD's ``resource.exclusions`` has them).

Source: ``getResourceTree`` and ``isKnownOrphanedResourceExclusion`` in controller/appcontroller.go in Argo CD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops import tracking
from labkit.gitops.projects import globs
from labkit.k8s.objects import Object, ObjectKey, gvk, metadata, name_of, namespace_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from labkit.gitops.live import LiveCluster
    from labkit.gitops.projects import Project
    from labkit.runtime.informer import Informer

JSON = dict[str, Any]

WARNING = "OrphanedResourceWarning"
NAMED = 5
_NOT_WATCHED_GROUPS = {"events.k8s.io", "metrics.k8s.io", "coordination.k8s.io", "discovery.k8s.io"}
_NOT_WATCHED = {("", "Event"), ("", "Endpoints")}
_EVERYWHERE = {("", "ServiceAccount", "default"), ("", "ConfigMap", "kube-root-ca.crt")}
_KUBERNETES = ObjectKey("", "Service", "default", "kubernetes")
DEPTH = 8


@dataclass(frozen=True)
class Orphans:
    """What was found: the objects that nothing owns, and with them what was made of them."""

    roots: tuple[Object, ...] = ()
    count: int = 0
    warn: bool = False

    @property
    def warning(self) -> str:
        """The condition's message; empty where there is nothing to warn of. Argo CD names none of them."""
        if not self.warn or not self.count:
            return ""
        named = [f"{obj.get('kind')}/{name_of(obj)}" for obj in self.roots[:NAMED]]
        more = " …" if len(self.roots) > NAMED else ""
        return f"Application has {self.count} orphaned resources: {', '.join(named)}{more}"


def find(
    project: Project,
    live: LiveCluster,
    namespace: str,
    wanted: Collection[ObjectKey],
    exists: Callable[[str], bool],
) -> Orphans:
    """The orphans of a namespace, as the project asks for them.

    ``wanted`` is what the application itself is made of; ``exists`` says whether there is an application of a name.
    """
    rules = project.spec.get("orphanedResources")
    if not isinstance(rules, dict) or not namespace:
        return Orphans()
    roots = {}
    for informer in _watched(live):
        for obj in informer.list(namespace):
            if metadata(obj).get("ownerReferences") or ObjectKey.of(obj) in wanted:
                continue
            if _is_orphan(obj, project, rules, exists):
                roots[uid_of(obj)] = obj
    found = sorted(roots.values(), key=lambda obj: (str(obj.get("kind")), name_of(obj)))
    count = sum(1 for root in found for _ in _descend(root, live, DEPTH))
    return Orphans(tuple(found), count, warn=rules.get("warn") is True)


def _is_orphan(obj: Object, project: Project, rules: JSON, exists: Callable[[str], bool]) -> bool:
    kind, owner = gvk(obj), tracking.owner(obj)
    if owner and exists(owner):
        return False
    if not project.permits_kind(kind.group, kind.kind, name_of(obj), namespaced=True):
        return False
    if ObjectKey.of(obj) == _KUBERNETES or (kind.group, kind.kind, name_of(obj)) in _EVERYWHERE:
        return False
    return not any(_ignores(rule, obj) for rule in rules.get("ignore") or [] if isinstance(rule, dict))


def _ignores(rule: JSON, obj: Object) -> bool:
    """Whether a rule of ``ignore`` means the object: what it does not say fits everything, but for the group."""
    said, kind = {part: str(rule.get(part) or "") for part in ("group", "kind", "name")}, gvk(obj)
    return (
        (not said["kind"] or globs.match(said["kind"], kind.kind))
        and globs.match(said["group"], kind.group)
        and (not said["name"] or globs.match(said["name"], name_of(obj)))
    )


def _watched(live: LiveCluster) -> Iterator[Informer]:
    """An informer for each kind that can be in a namespace; what cannot be listed is passed over."""
    seen: set[tuple[str, str]] = set()
    for each in live.server.resources():
        kind = (each.group, each.kind)
        if kind in seen or not each.namespaced or not {"list", "watch"} <= set(each.verbs):
            continue
        if each.group in _NOT_WATCHED_GROUPS or kind in _NOT_WATCHED:
            continue
        seen.add(kind)
        try:
            yield live.watch(each.api_version, each.kind)
        except LabError:
            continue


def _descend(obj: Object, live: LiveCluster, depth: int) -> Iterator[Object]:
    yield obj
    if depth:
        for child in live.children(obj):
            if namespace_of(child) == namespace_of(obj):
                yield from _descend(child, live, depth - 1)
