"""What a real Argo CD needs to go on with a lab's applications: the same files, without the lab. Pure.

Applications, AppProjects and ApplicationSets as a person would have written them; Secrets of repositories and
clusters without what is secret in them; the ConfigMaps ``argocd-cm`` and ``argocd-rbac-cm``; a kustomization that
lists them all, and a page that says what is left to do by hand.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.git import redact
from labkit.gitops.api.names import (
    DELETION_APPROVED,
    GROUP,
    IN_CLUSTER_SERVER,
    NAMESPACE,
    POST_DELETE,
    PRE_DELETE,
    REFRESH,
    SECRET_TYPE,
    SETTINGS,
    TRACKING_ID,
)
from labkit.gitops.credentials import decoded
from labkit.k8s.objects import Object, annotations_of, labels_of, metadata, name_of, owner_references
from labkit.k8s.yaml import dump

if TYPE_CHECKING:
    from collections.abc import Iterable

JSON = dict[str, Any]
RBAC_SETTINGS = "argocd-rbac-cm"

_OWN_ANNOTATIONS = {
    REFRESH,
    TRACKING_ID,
    DELETION_APPROVED,
    "kubectl.kubernetes.io/last-applied-configuration",
}
_OPEN_FIELDS = (
    *("type", "name", "url", "username", "project", "server", "namespaces", "clusterResources", "noProxy"),
    *("enableOCI", "enableLfs", "insecure", "insecureOCIForceHttp", "forceHttpBasicAuth"),
)
"""Of a Secret: what is none. All else is left out, so that a field that comes later is, too."""


@dataclass
class Export:
    """The files by path, and what a person has to do before they are of use elsewhere."""

    files: dict[str, str] = field(default_factory=dict)
    todo: list[str] = field(default_factory=list)


def export(objects: Iterable[Object], *, lab_git: str = "", git: str = "") -> Export:
    """The files for these objects of the namespace ``argocd``.

    ``lab_git`` is the address of the lab's own Git host; where ``git`` is given it takes its place in every URL.
    """
    found, resources = Export(), []
    for obj in sorted(objects, key=lambda one: (str(one.get("kind")), name_of(one))):
        folder = _folder(obj)
        if not folder or owner_references(obj):
            continue  # what an ApplicationSet made, it makes there, too
        written = _moved(_cleaned(obj, found.todo), lab_git, git)
        path = f"{folder}/{name_of(obj)}.yaml" if folder != "." else f"{name_of(obj)}.yaml"
        found.files[path] = dump(written)
        resources.append(path)
        if lab_git and not git and lab_git in found.files[path]:
            found.todo.append(
                f"{path} names the lab's own Git host, {lab_git}: push the repository elsewhere"
            )
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": sorted(resources),
    }
    found.files["kustomization.yaml"] = dump(kustomization)
    found.files["README.md"] = _page(found, len(resources))
    return found


def _folder(obj: Object) -> str:
    """Where an object belongs; empty for what is not exported."""
    kind = obj.get("kind")
    if str(obj.get("apiVersion", "")).startswith(f"{GROUP}/"):
        return {
            "Application": "applications",
            "AppProject": "projects",
            "ApplicationSet": "applicationsets",
        }.get(str(kind), "")
    if kind == "Secret":
        types = {"repository": "repositories", "repo-creds": "repositories", "cluster": "clusters"}
        return types.get(labels_of(obj).get(SECRET_TYPE, ""), "")
    return "." if kind == "ConfigMap" and name_of(obj) in {SETTINGS, RBAC_SETTINGS} else ""


def _cleaned(obj: Object, todo: list[str]) -> Object:
    """The object as a person would have written it."""
    meta = metadata(obj)
    kept: JSON = {"name": name_of(obj), "namespace": NAMESPACE}
    if labels := {
        k: v for k, v in labels_of(obj).items() if not k.startswith("app.kubernetes.io/managed-by")
    }:
        kept["labels"] = labels
    annotations = {
        k: v
        for k, v in annotations_of(obj).items()
        if k not in _OWN_ANNOTATIONS and not k.startswith("gitops-lab/")
    }
    if annotations:
        kept["annotations"] = annotations
    finalizers = [f for f in meta.get("finalizers") or [] if not f.startswith((PRE_DELETE, POST_DELETE))]
    if finalizers:
        kept["finalizers"] = finalizers
    found: Object = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": kept}
    if obj["kind"] == "Secret":
        return found | {"type": "Opaque", "stringData": _open_part(obj, todo)}
    return found | {name: obj[name] for name in ("spec", "data") if name in obj}


def _open_part(secret: Object, todo: list[str]) -> dict[str, str]:
    """What of a Secret is not secret; ``todo`` is told what has to be put in again."""
    fields = decoded(secret)
    kept = {name: redact(value) for name, value in fields.items() if name in _OPEN_FIELDS}
    missing = sorted(name for name in fields if name not in kept and name not in {"config", "version"})
    if "config" in fields:
        config, left_out = _config(fields["config"])
        kept["config"] = json.dumps(config, indent=2)
        missing += [f"config.{name}" for name in left_out]
    if missing:
        todo.append(
            f"Secret {name_of(secret)} is without {', '.join(missing)}: put in those of the real place"
        )
    return kept


def _config(text: str) -> tuple[JSON, list[str]]:
    """A cluster's login without what is secret, and the names of what was left out."""
    try:
        raw = json.loads(text)
    except ValueError:
        return {}, ["(all: it is not JSON)"]
    tls = raw.get("tlsClientConfig") or {}
    open_tls = {name: tls[name] for name in ("insecure", "serverName", "caData") if name in tls}
    kept = {name: raw[name] for name in ("username",) if name in raw} | {"tlsClientConfig": open_tls}
    left = [name for name in raw if name not in kept]
    return kept, left + [f"tlsClientConfig.{name}" for name in tls if name not in open_tls]


def _moved(value: Any, old: str, new: str) -> Any:
    """The same with the address of the lab's Git host replaced wherever a text begins with it."""
    if not old or not new:
        return value
    if isinstance(value, dict):
        return {name: _moved(each, old, new) for name, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, old, new) for each in value]
    if isinstance(value, str) and value.startswith(old):
        return new.rstrip("/") + "/" + value.removeprefix(old).lstrip("/")
    return value


def _page(found: Export, count: int) -> str:
    todo = "".join(f"- {line}\n" for line in found.todo) or "- nothing\n"
    return (
        "# For Argo CD\n\n"
        f"{count} objects of the namespace `{NAMESPACE}`, as they were in the lab. To use them:\n\n"
        "```\nkubectl apply -k . --server-side\n```\n\n"
        f"`{IN_CLUSTER_SERVER}` means the cluster that Argo CD itself runs in.\n\n"
        "## To do by hand\n\n"
        f"{todo}"
    )
