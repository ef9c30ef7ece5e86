"""Lesson 00, the tour: the loop once around."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.k8s import yaml
from labkit.k8s.objects import get_path
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "tour"
COLOUR, REPLICAS = "purple", 3


def _purple(bench: Workbench, say: Say) -> Finding:
    if NAME not in bench.apps:
        return say.no("absent")
    app = bench.apps[NAME]
    if app.object["spec"].get("source", {}).get("helm"):
        return say.no("inline")
    committed = _values(bench)
    if committed is None:
        return say.no("chart")
    colour, replicas = committed.get("colour"), committed.get("replicaCount")
    if (colour, replicas) != (COLOUR, REPLICAS):
        return say.no("git", colour=colour, replicas=replicas)
    deployment = bench.cluster.find("apps/v1", "Deployment", f"{NAME}-web", app.namespace)
    ready = get_path(deployment or {}, "status", "readyReplicas", default=0)
    answered = app.request("/").json()["colour"] if ready else "none"
    if (answered, ready) != (COLOUR, REPLICAS):
        return say.no("cluster", colour=answered, ready=ready)
    return say.yes(colour=answered, ready=ready)


def _values(bench: Workbench) -> dict[str, Any] | None:
    """``values.yaml`` as the Git host's main branch has it: what counts is what was pushed."""
    work = bench.repos[NAME].clone()
    work.fetch()
    try:
        text = work.read("web/values.yaml", "origin/main")
    except LabError:
        return None
    return dict(yaml.load(text, file="web/values.yaml") or {})


def write(bench: Workbench) -> None:
    """What the lesson's own cells push: a repository with the chart in it."""
    work = bench.repos.create(NAME).clone()
    bench.charts.create("web", folder=work.path)
    work.add().commit("Version 1 of the web application")
    work.push()


def follow(bench: Workbench) -> Any:
    """The Application as the lesson's own cells leave it."""
    return bench.apps.create(NAME, repo=NAME, path="web", automated=True, prune=True, self_heal=True)


def _solve(bench: Workbench) -> None:
    if NAME not in bench.repos:
        write(bench)
    work = bench.repos[NAME].clone()
    file = Path(work.path) / "web" / "values.yaml"
    before = values = file.read_text(encoding="utf-8")
    for name, value in (("colour", COLOUR), ("replicaCount", REPLICAS)):
        values = re.sub(rf"(?m)^{name}:.*$", f"{name}: {value}", values)
    if values != before:
        file.write_text(values, encoding="utf-8", newline="\n")
        work.add().commit("Purple, three of them")
        work.push()
    (bench.apps[NAME] if NAME in bench.apps else follow(bench)).watch()


SCRIPT = written("00", NAME, {"purple": (_purple, _solve)})
