"""Lesson 11, Waves and hooks: what comes before what in one sync, and what each step waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops.api.names import HELM_HOOK, HOOK
from labkit.gitops.api.options import listed
from labkit.k8s.objects import get_path, name_of
from labkit.lessons.course.looking import named
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "visitors"
NEW, CHART = "visitors-new", "visitors-chart"
ONE, TWO = "visitors-one", "visitors-two"

# What has to be done before what, and the key of what is said where it is not.
ORDER = (
    ("ConfigMap/settings", "Job/migrate", "settings"),
    ("Job/migrate", "Deployment/web", "migrate"),
    ("Deployment/web", "Job/smoke", "smoke"),
    ("Service/web", "Job/smoke", "service"),
)
JOBS = ("backup", "migrate")
BOTH = {"pre-install", "pre-upgrade"}


def _order(bench: Workbench, say: Say) -> Finding:
    if NEW not in bench.apps:
        return say.no("absent")
    app = bench.apps[NEW].refresh()
    if app.status.sync == "Unknown":
        return say.no("broken", message=_first_line(app.status.message))
    return _misplaced(app, say) or _ended(app, bench, say) or _answers(app, say)


def _misplaced(app: Any, say: Say) -> Finding | None:
    """What is wrong in the plan of Git's newest commit."""
    plan = app.plan()
    places = {when: number for number, when in enumerate(dict.fromkeys(task.when for task in plan))}
    # A hook may run in several phases: it has to be in its place the first time.
    first = {task.about: task for task in reversed(plan)}
    for about in dict.fromkeys(name for before, after, _ in ORDER for name in (before, after)):
        if about not in first:
            return _unplanned(app, about, say)
    for before, after, key in ORDER:
        when = first[before].when, first[after].when
        if places[when[0]] >= places[when[1]]:
            return say.no(key, before=when[0], after=when[1])
    plain = [about for about in ("Job/migrate", "Job/smoke") if first[about].action != "hook"]
    return say.no("plain", about=plain[0]) if plain else None


def _unplanned(app: Any, about: str, say: Say) -> Finding:
    """Why the plan has no place for an object: it is gone, or a hook of a phase that does not exist."""
    found = (obj for obj in app.manifests() if f"{obj['kind']}/{name_of(obj)}" == about)
    obj = next(found, None)
    if obj is None:
        return say.no("gone", about=about)
    return say.no("unplanned", about=about, hook=", ".join(listed(obj, HOOK)))


def _ended(app: Any, bench: Workbench, say: Say) -> Finding | None:
    """What is wrong with the last sync; nothing, if it brought what Git's newest commit has in the folder."""
    state = get_path(app.object, "status", "operationState", default={})
    message, phase = _first_line(state.get("message", "")), state.get("phase")
    if phase in ("Running", "Terminating"):
        return say.no("running", message=message)
    if not _same_files(bench, app, get_path(state, "syncResult", "revision", default="")):
        return say.no("earlier", revision=app.status.revision[:7])
    return say.no("failed", message=message) if phase != "Succeeded" else None


def _same_files(bench: Workbench, app: Any, synced: str) -> bool:
    """Whether the application's folder is in the commit that was synced as it is in the newest one.

    Commits of the other exercise lie in the same repository, and are nothing that this one has to sync.
    """
    newest = app.status.revision
    if not synced or synced == newest:
        return bool(synced)
    try:
        path = str(get_path(app.object, "spec", "source", "path"))
        return not bench.repos[NAME].clone().fetch().diff(synced, newest, path=path)
    except LabError:  # a commit that Git has no more
        return False


def _answers(app: Any, say: Say) -> Finding:
    try:
        answer = app.request("/version")
    except LabError as error:
        return say.no("silent", message=error.problem)
    if answer.status >= 400:
        return say.no("silent", message=answer.text.strip())
    return say.yes(version=answer.text.strip())


def _first_line(text: str) -> str:
    return str(text).partition("\n")[0]


def push(bench: Workbench, message: str) -> None:
    """Commit whatever was changed in the lesson's folder, and push it."""
    work = bench.repos[NAME].clone()
    if not work.status().clean:
        work.add().commit(message)
    work.push()


