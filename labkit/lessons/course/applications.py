"""Lesson 10, Applications: sync and health, and what each policy does by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s import yaml
from labkit.k8s.objects import get_path
from labkit.lessons.course.looking import automatic
from labkit.lessons.trial import settle
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "orchard"
LATE, OWN = "orchard-late", "orchard-own"
POLICIES = ("manual", "automated", "prune", "selfHeal")
DEPLOY, DELETE = "a new commit is deployed", "what Git no longer has is deleted"
CHANGED, DELETED = "a change by hand is undone at once", "what was deleted by hand comes back at once"

# What happens, by line; a test runs the lesson's trial and holds this table to it.
TABLE = {
    DEPLOY: ("automated", "prune", "selfHeal"),
    CHANGED: ("selfHeal",),
    DELETED: ("selfHeal",),
    DELETE: ("prune",),
}


def _table(bench: Workbench, say: Say) -> Finding:
    file = bench.home / "work" / NAME / "table.yaml"
    if not file.is_file():
        return say.no("gone")
    filled = yaml.load(file.read_text(encoding="utf-8"), file="table.yaml")
    for line in TABLE:
        if not isinstance(filled, dict) or set(POLICIES) - set(filled.get(line) or ()):
            return say.no("lines", line=line)
    cells = [(line, policy, filled[line][policy]) for line in TABLE for policy in POLICIES]
    if empty := [f"{policy}, {line!r}" for line, policy, said in cells if not isinstance(said, bool)]:
        return say.no("empty", count=len(empty), first=empty[0])
    wrong = [cell for cell in cells if cell[2] is not (cell[1] in TABLE[cell[0]])]
    return next((_misjudged(say, *cell) for cell in wrong), say.yes())


def _misjudged(say: Say, line: str, policy: str, said: bool) -> Finding:
    key = "manual" if policy == "manual" else {DEPLOY: "deploy", DELETE: "delete"}.get(line, "heal")
    return say.no(key, line=line, policy=policy, said="yes" if said else "no")


def _solve_table(bench: Workbench) -> None:
    lines = [
        f"{line}:\n" + "".join(f"  {policy}: {'yes' if policy in by else 'no'}\n" for policy in POLICIES)
        for line, by in TABLE.items()
    ]
    file = bench.home / "work" / NAME / "table.yaml"
    file.write_text("\n".join(lines), encoding="utf-8", newline="\n")


def _late(bench: Workbench, say: Say) -> Finding:
    if LATE not in bench.apps:
        return say.no("absent")
    app = bench.apps[LATE]
    obj, status = app.object, app.status
    if not automatic(obj):
        return say.no("manual")
    if (status.sync, status.health) == ("Synced", "Healthy"):
        return say.yes()
    if bench.cluster.find("v1", "Namespace", LATE) is None:
        message = get_path(obj, "status", "operationState", "message", default="nothing yet")
        return say.no("namespace", message=message)
    if status.phase == "Failed":
        return say.no("failed", sync=status.sync, revision=status.revision[:7])
    return say.no("waiting", sync=status.sync, health=status.health)


def late(bench: Workbench) -> Any:
    """The Application that fails, as the lesson makes it."""
    policy = {"automated": True, "self_heal": True, "retry_limit": 0, "sync_options": ()}
    return bench.apps.create(LATE, repo=NAME, path="stall", upsert=True, **policy)


def _solve_late(bench: Workbench) -> None:
    app = late(bench)
    settle(app)
    bench.namespace(LATE)
    app.sync().wait()


def _own(bench: Workbench, say: Say) -> Finding:
    if OWN not in bench.apps:
        return say.no("absent")
    app = bench.apps[OWN]
    app.refresh()
    spec, status = app.object["spec"], app.status
    path = get_path(spec, "source", "path", default="")
    if path.strip("/") != "stall":
        return say.no("path", path=path)
    if app.namespace != OWN:
        return say.no("target", namespace=app.namespace)
    if status.sync == "Unknown":
        return say.no("broken", message=status.message.partition("\n")[0])
    if not automatic(app.object):
        return say.no("manual", sync=status.sync)
    if problem := _failing(app.object):
        return say.no("failed", message=problem)
    missing = next(_missing_switch(spec), "")
    return say.no(missing) if missing else _holds(bench, app, say)


def _failing(application: dict[str, Any]) -> str:
    """What went wrong in the last operation, also while it is being tried again; empty if nothing did."""
    state = get_path(application, "status", "operationState", default={})
    failing = state.get("phase") in ("Failed", "Error") or state.get("retryCount")
    return str(state.get("message", "")).partition(". Fix:")[0] if failing else ""


def _missing_switch(spec: dict[str, Any]) -> Iterator[str]:
    policy = get_path(spec, "syncPolicy", "automated", default={})
    yield from (
        key for key, name in (("prune", "prune"), ("heal", "selfHeal")) if policy.get(name) is not True
    )


def _holds(bench: Workbench, app: Any, say: Say) -> Finding:
    """Whether it does what it says: a Service is deleted behind its back, and has to come back."""
    settle(app)
    if (app.status.sync, app.status.health) == ("Synced", "Healthy"):
        bench.cluster.delete("v1", "Service", "stall", OWN)
        settle(app)
    if (app.status.sync, app.status.health) != ("Synced", "Healthy"):
        return say.no("waiting", sync=app.status.sync, health=app.status.health)
    return say.yes()


def own(url: str) -> dict[str, Any]:
    """The Application as the author would write it."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": OWN, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "path": "stall", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": OWN},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
    }


def _solve_own(bench: Workbench) -> None:
    bench.apps.create_from(own(bench.repos[NAME].url), upsert=True).wait()


SCRIPT = written(
    "10",
    NAME,
    {"table": (_table, _solve_table), "late": (_late, _solve_late), "own": (_own, _solve_own)},
    also=(*(f"{NAME}-{policy.lower()}" for policy in POLICIES), LATE, OWN),
    repository=True,
)
