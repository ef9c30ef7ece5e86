"""What ``labkit init`` lays out: the lessons and charts, copied so that they are the trainee's own.

The copies are remembered by their hash. A file that is still as it was laid out is brought up to date by the
next ``init``; one that the trainee changed, or deleted, is theirs and stays so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.settings import Settings, explained, share, write_private

if TYPE_CHECKING:
    from pathlib import Path, PurePath

LAID_OUT = ("notebooks", "charts")
_SKIPPED = {".ipynb_checkpoints", "__pycache__", ".DS_Store", ".lab"}


@dataclass
class Layout:
    """What one ``init`` did; paths are relative to the lab folder, with ``/``."""

    settings: Settings
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def lay_out(directory: Path) -> Layout:
    """Make or update the lab folder at ``directory``; `SettingsError` where that cannot be written."""
    settings = Settings.create(directory)
    record = settings.state / "layout.json"
    known = _known(record)
    done = Layout(settings)
    for folder in LAID_OUT:
        source = share(folder)
        if source.resolve() == (settings.home / folder).resolve():
            continue  # a checkout that serves as its own lab folder (Binder)
        for file in sorted(p for p in source.rglob("*") if p.is_file()):
            relative = file.relative_to(source)
            if _is_the_trainees(folder, relative):
                _lay(file, f"{folder}/{relative.as_posix()}", known, done)
    write_private(record, json.dumps(known, indent=1, sort_keys=True) + "\n")
    return done


def _is_the_trainees(folder: str, relative: PurePath) -> bool:
    """Solutions, instructors' notebooks and the texts that notebooks are made from are not laid out."""
    if _SKIPPED.intersection(relative.parts):
        return False
    return folder != "notebooks" or (relative.suffix == ".ipynb" and len(relative.parts) == 1)


def _lay(source: Path, name: str, known: dict[str, str], done: Layout) -> None:
    target = done.settings.home / name
    content = for_trainee(source)
    fresh = hashlib.sha256(content).hexdigest()
    if target.exists():
        seen = hashlib.sha256(target.read_bytes()).hexdigest()
        if seen == fresh:
            known[name] = fresh
            return
        if seen != known.get(name):
            done.kept.append(name)
            return
        done.updated.append(name)
    elif name in known:
        return  # deleted by the trainee
    else:
        done.added.append(name)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    known[name] = fresh


def for_trainee(source: Path) -> bytes:
    """A file's content as it is laid out: a notebook comes without outputs, for they would answer its questions."""
    content = source.read_bytes()
    if source.suffix != ".ipynb":
        return content
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _known(record: Path) -> dict[str, str]:
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # then every file that differs counts as the trainee's: nothing is lost
    return found if isinstance(found, dict) else {}
