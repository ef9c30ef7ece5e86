"""Lesson 12, History, rollback, revert: a bad release is found and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.k8s import yaml
from labkit.k8s.objects import get_path
from labkit.lessons.course.looking import automatic
from labkit.lessons.written import Say, written
from labkit.views.code import code

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench
    from labkit.views import View

NAME = "market"
FILE = "stall/stall.yaml"
PRICE = 'value: "{}"'

# A week at the market: what each commit says, and what it does. The second says little and does too much.
WEEK = (
    ("Apples cost 3", ((PRICE.format(2), PRICE.format(3)),)),
    ("Tidy up", (("hello:1.0.0", "hello:2.0.0"), (PRICE.format(3), PRICE.format(0)))),
    ("Two of them", (("replicas: 1", "replicas: 2"),)),
    ("A longer sign", (("value: Apples\n", "value: Apples from the orchard\n"),)),
)
BAD = "Tidy up"


def a_week(bench: Workbench) -> None:
    """Four commits, each pushed and deployed before the next."""
    work, app = bench.repos[NAME].clone(), bench.apps[NAME]
    for message, changes in WEEK:
        edit(bench, *changes)
        work.add(FILE).commit(message)
        work.push()
        app.refresh().wait(health=False)  # an entry each; nobody waits for Pods that are replaced at once
    app.wait()


def stall(bench: Workbench) -> View:
    """What the stall sells, from how many Pods, and whether that is what Git says."""
    ns = bench.namespace(NAME)
    ns.wait()
    answer = ns.answer("stall", "/env")
    replicas = get_path(bench.cluster.get("apps/v1", "Deployment", "stall", NAME), "spec", "replicas")
    pods = "1 Pod" if replicas == 1 else f"{replicas} Pods"
    said = f"{answer.get('SIGN', 'nothing')} for {answer.get('PRICE', 'nothing')}, from {pods}"
    return code(f"{said}; {bench.apps[NAME].status.sync}")


def edit(bench: Workbench, *changes: tuple[str, str]) -> None:
    """Replace texts in the lesson's manifest."""
    file = _file(bench)
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8", newline="\n")


def _file(bench: Workbench) -> Path:
    return bench.home / "work" / NAME / FILE


def _found(bench: Workbench, say: Say) -> Finding:
    file = bench.home / "work" / NAME / "found.yaml"
    said = yaml.load(file.read_text(encoding="utf-8"), file="found.yaml") if file.is_file() else None
    if not isinstance(said, dict) or {"commit", "entry", "good"} - set(said):
        return say.no("gone")
    if not str(said["commit"] or "") or said["entry"] is None or said["good"] is None:
        return say.no("empty")
    bad, entry, good = _truth(bench)
    if not bad:
        return say.no("week")
    commit = str(said["commit"])
    if len(commit) < 7 or not bad.startswith(commit):
        return say.no("commit", commit=commit, subject=_subject(bench, commit))
    if said["entry"] != entry:
        return say.no("entry", entry=said["entry"], revision=_revision(bench, said["entry"]), short=bad[:7])
    if said["good"] != good:
        return say.no("good", good=said["good"], price=_price_of(bench, said["good"]))
    return say.yes(commit=bad[:7], entry=entry, good=good)


def _truth(bench: Workbench) -> tuple[str, int | None, int | None]:
    """The commit of the bad price, the entry that deployed it first, the entry before that."""
    work = bench.repos[NAME].clone()
    bad = next((commit.sha for commit in work.log("main", limit=100) if commit.subject == BAD), "")
    before: int | None = None
    for each in bench.apps[NAME].history if NAME in bench.apps else ():
        if each.revision == bad:
            return bad, each.id, before
        before = each.id
    return "", None, None


def _subject(bench: Workbench, commit: str) -> str:
    try:
        return str(bench.repos[NAME].clone().log(commit, limit=1)[0].subject)
    except (LabError, IndexError):
        return "no commit of this repository"


def _revision(bench: Workbench, number: object) -> str:
    return next((each.short for each in bench.apps[NAME].history if each.id == number), "nothing")


