"""A hundred applications, ten of them broken in ten different ways: the ninety are untouched, and no slower."""

from __future__ import annotations

import os
import time

import pytest
from manifests import config
from scale import LONG, TIMEOUT, figures, so_many

AUTOMATED = {"prune": True, "selfHeal": True}
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: bad\nversion: 0.1.0\n",
    "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n",
}
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
BROKEN = {
    "no-yaml": {"a.yaml": "kind: [\n"},
    "bomb": {"a.yaml": f"apiVersion: v1\nkind: ConfigMap\n{BOMB}"},
    "no-kind": {"a.yaml": "apiVersion: v1\nmetadata: {name: a}\n"},
    "unknown-kind": {"a.yaml": "apiVersion: example.org/v1\nkind: Wdiget\nmetadata: {name: a}\n"},
    "refused": {"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {n: 1}\n"},
    "template": CHART | {"templates/a.yaml": "a: {{ .Values.image.tag }}\n"},
    "values": CHART | {"values.yaml": "a: [\n"},
    "kustomize": {"kustomization.yaml": "resources: [gone.yaml]\n"},
    "other-branch": {"a.yaml": config("a")},
    "other-host": {"a.yaml": config("a")},
}
SOURCES = {
    "other-branch": {"targetRevision": "mian"},
    "other-host": {"repoURL": "http://127.0.0.1:9/shop.git"},
}


def complaint(world, app):
    status = world.status(app)
    said = [c["type"] for c in status.get("conditions") or [] if c["type"].endswith("Error")]
    return said or (status.get("operationState") or {}).get("phase") in {"Failed", "Error"}


def versions(world, apps):
    """The objects of applications, as the server counts their writes."""
    return {app: world.find("ConfigMap", "a", app)["metadata"]["resourceVersion"] for app in apps}


def push_and_wait(world, repo, apps, text):
    """Seconds, and this process's CPU seconds, from a push that concerns all of them until all are there."""
    began, cpu = time.monotonic(), os.times().user + os.times().system
    head = repo.push({"a.yaml": config("a", v=text)})
    for app in apps:
        world.settled(app, head)
    return time.monotonic() - began, os.times().user + os.times().system - cpu


@pytest.mark.timeout(TIMEOUT)
def test_the_others_are_untouched_and_go_on(world):
    repo, bad = world.repository("good"), world.repository("bad")
    repo.push({"a.yaml": config("a", v="1")})
    many = so_many(12, 90)
    good = [world.app(f"good-{n}", repo, automated=AUTOMATED) for n in range(many)]
    for app in good:
        world.settled(app)
    before = push_and_wait(world, repo, good, "2") if LONG else None
    ways = list(BROKEN) if LONG else ["bomb", "template", "refused", "other-host"]
    bad.push({f"{way}/{name}": content for way in ways for name, content in BROKEN[way].items()})
    stood = versions(world, good)
    broken = [
        world.app(f"bad-{way}", bad, path=way, automated=AUTOMATED, source=SOURCES.get(way, {}),
                  syncPolicy={"retry": {"limit": 0}})
        for way in ways
    ]  # fmt: skip
    for app in broken:
        world.until(lambda app=app: complaint(world, app), bool)
    assert versions(world, good) == stood
    assert {world.status(app)["sync"]["status"] for app in good} == {"Synced"}
    after = push_and_wait(world, repo, good, "3")
    assert {world.find("ConfigMap", "a", app)["data"]["v"] for app in good} == {"3"}
    for app in broken:
        assert complaint(world, app)
    if before is not None:
        figures(
            applications=many, seconds_before=before[0], seconds_with_ten_broken=after[0],
            cpu_before=before[1], cpu_with_ten_broken=after[1],
        )  # fmt: skip
