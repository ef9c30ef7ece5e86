"""Takes away what a lesson made, so that it can begin at its exact starting point again."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from labkit.cluster.leftovers import delete_namespace
from labkit.errors import WaitTimeout
from labkit.k8s.objects import get_path
from labkit.lab.spec import IN_CLUSTER

if TYPE_CHECKING:
    from labkit.lab.app import App
    from labkit.lab.lab import Lab
    from labkit.settings import Settings

_KEPT = 5
_SECONDS = 15


def clear(lab: Lab, name: str, settings: Settings) -> None:
    """Delete the application, namespace and repository ``name``; move its working copy to the archive.

    Applications of other names that deploy into that namespace go, too: they would fill it again.
    """
    for app in _applications(lab, name):
        with contextlib.suppress(WaitTimeout):  # held by something in the namespace, which goes next
            app.delete(timeout=_SECONDS)
    delete_namespace(lab.cluster, name)
    for app in _applications(lab, name):
        app.delete()
    if name in lab.repos:
        lab.repos.delete(name)
    _archive(settings, name)


def _applications(lab: Lab, name: str) -> list[App]:
    """The application of that name, and all that deploy into the namespace of that name in the lab's own cluster."""
    found = []
    for app in lab.apps:
        to = get_path(app.object, "spec", "destination", default={})
        here = to.get("server") == IN_CLUSTER or to.get("name") == "in-cluster"
        if app.name == name or (here and to.get("namespace") == name):
            found.append(app)
    return found


def _archive(settings: Settings, name: str) -> None:
    work = settings.work / name
    if not work.exists():
        return
    archive = settings.state / "archive"
    archive.mkdir(exist_ok=True)
    numbers = [int(p.suffix[1:]) for p in archive.glob(f"{name}.*") if p.suffix[1:].isdigit()]
    shutil.move(work, archive / f"{name}.{max(numbers, default=0) + 1}")
    for old in sorted(numbers)[: -_KEPT + 1]:
        shutil.rmtree(archive / f"{name}.{old}", ignore_errors=True)
