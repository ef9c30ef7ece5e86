"""Takes away what a lesson made, so that it can begin at its exact starting point again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from labkit.errors import NotFound

if TYPE_CHECKING:
    from labkit.lab.lab import Lab
    from labkit.settings import Settings

_KEPT = 5


def clear(lab: Lab, name: str, settings: Settings) -> None:
    """Delete the application, namespace and repository ``name``; move its working copy to the archive."""
    if name in lab.apps:
        lab.apps.delete(name)
    try:
        lab.cluster.delete("v1", "Namespace", name)
    except NotFound:
        pass
    else:
        _wait_until_gone(lab, name)
    if name in lab.repos:
        lab.repos.delete(name)
    _archive(settings, name)


def _wait_until_gone(lab: Lab, namespace: str) -> None:
    """A namespace empties itself before it goes; while it does, nothing new can be made in it."""
    found = lab.cluster.find("v1", "Namespace", namespace)
    if found is None:
        return
    version = found["metadata"]["resourceVersion"]
    for event in lab.cluster.watch("v1", "Namespace", resource_version=version, timeout=30):
        if event.type == "DELETED" and event.object["metadata"]["name"] == namespace:
            return


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
