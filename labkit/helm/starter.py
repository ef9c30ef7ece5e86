"""A new chart from a starter: a chart whose files say ``<CHARTNAME>`` where the name belongs (as in Helm)."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from labkit.errors import ChartError
from labkit.helm.files import ChartFiles

PLACEHOLDER = b"<CHARTNAME>"
NAME = re.compile(r"[a-z]([a-z0-9-]{0,51}[a-z0-9])?")
WORDS = frozenset(
    {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
)  # YAML takes these for something else


def create_from(starter: Path, directory: Path, name: str) -> Path:
    """Make ``directory/name`` from the starter and return it; it appears whole or not at all.

    `ChartError` for a name that Kubernetes would not take, or a folder that is already there.
    """
    if not NAME.fullmatch(name) or name in WORDS:
        raise ChartError(
            f"{name!r} cannot be the name of a chart",
            where="name",
            fix="use lower-case letters, digits and dashes, beginning with a letter: my-app",
        )
    target = directory / name
    if target.exists() or target.is_symlink():
        raise ChartError(
            "this folder is already there", where=str(target), fix="choose another name, or remove it"
        )
    files = ChartFiles.read(starter)
    filled = {path: data.replace(PLACEHOLDER, name.encode()) for path, data in files.files.items()}
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=directory) as folder:
        made = replace(files, files=filled).stage(Path(folder))
        shutil.move(made, target)
    return target
