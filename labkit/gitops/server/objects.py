"""What all of them have in common: names, refusals, and writes that the next question already sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError, BadRequest, Conflict, Forbidden
from labkit.gitops.api.names import API_VERSION, NAMESPACE
from labkit.k8s.objects import Object, metadata, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.gitops.live import Server
    from labkit.gitops.rbac import Caller
    from labkit.runtime.informer import Informer

JSON = dict[str, Any]
WRITTEN = ("labels", "annotations", "finalizers")
"""What of an object's metadata people write, beside its name."""
TRIES = 10
ROLLBACK_APART = "server.rbac.rollback.enforce.enable"
"""The setting with which a rollback needs ``rollback``; without it ``sync`` does."""


def hidden(caller: Caller, resource: str, name: str) -> Forbidden:
    """The refusal for what the caller may not see: the same, word for word, whether it exists or not."""
    rule = f"p, {caller.name or 'role:NAME'}, {resource}, get, PROJECT/{name}, allow"
    fix = f"Is the name right? Who looks after argocd-rbac-cm can add to its policy.csv: {rule}"
    return Forbidden("permission denied", where=name, fix=fix)


def project_of(obj: Object) -> str:
    """The project of an Application, or of what a template makes."""
    spec = obj.get("spec")
    project = spec.get("project") if isinstance(spec, dict) else None
    return project if isinstance(project, str) and project else "default"


def received(body: Any, kind: str) -> Object:
    """An object as somebody sent it, with no more than is theirs to write: no status, no operation, no owner."""
    if not isinstance(body, dict) or not isinstance(body.get("spec"), dict):
        raise BadRequest(f"this is no {kind}: it has no spec", where="spec", fix="Send the whole object.")
    if body.get("kind", kind) != kind or body.get("apiVersion", API_VERSION) != API_VERSION:
        raise BadRequest(
            f"this is no {kind} of {API_VERSION}",
            where="kind",
            fix=f"kind: {kind}, apiVersion: {API_VERSION}",
        )
    meta = body.get("metadata")
    name = meta.get("name") if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not isinstance(name, str) or not name:
        raise BadRequest(f"the {kind} needs a name", where="metadata.name", fix="metadata: {name: shop}")
    if meta.get("namespace") not in (None, "", NAMESPACE):
        raise BadRequest(
            f"namespace {meta['namespace']!r} is not looked at: {kind}s are in {NAMESPACE}",
            where="metadata.namespace",
            fix=f"namespace: {NAMESPACE}, or leave it out.",
        )
    kept = {field: meta[field] for field in WRITTEN if meta.get(field)}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, **kept},
        "spec": body["spec"],
    }


def over(live: Object, sent: Object) -> Object:
    """What is live with what was sent in its place, as far as it is people's to write."""
    theirs = metadata(sent)
    meta = {field: value for field, value in metadata(live).items() if field not in WRITTEN}
    meta |= {field: theirs[field] for field in WRITTEN if theirs.get(field)}
    return {**live, "metadata": meta, "spec": sent["spec"]}


def rewrite(
    home: Server, seen: Informer, name: str, change: Callable[[Object], Object], get: Callable[[], Object]
) -> Object:
    """Change an object by a function of what is there now; called again if somebody wrote meanwhile."""
    for _ in range(TRIES):
        changed = change(get())
        try:
            written = home.replace(changed)
        except Conflict:
            continue
        seen.answered("MODIFIED", written)
        return written
    raise ApplicationError(f"{name!r} is written by others all the time", where=name, fix="Try again.")


def same_version(sent: Any, live: Object) -> None:
    """`Conflict` where what was sent was made of an older state than there is."""
    meta = sent.get("metadata") if isinstance(sent, dict) else None
    version = meta.get("resourceVersion") if isinstance(meta, dict) else None
    if version and version != metadata(live).get("resourceVersion"):
        raise Conflict(
            f"{name_of(live)!r} was changed since it was read", where=name_of(live), fix="Read it again."
        )
