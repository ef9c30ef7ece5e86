"""A plain folder of YAML and JSON as a source."""

from __future__ import annotations

import fnmatch
import functools
import re
from typing import TYPE_CHECKING, Any

from labkit.errors import ManifestError
from labkit.gitops.sources.manifests import Manifest
from labkit.gitops.sources.paths import inbound
from labkit.k8s.yaml import load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDINGS = (".yaml", ".yml", ".json")
MAX_BYTES = 10 * 1024 * 1024
"""What the manifests of one folder may hold together; Argo CD's default is of this order."""

MOST_ALTERNATIVES = 1000
"""What the braces of one glob may stand for."""


def read(folder: Path, shown: str, options: dict[str, Any]) -> list[Manifest]:
    """The manifests of a folder: ``recurse`` into folders, ``include`` and ``exclude`` by glob.

    ``shown`` is what the folder is called in messages. Jsonnet is not rendered: a ``.jsonnet`` file says so.
    """
    found: list[Manifest] = []
    budget = MAX_BYTES
    for file in _files(folder, options):
        name = f"{shown}/{file.relative_to(folder).as_posix()}".removeprefix("./")
        if file.suffix == ".jsonnet":
            raise ManifestError(
                "Jsonnet is not rendered here", where=name, fix="Render it to YAML, or exclude the file."
            )
        budget -= file.stat().st_size
        if budget < 0:
            raise ManifestError(
                f"the folder's manifests are larger than {MAX_BYTES // 2**20} MB together", where=shown
            )
        text = file.read_text(encoding="utf-8", errors="replace")
        if "apiVersion" not in text and "kind" not in text:
            continue  # as in Argo CD: YAML that is no manifest, such as a values file, is passed over
        found += [Manifest(document.obj, document.where) for document in load_documents(text, file=name)]
    return found


def _files(folder: Path, options: dict[str, Any]) -> Iterator[Path]:
    paths = sorted(folder.rglob("*") if options.get("recurse") else folder.iterdir())
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.suffix not in {*ENDINGS, ".jsonnet"} or not inbound(path, folder):
            continue
        if (exclude := options.get("exclude")) and matches(exclude, name):
            continue
        if (include := options.get("include")) and not matches(include, name):
            continue
        yield path


def matches(pattern: str, name: str) -> bool:
    """A glob with ``{a,b}`` alternatives, as ``directory.include`` takes it."""
    return any(re.fullmatch(fnmatch.translate(each), name) is not None for each in _alternatives(pattern))


@functools.lru_cache(maxsize=256)
def _alternatives(pattern: str) -> tuple[str, ...]:
    """The globs without braces that one with braces stands for; few braces stand for very many."""
    done: list[str] = []
    left = [pattern]
    while left:
        each = left.pop()
        found = re.search(r"\{([^{}]*)\}", each)
        if not found:
            done.append(each)
        else:
            before, after = each[: found.start()], each[found.end() :]
            left += [before + choice.strip() + after for choice in found[1].split(",")]
        if len(done) + len(left) > MOST_ALTERNATIVES:
            raise ManifestError(
                f"the glob stands for more than {MOST_ALTERNATIVES} others",
                where=f"directory: {pattern[:60]}",
                fix="Write fewer braces.",
            )
    return tuple(done)
