"""Writes what a real Argo CD needs into a folder: whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import LabError, NotFound
from labkit.gitops.api.names import API_VERSION, NAMESPACE
from labkit.gitops.export import Export, export

if TYPE_CHECKING:
    from labkit.cluster import Cluster

_KINDS = (
    (API_VERSION, "Application"),
    (API_VERSION, "AppProject"),
    (API_VERSION, "ApplicationSet"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
)


def export_argocd(
    cluster: Cluster, folder: Path, *, lab_git: str, git: str = "", force: bool = False
) -> Export:
    """Write the lab's applications, projects and settings for a real Argo CD into ``folder``.

    ``git`` takes the place of the lab's own Git host in every URL. A folder with something in it is refused,
    unless ``force`` lets it be replaced.
    """
    target = Path(folder).absolute()
    if target.exists() and not target.is_dir():
        raise LabError("this is a file", where=str(folder), fix="Name a folder.")
    if target.is_dir() and any(target.iterdir()) and not force:
        raise LabError(
            "the folder is not empty", where=str(folder), fix="Name a new one, or replace it: --force"
        )
    objects = []
    for api_version, kind in _KINDS:
        try:
            objects += cluster.list(api_version, kind, NAMESPACE).items
        except NotFound:
            continue  # a cluster without that kind
    found = export(objects, lab_git=lab_git, git=git)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as aside:
        made = Path(aside) / "export"
        for path, text in found.files.items():
            file = made / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        if target.exists():
            shutil.move(str(target), str(Path(aside) / "before"))
        made.rename(target)
    return found
