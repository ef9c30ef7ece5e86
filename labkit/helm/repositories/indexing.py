"""Writes ``index.yaml`` for a folder of packaged charts: what ``helm repo index`` does (Helm 4, ``pkg/repo/v1``)."""

from __future__ import annotations

import datetime
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from labkit.errors import ChartError
from labkit.helm.files import ChartFiles
from labkit.helm.metadata import read_metadata
from labkit.helm.repositories.index import MOST_BYTES, Index, read_index
from labkit.k8s import yaml
from labkit.versions import Version, known

INDEX = "index.yaml"


def write_index(
    folder: Path, *, url: str = "", merge: Path | None = None, now: datetime.datetime | None = None
) -> Index:
    """Index every ``.tgz`` in a folder, and one level below it, and write ``index.yaml`` there, whole or not at all.

    ``url`` comes before each archive's path; without it the paths are relative. Of ``merge``, an earlier index,
    the entries stay whose versions the folder does not have, and the times of those that are unchanged.
    """
    if not folder.is_dir():
        raise ChartError("there is no such folder", where=str(folder), fix="make it, and put charts into it")
    moment = now or datetime.datetime.fromtimestamp(folder.stat().st_mtime, datetime.UTC)
    earlier = _entries(merge) if merge is not None else {}
    entries: dict[str, list[dict[str, Any]]] = {}
    for archive in sorted([*folder.glob("*.tgz"), *folder.glob("*/*.tgz")]):
        entry = _entry(archive, folder, url, moment)
        entries.setdefault(entry["name"], []).append(entry)
    for name, items in earlier.items():
        present = entries.setdefault(name, [])
        there = {each["version"]: each for each in present}
        for item in items:
            same = there.get(item.get("version"))
            if same is None:
                present.append(item)
            elif same["digest"] == item.get("digest"):
                same["created"] = item.get("created", same["created"])
    ordered = {name: sorted(entries[name], key=_order, reverse=True) for name in sorted(entries)}
    raw = {"apiVersion": "v1", "entries": ordered, "generated": _time(moment)}
    text = yaml.dump(raw)
    _write(folder / INDEX, text)
    return Index.parse(text, str(folder / INDEX))


def _entry(archive: Path, folder: Path, url: str, now: datetime.datetime) -> dict[str, Any]:
    metadata = read_metadata(ChartFiles.read(archive).with_subcharts_unpacked()).raw
    path = archive.relative_to(folder).as_posix()
    return metadata | {
        "created": _time(now),
        "digest": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "urls": [f"{url.rstrip('/')}/{path}" if url else path],
    }


def _entries(file: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        with file.open("rb") as source:
            text = source.read(MOST_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return {}  # as Helm: the first index has nothing to be merged with
    found = read_index(text, str(file))
    return {str(name): [each for each in items if isinstance(each, dict)] for name, items in found.items()}


def _order(entry: dict[str, Any]) -> Version:
    return (known([str(entry.get("version"))]) or [Version(0)])[0]


def _time(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _write(path: Path, text: str) -> None:
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".index-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)
