"""From a source's manifests to the objects as they are to be on one cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import LabError
from labkit.gitops import tracking
from labkit.gitops.sync import hooks
from labkit.k8s.objects import Object, ObjectKey, get_path, gvk, namespace_of

if TYPE_CHECKING:
    from labkit.gitops.api.application import Application
    from labkit.gitops.live import LiveCluster
    from labkit.gitops.sources import Manifests

Targets = dict[ObjectKey, tuple[Object, str]]


def targets(app: Application, manifests: Manifests, live: LiveCluster) -> Targets:
    """Each object with its namespace filled in (or taken away) and the application's mark on it, by its key.

    Skipped objects are left out. A hook with a generated name is keyed by that prefix. Kinds that the cluster
    does not have yet are taken as namespaced unless a CRD beside them says otherwise.
    """
    scopes = _scopes(manifests)
    found: Targets = {}
    for item in manifests:
        if hooks.is_skipped(item.obj):
            continue
        obj = _placed(item.obj, app.destination.namespace, live, scopes)
        if not hooks.is_hook(obj):
            obj = tracking.track(obj, app.instance_name, app.destination.namespace)
        key = ObjectKey.of(obj)
        if not key.name:
            key = key._replace(name=str(get_path(obj, "metadata", "generateName", default="")))
        found[key] = (obj, item.origin)
    return found


def _placed(obj: Object, namespace: str, live: LiveCluster, scopes: dict[tuple[str, str], bool]) -> Object:
    kind = gvk(obj)
    namespaced = scopes.get((kind.group, kind.kind))
    if namespaced is None:
        try:
            namespaced = bool(live.server.resource(kind.api_version, kind.kind).namespaced)
        except LabError:
            namespaced = True
    meta = dict(obj.get("metadata") or {})
    if namespaced:
        meta["namespace"] = namespace_of(obj) or namespace or "default"
    else:
        meta.pop("namespace", None)
    return {**obj, "metadata": meta}


def _scopes(manifests: Manifests) -> dict[tuple[str, str], bool]:
    """Whether the kinds that the manifests themselves define are namespaced."""
    return {
        (
            get_path(m.obj, "spec", "group", default=""),
            get_path(m.obj, "spec", "names", "kind", default=""),
        ): get_path(m.obj, "spec", "scope") == "Namespaced"
        for m in manifests
        if m.obj.get("kind") == "CustomResourceDefinition"
    }
