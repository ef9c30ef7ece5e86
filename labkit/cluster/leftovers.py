"""Deletes a namespace, or a custom kind, for good: also what a finalizer holds that nobody takes off.

A finalizer is a promise that a program will clean up before an object goes. Where that program was a lesson's, or
never was, the object stays for ever, and whatever it stands in with it. Finalizers of Kubernetes' own are left to
Kubernetes.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from labkit.errors import ClusterError, NotFound
from labkit.k8s.objects import get_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.cluster.client import Cluster
    from labkit.k8s.objects import Object

_SECONDS = 30
_CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_OWN = {"kubernetes", "orphan", "foregroundDeletion"}


def delete_namespace(cluster: Cluster, name: str) -> None:
    """Delete the namespace, if it is there, with all that is in it; returns when it is gone."""
    try:
        cluster.delete("v1", "Namespace", name)
    except NotFound:
        return
    for now in _until_gone(cluster, "v1", "Namespace", name):
        conditions = get_path(now, "status", "conditions", default=[])
        if ("NamespaceFinalizersRemaining", "True") in [(c["type"], c["status"]) for c in conditions]:
            for resource in cluster.resources(refresh=True):
                if resource.namespaced and "list" in resource.verbs:
                    _free(cluster, resource.api_version, resource.kind, name)


def delete_custom_kind(cluster: Cluster, crd: str) -> None:
    """Delete the CustomResourceDefinition, if it is there, with every object of its kind; returns when it is gone."""
    try:
        cluster.delete(*_CRD, crd)
    except NotFound:
        return
    for now in _until_gone(cluster, *_CRD, crd):
        spec = now["spec"]
        served = next(version["name"] for version in spec["versions"] if version["served"])
        _free(cluster, f"{spec['group']}/{served}", spec["names"]["kind"])


def _until_gone(cluster: Cluster, api_version: str, kind: str, name: str) -> Iterator[Object]:
    """The object as it is now, and after each change, for as long as it is there."""
    found = cluster.find(api_version, kind, name)
    if found is None:
        return
    yield found
    version = found["metadata"]["resourceVersion"]
    selector = f"metadata.name={name}"
    with cluster.watch(
        api_version, kind, resource_version=version, field_selector=selector, timeout=_SECONDS
    ) as events:
        for event in events:
            if event.type == "DELETED":
                return
            yield event.object
    raise ClusterError(
        f"it was deleted, and is still there after {_SECONDS} s",
        where=f"{kind} {name}",
        fix=f"See what holds it: kubectl get {kind.lower()} {name} -o yaml",
    )


def _free(cluster: Cluster, api_version: str, kind: str, namespace: str | None = None) -> None:
    """Take the finalizers that are not Kubernetes' own off the objects of a kind that are being deleted."""
    try:
        found = cluster.list(api_version, kind, namespace)
    except NotFound:  # the kind itself went in the meantime
        return
    for obj in found:
        metadata = obj["metadata"]
        held = metadata.get("finalizers") or []
        kept = [name for name in held if name in _OWN or "kubernetes.io/" in name]
        if "deletionTimestamp" not in metadata or kept == held:
            continue
        with contextlib.suppress(NotFound):
            cluster.patch(
                api_version,
                kind,
                metadata["name"],
                metadata.get("namespace"),
                patch={"metadata": {"finalizers": kept}},
            )
