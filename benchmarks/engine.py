"""The engine with a hundred applications of ten objects: the first sync, a pass with nothing to do, one change, memory.

Times of a busy machine say little, so what counts here is CPU time: that of the service with its children (renders,
git), and beside it that of the sandbox, which answers it.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, memory, show
from labkit.gitops import operations
from labkit.gitops.api.names import API_VERSION, MANIFEST_GENERATE_PATHS, NAMESPACE, REFRESH
from labkit.lab import Lab
from labkit.settings import Settings

OBJECTS = 10
LONGEST = 900.0
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """CPU seconds of the service with its ended children, and of the sandbox."""

    service: float
    sandbox: float

    def __sub__(self, other: Used) -> Used:
        return Used(self.service - other.service, self.sandbox - other.sandbox)

    def __str__(self) -> str:
        return f"{show(self.service)} CPU"


def rows(folder: Path, applications: int, many: int) -> list[Row]:
    settings = Settings.create(folder / "engine")
    with Lab(settings.home) as lab:
        try:
            return Bench(lab).rows(applications, many)
        finally:
            lab.stop()


class Bench:
    """One lab with many applications of one repository, a folder each."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.work = lab.repos.create("engine").clone()
        self.service = json.loads((lab.home / ".lab" / "service.json").read_text())["pid"]
        self.sandbox = _sandbox_of(lab)
        self.names: list[str] = []

    def rows(self, applications: int, many: int) -> list[Row]:
        bare = memory(self.service)
        wall, used = self.measured(lambda: self.grow(applications))
        at_first = memory(self.service)
        found = [
            Row(
                f"{applications} applications × {OBJECTS} objects: first sync",
                show(wall),
                f"{used}, sandbox {show(used.sandbox)}",
                None,
                "< 60 s",
            )
        ]
        _, idle = self.measured(self.refresh_all)
        found.append(
            Row("a pass over all, nothing to do", str(idle), f"sandbox {show(idle.sandbox)}", None, "< 1 s")
        )
        _, all_told = self.measured(lambda: self.change(0, self.names))
        self.say_what_matters()
        _, one = self.measured(lambda: self.change(1, self.names[1:2]))
        found.append(
            Row(
                "one application changed, the others follow the repository too",
                str(all_told),
                f"with manifest-generate-paths {one}",
                all_told.service / max(one.service, 1 / _TICK),
            )
        )
        found.append(
            Row(
                "memory of the service",
                f"{at_first / 1e6:.0f} MB",
                f"empty {bare / 1e6:.0f} MB",
                at_first / bare,
                "",
            )
        )
        if many > applications:
            self.grow(many)
            last = memory(self.service)
            each = (last - at_first) / (many - applications)
            first = (at_first - bare) / applications
            found.append(
                Row(
                    f"memory of the service with {many}",
                    f"{last / 1e6:.0f} MB",
                    f"{each / 1e3:.0f} kB each; the first {first / 1e3:.0f} kB",
                    each / first,
                    "< 300 MB",
                )
            )
        return found

    def measured(self, action: Any) -> tuple[float, Used]:
        """Seconds, and CPU seconds, of something and of what it caused."""
        began, before = time.perf_counter(), self.used()
        action()
        return time.perf_counter() - began, self.used() - before

    def used(self) -> Used:
        return Used(_cpu(self.service), _cpu(self.sandbox))

    def grow(self, count: int) -> None:
        """Make applications until there are so many, and wait until all are Synced."""
        new = [f"app-{number}" for number in range(len(self.names), count)]
        for name in new:
            self.write(name, "first")
        self.work.add().commit("More")
        self.work.push()
        for name in new:
            self.lab.apps.create(name, repo="engine", path=name, automated=True)
        self.names += new
        self.settle(new, self.work.head.sha)

    def write(self, name: str, value: str) -> None:
        place = self.work.path / name
        place.mkdir(exist_ok=True)
        for number in range(OBJECTS):
            text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{number}\ndata:\n  value: {value}\n"
            (place / f"c{number}.yaml").write_text(text, encoding="utf-8", newline="\n")

    def refresh_all(self) -> None:
        """Have each compared with Git anew, all at once."""
        for name in self.names:
            patch = {"metadata": {"annotations": {REFRESH: "normal"}}}
            self.lab.cluster.patch(API_VERSION, "Application", name, NAMESPACE, patch=patch)
        self.wait(lambda obj: REFRESH not in (obj["metadata"].get("annotations") or {}))

    def say_what_matters(self) -> None:
        """Only what is pushed into its own folder concerns an application from now on."""
        for name in self.names:
            patch = {"metadata": {"annotations": {MANIFEST_GENERATE_PATHS: "."}}}
            self.lab.cluster.patch(API_VERSION, "Application", name, NAMESPACE, patch=patch)
        self.refresh_all()

    def change(self, number: int, concerned: list[str]) -> None:
        """Push a change of one application, and wait until those that it concerns are at it."""
        self.write(self.names[number], f"changed-{len(concerned)}")
        self.work.add().commit("One")
        self.work.push()
        self.settle(concerned, self.work.head.sha)

    def settle(self, names: list[str], sha: str) -> None:
        wanted = set(names)

        def done(obj: dict[str, Any]) -> bool:
            sync = (obj.get("status") or {}).get("sync") or {}
            there = sync.get("status") == "Synced" and sync.get("revision") == sha and operations.idle(obj)
            return there or obj["metadata"]["name"] not in wanted

        self.wait(done)

    def wait(self, done: Any) -> None:
        end = time.monotonic() + LONGEST
        while not all(done(obj) for obj in operations.list_(self.lab.cluster)):
            if time.monotonic() > end:
                raise TimeoutError("the applications did not settle")
            time.sleep(0.5)


def _cpu(pid: int) -> float:
    """CPU seconds of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK


def _sandbox_of(lab: Lab) -> int:
    found = next((lab.home / ".lab").glob("**/sandbox.json"))
    return int(json.loads(found.read_text())["pid"])
