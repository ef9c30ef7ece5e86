"""Lesson 07, Releases, and how Helm got here: what a release is, how it fails, and what comes back and what not."""

from __future__ import annotations

import contextlib
import shutil
from importlib import resources
from typing import TYPE_CHECKING, Any

from labkit.cluster.leftovers import delete_custom_kind
from labkit.errors import ReleaseError, ReleaseNotFound
from labkit.lessons import charting
from labkit.lessons.course.looking import told
from labkit.lessons.releasing import flat
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "releases"
CRD = "ovens.bakery.gitops-lab.dev"


def _tidy(bench: Workbench) -> None:
    """Kinds are the cluster's, not the namespace's: they outlive it."""
    delete_custom_kind(bench.cluster, CRD)


def _recover(bench: Workbench, say: Say) -> Finding:
    history = _history(bench, "rye")
    if not history:
        return say.no("absent")
    if history[0].revision != 1:
        return say.no("history", first=history[0].revision)
    last = history[-1]
    if not any(each.status == "failed" for each in history):
        return say.no("early", count=len(history))
    if last.status != "deployed":
        return say.no("failed", revision=last.revision, status=last.status)
    given = bench.releases.get("rye", NAME).values()
    if (given.get("bread"), given.get("replicas")) != ("spelt", 2):
        return say.no("values", given=_shown(given))
    deployment = _deployment(bench, "rye")
    image = charting.image([deployment])
    if not image.endswith(":1.1.0"):
        return say.no("image", image=image)
    answer = bench.namespace(NAME).answer("rye")
    if answer.get("version") != "1.1.0" or answer.get("message") != "spelt bread":
        return say.no("answer", answer=f"{answer.get('version', '')} {told(answer)}".strip())
    return say.yes(revision=last.revision)


def _keep(bench: Workbench, say: Say) -> Finding:
    history = _history(bench, "wheat")
    if not history:
        return say.no("absent")
    last = history[-1]
    if last.status != "deployed":
        return say.no("failed", revision=last.revision, status=last.status)
    if last.chart_version != "0.2.0":
        return say.no("chart", version=last.chart_version)
    env = charting.environment([_deployment(bench, "wheat")])
    if env.get("MESSAGE") != "wheat bread":
        return say.no("lost", message=env.get("MESSAGE"))
    replicas = _deployment(bench, "wheat").get("spec", {}).get("replicas")
    if replicas != 3:
        return say.no("replicas", replicas=replicas)
    if env.get("DEGREES") != "220":
        return say.no("degrees", degrees=env.get("DEGREES"))
    if history[0].revision != 1:
        return say.no("history", first=history[0].revision)
    return say.yes(revision=last.revision)


def _history(bench: Workbench, name: str) -> list[Any]:
    try:
        return list(bench.releases.get(name, NAME).history)
    except ReleaseNotFound:
        return []


def _deployment(bench: Workbench, name: str) -> Object:
    found: Object | None = bench.cluster.find("apps/v1", "Deployment", name, NAME)
    return found or {"kind": "Deployment", "metadata": {"name": name}}


def _shown(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in flat(values)) or "none"


def fail(bench: Workbench) -> None:
    """Bring release rye to where exercise 1 begins: spelt bread, two Pods, and an upgrade that failed."""
    chart = charting.chart_at(bench.namespace(NAME).folder, "bakery")
    rye = bench.releases.install("rye", chart, namespace=NAME)
    rye.upgrade(chart, set=["bread=spelt", "replicas=2"])
    with contextlib.suppress(ReleaseError):
        rye.upgrade(chart, set=["image.tag=v1.1.0"], values_from="reset-then-reuse", wait=True, timeout=1)


def _solve_recover(bench: Workbench) -> None:
    if not _history(bench, "rye"):
        fail(bench)
    flags = ["bread=spelt", "replicas=2", "image.tag=1.1.0"]
    chart = charting.chart_at(bench.namespace(NAME).folder, "bakery")
    bench.releases.get("rye", NAME).upgrade(chart, set=flags, wait=True)


def _solve_keep(bench: Workbench) -> None:
    folder = bench.namespace(NAME).folder
    chart = charting.chart_at(folder, "bakery")
    if not _history(bench, "wheat"):
        bench.releases.install("wheat", chart, namespace=NAME, set=["bread=wheat"])
    lay_version_2(folder)
    wheat = bench.releases.get("wheat", NAME)
    wheat.upgrade(chart, set=["replicas=3"], values_from="reset-then-reuse", wait=True)


def lay_version_2(folder: Path) -> None:
    """Put chart bakery 0.2.0 where 0.1.0 was."""
    source = resources.files("labkit.lessons").joinpath("stages", "07", "v2", "bakery")
    with resources.as_file(source) as laid:
        shutil.copytree(laid, folder / "bakery", dirs_exist_ok=True)


SCRIPT = written(
    "07", NAME, {"recover": (_recover, _solve_recover), "keep": (_keep, _solve_keep)}, tidy=_tidy
)