def _price_of(bench: Workbench, number: object) -> str:
    revision = next((each.revision for each in bench.apps[NAME].history if each.id == number), "")
    return price(bench.repos[NAME].clone().read(FILE, revision)) if revision else "nothing: there is none"


def price(text: str) -> str:
    """The price that a manifest of the lesson asks for."""
    return _env(text).get("PRICE", "nothing")


def _env(text: str) -> dict[str, str]:
    deployment = next(
        d.obj for d in yaml.load_documents(text, file=FILE) if d.obj.get("kind") == "Deployment"
    )
    env = get_path(deployment, "spec", "template", "spec", "containers", 0, "env", default=[])
    found = {each["name"]: str(each.get("value")) for each in env}
    return found | {"replicas": str(deployment["spec"].get("replicas"))}


def _solve_found(bench: Workbench) -> None:
    bad, entry, good = _truth(bench)
    text = f'commit: "{bad[:7]}"\nentry: {entry}\ngood: {good}\n'
    (bench.home / "work" / NAME / "found.yaml").write_text(text, encoding="utf-8", newline="\n")


def _undone(bench: Workbench, say: Say) -> Finding:
    if NAME not in bench.apps:
        return say.no("week")
    app, work = bench.apps[NAME], bench.repos[NAME].clone()
    work.fetch()
    subjects = [commit.subject for commit in work.log("origin/main", limit=200)]
    if not {message for message, _ in WEEK} & set(subjects):
        return say.no("week")
    if lost := [message for message, _ in WEEK if message not in subjects]:
        return say.no("rewritten", lost=", ".join(repr(message) for message in lost))
    wanted = _env(work.read(FILE, "origin/main"))
    if wanted.get("PRICE") != "3":
        local = price(_file(bench).read_text(encoding="utf-8"))
        return say.no("pushed" if local == "3" else "price", price=wanted.get("PRICE", "nothing"))
    if (wanted["replicas"], wanted.get("SIGN")) != ("2", "Apples from the orchard"):
        return say.no("lost", replicas=wanted["replicas"], sign=wanted.get("SIGN"))
    return _follows(bench, app, say)


def _follows(bench: Workbench, app: Any, say: Say) -> Finding:
    """Whether the application deploys what Git says, by itself."""
    revision = get_path(app.object, "spec", "source", "targetRevision", default="HEAD")
    if revision not in ("HEAD", "main"):
        return say.no("pinned", revision=revision)
    if not automatic(app.object):
        return say.no("manual", sync=app.status.sync)
    app.refresh()
    ns = bench.namespace(NAME)
    ns.wait()
    answer = ns.answer("stall", "/env")
    if (app.status.sync, answer.get("PRICE")) != ("Synced", "3"):
        return say.no("waiting", sync=app.status.sync, price=answer.get("PRICE", "nothing"))
    return say.yes()


def _solve_undone(bench: Workbench) -> None:
    app = bench.apps[NAME] if NAME in bench.apps else follow(bench)
    app.set(automated=True, revision="HEAD")
    work = bench.repos[NAME].clone()
    commits = work.log("main", limit=100)
    if BAD not in {commit.subject for commit in commits}:
        app.refresh().wait()
        a_week(bench)
        commits = work.log("main", limit=100)
    if price(_file(bench).read_text(encoding="utf-8")) != "3":
        work.revert(next(commit.sha for commit in commits if commit.subject == BAD))
        work.push()
    app.refresh().wait()


def follow(bench: Workbench) -> Any:
    """The lesson's Application."""
    return bench.apps.create(NAME, repo=NAME, path="stall", automated=True, self_heal=True)


def _solve_found_first(bench: Workbench) -> None:
    if NAME not in bench.apps:
        follow(bench).wait()
        a_week(bench)
    _solve_found(bench)


SCRIPT = written(
    "12",
    NAME,
    {"found": (_found, _solve_found_first), "undone": (_undone, _solve_undone)},
    repository=True,
)
