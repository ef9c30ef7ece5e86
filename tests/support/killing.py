"""Kills a lab's service at random moments of syncs with waves and hooks, and looks at what came of it.

The tests do it a few times, and a hundred times in ``make reliability``. Run as a program it does it as often as is
said::

    PYTHONPATH=tests/support python -m killing FOLDER 100
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests import config, job

from labkit.errors import LabError
from labkit.gitops.api.names import HOOK_FINALIZER, MADE_BY
from labkit.k8s.yaml import dump
from labkit.lab import Lab
from labkit.settings import Settings

LONGEST = 3.0
"""Seconds of a sync in which it may be killed; a sync of these waves takes about as long."""


@dataclass
class Outcome:
    """What is there at the end, and what was seen on the way."""

    sync: str = ""
    health: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    wanted: str = ""
    ran: Counter[tuple[str, str]] = field(default_factory=Counter)
    held: list[str] = field(default_factory=list)
    kills: int = 0
    interrupted: int = 0
    restarts: list[float] = field(default_factory=list)

    @property
    def twice(self) -> list[tuple[str, str]]:
        """Hooks that ran more than once in one try of one sync."""
        return [what for what, times in self.ran.items() if times > 1]


class Witness:
    """Sees every Job that is made, as a hook of which try, for as long as it looks."""

    def __init__(self, lab: Lab, namespace: str) -> None:
        self.seen: dict[str, tuple[str, str]] = {}
        self._cluster, self._namespace = lab.cluster, namespace
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _look(self) -> None:
        while not self._stop.is_set():
            try:
                listed = self._cluster.list("batch/v1", "Job", self._namespace)
                for one in listed.items:
                    self._note(one)
                for event in self._cluster.watch(
                    "batch/v1", "Job", self._namespace, resource_version=listed.resource_version, timeout=1.0
                ):
                    self._note(event.object)
            except LabError:
                time.sleep(0.1)

    def _note(self, obj: dict[str, Any]) -> None:
        meta = obj.get("metadata") or {}
        annotations = meta.get("annotations") or {}
        if MADE_BY in annotations:
            self.seen[meta["uid"]] = (annotations[MADE_BY], annotations["argocd.argoproj.io/hook"])


def manifests(version: str) -> dict[str, Any]:
    """Three waves between a hook before and one after."""
    files: dict[str, Any] = {
        "before.yaml": job("migrate-", hook="PreSync", generate=True),
        "after.yaml": job("smoke", hook="PostSync"),
    }
    for wave in range(3):
        obj = config(f"wave-{wave}", v=version)
        obj["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": str(wave)}
        files[f"wave-{wave}.yaml"] = obj
    return files


def trial(folder: Path, kills: int, *, seed: int) -> Outcome:
    """Push, kill at a random moment, start again; ``kills`` times. Then push once more and wait for rest."""
    chance, outcome = random.Random(seed), Outcome()  # a test's moments, no secret
    settings = Settings.create(folder)
    lab = Lab(settings.home)
    copy = lab.repos.create("shop").clone()
    app = "killed"

    def push(version: str) -> None:
        for name, obj in manifests(version).items():
            (copy.path / name).write_text(dump(obj), encoding="utf-8")
        copy.add().commit(f"Version {version}")
        copy.push()

    push("begin")
    lab.apps.create(app, repo="shop", automated=True, prune=True, self_heal=True)
    witness = Witness(lab, app)
    try:
        for number in range(kills):
            push(str(number))
            time.sleep(chance.uniform(0, LONGEST))
            phase = ((lab.apps[app].object.get("status") or {}).get("operationState") or {}).get("phase")
            outcome.interrupted += phase == "Running"
            os.kill(json.loads((settings.state / "service.json").read_text())["pid"], signal.SIGKILL)
            outcome.kills += 1
            began = time.monotonic()
            lab = Lab(settings.home)
            outcome.restarts.append(time.monotonic() - began)
        outcome.wanted = "end"
        push("end")
        _settle(lab, app, copy.head.sha)
    finally:
        witness.stop()
    status = lab.apps[app].status
    outcome.sync, outcome.health = status.sync, status.health
    for wave in range(3):
        obj = lab.cluster.find("v1", "ConfigMap", f"wave-{wave}", app) or {}
        outcome.data[f"wave-{wave}"] = (obj.get("data") or {}).get("v")
    outcome.ran = Counter(witness.seen.values())
    jobs = lab.cluster.list("batch/v1", "Job", app).items
    outcome.held = [
        one["metadata"]["name"] for one in jobs if HOOK_FINALIZER in (one["metadata"].get("finalizers") or [])
    ]
    lab.stop()
    return outcome


def _settle(lab: Lab, app: str, revision: str, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while True:
        found = lab.apps[app]
        status, state = found.status, (found.object.get("status") or {}).get("operationState") or {}
        done = state.get("phase") == "Succeeded" and not found.object.get("operation")
        at_it = (state.get("syncResult") or {}).get("revision") == revision
        if done and at_it and (status.sync, status.health) == ("Synced", "Healthy"):
            time.sleep(1.0)  # the hooks are let go of after the state was written
            return
        if time.monotonic() > end:
            return
        time.sleep(0.1)


if __name__ == "__main__":
    made = trial(Path(sys.argv[1]), int(sys.argv[2]), seed=int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    print(made, f"twice: {made.twice}", sep="\n")  # noqa: T201