def annotate(bench: Workbench, file: str, name: str, **annotations: str) -> None:
    """Give an object of the lesson's files these annotations, in place of those that it has.

    ``hook="PreSync"``, ``sync_wave="1"``; ``helm_hook="test"`` is Helm's.
    """
    path = bench.home / "work" / NAME / file
    lines, kept = path.read_text(encoding="utf-8").splitlines(), list[str]()
    for line in lines:
        if line == "  annotations:" or line.startswith(("    argocd.argoproj.io/", "    helm.sh/")):
            continue
        kept.append(line)
        if line == f"  name: {name}":
            kept += ["  annotations:"] if annotations else []
            kept += [f'    {_full(key)}: "{value}"' for key, value in annotations.items()]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8", newline="\n")


def _full(key: str) -> str:
    word = key.replace("_", "-")
    return (
        f"helm.sh/{word.removeprefix('helm-')}" if word.startswith("helm-") else f"argocd.argoproj.io/{word}"
    )


def _solve_order(bench: Workbench) -> None:
    annotate(bench, "site/settings.yaml", "settings", sync_wave="-2")
    annotate(bench, "site/migrate.yaml", "migrate", hook="Sync", sync_wave="-1")
    annotate(bench, "site/smoke.yaml", "smoke", hook="PostSync")
    push(bench, "Settings, migration, application, smoke test")
    again(new(bench))


def new(bench: Workbench) -> Any:
    """The Application that begins in an empty namespace."""
    return bench.apps.create(NEW, repo=NAME, path="site", upsert=True)


def again(app: Any) -> None:
    """Sync what Git says now, in place of a sync that may hang."""
    state = get_path(app.refresh().object, "status", "operationState", "phase")
    if state in ("Running", "Terminating"):
        app.terminate().wait(sync=False, health=False)
    app.sync()


def _chart(bench: Workbench, say: Say) -> Finding:
    if CHART not in bench.apps:
        return say.no("absent")
    app = bench.apps[CHART].refresh()
    if app.status.sync == "Unknown":
        return say.no("broken", message=_first_line(app.status.message))
    return (
        _said(list(app.manifests()), say) or _placed(app, say) or _ended(app, bench, say) or _left(bench, say)
    )


def _said(objects: list[Object], say: Say) -> Finding | None:
    """What the Jobs' annotations say to Helm."""
    for name in JOBS:
        job = named([obj for obj in objects if obj["kind"] == "Job"], name)
        if job is None:
            return say.no("gone", name=name)
        words = set(listed(job, HELM_HOOK))
        if not words:
            return say.no("argocd" if listed(job, HOOK) else "nothing", name=name)
        if not words >= BOTH:
            return say.no("half", name=name, words=", ".join(sorted(words)))
    return None


def _placed(app: Any, say: Say) -> Finding | None:
    """Where the controller's plan has the Jobs."""
    plan = list(app.plan())
    order = list(dict.fromkeys(task.when for task in plan))
    when = {task.resource.name: task.when for task in reversed(plan) if task.resource.kind == "Job"}
    backup, migrate = (when.get(name, "no phase") for name in JOBS)
    if backup == migrate:
        return say.no("together", when=backup)
    if order.index(backup) > order.index(migrate):
        return say.no("reverse", backup=backup, migrate=migrate)
    return None


def _left(bench: Workbench, say: Say) -> Finding:
    found = [name for name in JOBS if bench.cluster.find("batch/v1", "Job", name, CHART) is not None]
    return say.no("left", names=" and ".join(found)) if found else say.yes()


def _solve_chart(bench: Workbench) -> None:
    for name, weight in zip(JOBS, ("1", "2"), strict=True):
        hook = {"helm_hook": "pre-install,pre-upgrade", "helm_hook_weight": weight}
        policy = "before-hook-creation,hook-succeeded"
        annotate(bench, f"chart/templates/{name}.yaml", name, **hook, helm_hook_delete_policy=policy)
    push(bench, "Backup and migration before each install and upgrade")
    again(chart(bench))


def chart(bench: Workbench) -> Any:
    """The Application of the lesson's chart."""
    return bench.apps.create(CHART, repo=NAME, path="chart", upsert=True)


SCRIPT = written(
    "11",
    NAME,
    {"order": (_order, _solve_order), "chart": (_chart, _solve_chart)},
    also=(NEW, CHART, ONE, TWO),
    repository=True,
)
