"""The loop: from a push to Synced, to Healthy; and what a hundred applications cost when there is nothing to do."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row, Times, memory, python_start, show, timed
from labkit.gitops import operations
from labkit.lab import Lab
from labkit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


def rows(folder: Path, tries: int, applications: int) -> list[Row]:
    settings = Settings.create(folder / "lab")
    with Lab(settings.home) as lab:
        try:
            return [*_memory(lab), *_push(lab, tries), *_idle(lab, tries, applications)]
        finally:
            lab.stop()


def _push(lab: Lab, tries: int) -> list[Row]:
    repo = lab.repos.create("bench")
    work = repo.clone()
    chart = lab.charts.create("web", folder=work.path)
    work.add().commit("Version 0")
    work.push()
    app = lab.apps.create("bench", repo=repo, path="web", automated=True)
    app.wait(timeout=60)
    values, synced, healthy = chart.path / "values.yaml", [], []
    text = values.read_text(encoding="utf-8")
    for number in range(tries):
        colour = chr(ord("a") + number)
        values.write_text(text.replace("colour: blue", f"colour: {colour}"), encoding="utf-8", newline="\n")
        work.add()
        there = _at(work.commit(f"Version {number + 1}").sha)
        began = time.perf_counter()
        work.push()
        operations.wait(lab.cluster, "bench", health=False, timeout=60, until=there)
        synced.append(time.perf_counter() - began)
        operations.wait(lab.cluster, "bench", timeout=60, until=there)
        healthy.append(time.perf_counter() - began)
    remote = timed(
        lambda: subprocess.run(["git", "ls-remote", "-q", repo.clone_url], check=True, capture_output=True),
        tries,
    )
    to_synced, to_healthy = Times(tuple(synced)), Times(tuple(healthy))
    beside = f"git ls-remote {remote}"
    return [
        Row("push → Synced", str(to_synced), beside, to_synced.median / remote.median, "< 300 ms"),
        Row(
            "push → Healthy, with the Pods' simulated start",
            str(to_healthy),
            "push → Synced",
            to_healthy.median / to_synced.median,
        ),
    ]


def _at(sha: str) -> Callable[[dict[str, Any]], bool]:
    return lambda obj: bool(((obj.get("status") or {}).get("sync") or {}).get("revision") == sha)


def _memory(lab: Lab) -> list[Row]:
    import json

    state = lab.home / ".lab"
    service = json.loads((state / "service.json").read_text())["pid"]
    children = Path(f"/proc/{service}/task/{service}/children")
    pids = [service, *map(int, children.read_text().split())] if children.exists() else [service]
    total = sum(memory(pid) for pid in pids)
    process = subprocess.Popen(["python3", "-c", "input()"], stdin=subprocess.PIPE)
    time.sleep(0.3)
    bare = memory(process.pid)
    process.communicate(b"\n")
    return [
        Row(
            "memory of an idle lab",
            f"{total / 1e6:.0f} MB in {len(pids)}",
            f"bare Python {bare / 1e6:.0f} MB",
            total / bare,
            "< 120 MB",
        )
    ]


def _idle(lab: Lab, tries: int, applications: int) -> list[Row]:
    repo = lab.repos.create("many")
    work = repo.clone()
    for number in range(applications):
        file = work.path / f"app-{number}" / "config.yaml"
        file.parent.mkdir()
        file.write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{number}\n", encoding="utf-8", newline="\n"
        )
    work.add().commit("Many")
    work.push()
    for number in range(applications):
        lab.apps.create(f"app-{number}", repo=repo, path=f"app-{number}", namespace="many", automated=True)
    for number in range(applications):
        lab.apps[f"app-{number}"].wait(timeout=120)

    def refresh_all() -> None:
        for number in range(applications):
            operations.refresh(lab.cluster, f"app-{number}")

    passes = timed(refresh_all, tries)
    one = timed(lambda: [operations.get(lab.cluster, "app-0") for _ in range(applications)], tries)
    return [
        Row(
            f"{applications} applications, nothing to do: refreshed one after the other",
            str(passes),
            f"as many reads {one}",
            passes.median / one.median,
        ),
        Row("one of them", show(passes.median / applications), f"bare Python {python_start(3)}", None),
    ]
