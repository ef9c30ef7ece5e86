"""Lesson 00, the tour: the loop once around."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import LabError
from labkit.k8s import yaml
from labkit.k8s.objects import get_path
from labkit.lessons.exercise import Finding, Task
from labkit.lessons.lesson import Script
from labkit.lessons.prediction import Question

if TYPE_CHECKING:
    from labkit.lessons.workbench import Workbench

NAME = "tour"
COLOUR, REPLICAS = "purple", 3

_QUESTIONS = {
    "render": Question(
        "The chart's templates folder has three files that make Kubernetes objects. How many objects will Helm render?",
        {"a": "one, the application", "b": "three, one a file", "c": "none before something is installed"},
        "b",
        "Rendering only fills in templates: files in, manifests out. It asks no cluster, so it works anywhere.",
    ),
    "push": Question(
        "The chart is pushed, and an Application points to it; automated sync is off. What runs in the cluster now?",
        {"a": "version 1", "b": "nothing", "c": "the Service, but no Pods"},
        "b",
        "Pushed is not deployed. The controller has compared Git with the cluster and says OutOfSync; "
        "without automated sync it waits for somebody to ask for one.",
    ),
    "drift": Question(
        "Automated sync is on, selfHeal is off. Somebody deletes the Deployment by hand. What does the controller do?",
        {
            "a": "it makes it again",
            "b": "it says OutOfSync and does nothing",
            "c": "it deletes the rest, too",
        },
        "b",
        "Automated sync acts on a new commit. Undoing a change behind Git's back is a second decision: selfHeal.",
    ),
    "broken": Question(
        "A commit with a typing mistake in a template is pushed. Automated sync and selfHeal are on. What happens "
        "to version 2, which is running?",
        {"a": "it is deleted", "b": "it goes on running", "c": "it restarts with the old values"},
        "b",
        "What cannot be rendered cannot be compared, and what cannot be compared is not touched: the "
        "application's sync status is Unknown, with the reason.",
    ),
}


def _check(bench: Workbench) -> Finding:
    expected = f"colour {COLOUR} from {REPLICAS} Pods, deployed from Git"
    app = bench.apps[NAME]
    spec = app.object["spec"].get("source", {}).get("helm")
    if spec:
        return Finding(
            False, "the values stand in the Application, not in Git", expected, "Take spec.source.helm away."
        )
    committed = _values(bench)
    colour, replicas = committed.get("colour"), committed.get("replicaCount")
    if (colour, replicas) != (COLOUR, REPLICAS):
        seen = f"Git's main says colour {colour}, replicaCount {replicas}"
        return Finding(False, seen, expected, f"Change values.yaml in work/{NAME}/web, then commit and push.")
    deployment = bench.cluster.find("apps/v1", "Deployment", f"{NAME}-web", app.namespace) or {}
    ready = get_path(deployment, "status", "readyReplicas", default=0)
    answer = app.request("/").json()
    seen = f"colour {answer.get('colour')} from {ready} ready Pods"
    if (answer.get("colour"), ready) != (COLOUR, REPLICAS):
        return Finding(
            False,
            f"Git is right; the cluster has {seen}",
            expected,
            "Give it a moment: app.watch(), then check again.",
        )
    return Finding(True, seen, expected)


def _values(bench: Workbench) -> dict[str, object]:
    """``values.yaml`` as the Git host's main branch has it: what counts is what was pushed."""
    work = bench.repos[NAME].clone()
    work.fetch()
    try:
        text = work.read("web/values.yaml", "origin/main")
    except LabError as error:
        raise LabError(
            "the Git host has no web/values.yaml on main", where=NAME, fix="Push the chart first."
        ) from error
    return dict(yaml.load(text, file="web/values.yaml") or {})


def _solve(bench: Workbench) -> None:
    work = bench.repos[NAME].clone()
    file = Path(work.path) / "web" / "values.yaml"
    values = file.read_text(encoding="utf-8")
    for name, value in (("colour", COLOUR), ("replicaCount", REPLICAS)):
        values = re.sub(rf"(?m)^{name}:.*$", f"{name}: {value}", values)
    file.write_text(values, encoding="utf-8", newline="\n")
    work.add().commit("Purple, three of them")
    work.push()
    bench.apps[NAME].watch()


_HINTS = (
    "Nothing is changed in the cluster by hand here. Where does the cluster's wanted state stand?",
    f"Two lines of work/{NAME}/web/values.yaml decide it: colour and replicaCount. Only what is pushed counts.",
    f'Write colour: {COLOUR} and replicaCount: {REPLICAS}; then work.add().commit("Purple"); work.push(); app.watch()',
)

SCRIPT = Script(
    "00",
    "The loop once around",
    20,
    (NAME,),
    _QUESTIONS,
    {
        "purple": Task(
            f"Three Pods that answer in {COLOUR}, by way of Git",
            _check,
            _HINTS,
            _solve,
        )
    },
)
