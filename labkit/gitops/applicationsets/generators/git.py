"""``git``: a set for each folder, or for each file, of a repository that is asked for.

Folders are matched as Go's ``path.Match`` does (``*`` stays within one). Files are matched as ``git ls-files`` does:
there ``*`` crosses folders, and a folder's name means all that is in it.

Source: applicationset/generators/git.go in Argo CD.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError, ManifestError, RepositoryUnreachable
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.applicationsets.parameters import flat, normalised
from labkit.gitops.applicationsets.spec import listing, mapping, text
from labkit.gitops.projects import globs
from labkit.k8s.yaml import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.gitops.applicationsets.generators.children import Scene
    from labkit.gitops.applicationsets.parameters import JSON, Params

LARGEST_FILE = 1024 * 1024


def make(spec: JSON, scene: Scene, where: str) -> list[Params]:
    """A set for each folder or file that is included and not excluded."""
    root = _checkout(spec, scene, where)
    prefix = text(spec, "pathParamPrefix", where)
    values = mapping(spec.get("values"), f"{where}.values")
    go = scene.renderer.go
    if spec.get("directories"):
        rules = _rules(spec, "directories", where)
        folders = (path for path in _folders(root) if _wanted(path, rules, _folder_matches))
        found = [_at(path, prefix, go=go) for path in folders]
    elif spec.get("files"):
        rules = _rules(spec, "files", where)
        files = sorted(path for path in _files(root) if _wanted(path, rules, _file_matches))
        found = [params for path in files for params in _of_file(root, path, prefix, go=go)]
    else:
        raise InvalidSpec(
            "neither directories nor files are asked for", where=where, fix="directories: [{path: apps/*}]"
        )
    return [scene.renderer.values(values, params) for params in found]


def _checkout(spec: JSON, scene: Scene, where: str) -> Path:
    url = text(spec, "repoURL", where)
    if not url:
        raise InvalidSpec("no repository is named", where=f"{where}.repoURL", fix="See `labkit repo list`.")
    if scene.inputs.checkout is None:
        raise RepositoryUnreachable(
            "repositories cannot be read here", where=url, fix="Start the lab: labkit up"
        )
    return scene.inputs.checkout(url, text(spec, "revision", where, default="HEAD") or "HEAD")


def _rules(spec: JSON, name: str, where: str) -> list[tuple[str, bool]]:
    """Patterns, and whether each excludes."""
    items = listing(spec, name, where)
    return [(text(r, "path", f"{where}.{name}[{i}]"), bool(r.get("exclude"))) for i, r in enumerate(items)]


def _wanted(path: str, rules: list[tuple[str, bool]], matches: Any) -> bool:
    """Excluding wins, in whichever order the rules stand."""
    found = {excludes for pattern, excludes in rules if matches(pattern, path)}
    return found == {False}


def _folder_matches(pattern: str, path: str) -> bool:
    return globs.match(_plain(re.sub(r"\*+", "*", pattern)), path, "/")


def _file_matches(pattern: str, path: str) -> bool:
    return globs.match(_plain(pattern), path) or path.startswith(f"{pattern.rstrip('/')}/")


def _plain(pattern: str) -> str:
    """Braces and commas mean themselves here."""
    return re.sub(r"([{},])", r"\\\1", pattern)


def _folders(root: Path) -> list[str]:
    return sorted(_walked(root))


def _walked(root: Path) -> Iterator[str]:
    for folder, names, _ in os.walk(root):
        names[:] = [n for n in names if not n.startswith(".") and not (Path(folder) / n).is_symlink()]
        for name in names:
            yield (Path(folder) / name).relative_to(root).as_posix()


def _files(root: Path) -> Iterator[str]:
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not (Path(folder) / name).is_symlink()]
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink():
                yield path.relative_to(root).as_posix()


def _of_file(root: Path, path: str, prefix: str, *, go: bool) -> Iterator[Params]:
    for content in _contents(root, path):
        place = _at(posixpath.dirname(path) or ".", prefix, go=go, file=posixpath.basename(path))
        yield (content | place) if go else (flat(content) | place)


def _contents(root: Path, path: str) -> list[JSON]:
    """The mappings of a file: it is one, or a list of them."""
    file = root / path
    if file.stat().st_size > LARGEST_FILE:
        raise LabError(f"the file is larger than {LARGEST_FILE} bytes", where=path, fix="Make it smaller.")
    try:
        found = load(file.read_text(encoding="utf-8"), file=path)
    except UnicodeDecodeError as error:
        raise ManifestError("the file is not UTF-8 text", where=path, fix="Save it as UTF-8.") from error
    many = found if isinstance(found, list) else [found or {}]
    if not all(isinstance(content, dict) for content in many):
        raise ManifestError("a mapping or a list of mappings is wanted", where=path, fix="name: value")
    return many


def _at(path: str, prefix: str, *, go: bool, file: str = "") -> Params:
    """What templates see of the place itself."""
    base = posixpath.basename(path)
    parts: Params = {"basename": base, "basenameNormalized": normalised(base)}
    if file:
        parts |= {"filename": file, "filenameNormalized": normalised(file)}
    if go:
        tree = {"path": {"path": path, "segments": path.split("/")} | parts}
        return {prefix: tree} if prefix else tree
    name = f"{prefix}.path" if prefix else "path"
    made: Params = {name: path} | {f"{name}.{part}": value for part, value in parts.items()}
    return made | {f"{name}[{number}]": part for number, part in enumerate(path.split("/")) if part}
