"""A commit's files as a plain folder: what a chart or a directory of manifests is rendered from.

The folder is named by the tree's id, so equal content is written once, whoever asks. It is written beside its
place and renamed into it, so nobody ever sees half of one; and it stays until `prune` finds it unused.
Nothing in it leads out: a symbolic link that points outside the repository, directly or by way of other
links, refuses the whole export, as Argo CD does ("out-of-bounds symlink").
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import GitError, PathNotFound
from labkit.git.command import MEGABYTE, environment, run
from labkit.git.reader import LINK, Entry, Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HOPS = 40  # what Linux allows as well (path_resolution(7))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of somebody else's repository is read: megabytes and files of one tree, megabytes of one
    transfer, seconds of one git command, and how many exported trees are kept."""

    tree_megabytes: int = 256
    files: int = 50_000
    transfer_megabytes: int = 1024
    seconds: float = 90.0
    kept_exports: int = 64
    kept_seconds: float = 900.0


def use(folder: Path) -> bool:
    """Whether an exported folder is there; if so, it counts as used now, and `prune` leaves it."""
    try:
        os.utime(folder)
    except OSError:
        return False
    return folder.is_dir()


def export(reader: Reader, sha: str, tree: str, folder: Path, limits: Limits) -> Path:
    """Commit `sha` of `reader`, whose tree is `tree`, as files in `folder`/<tree id>, written once."""
    target = folder / tree
    if use(target):
        return target
    entries = reader.entries(sha, recursive=True)
    check_size(entries, limits, f"{reader.where} at {sha[:7]}")
    check_links(_links(reader, entries), where=f"{reader.where} at {sha[:7]}")
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        _write(reader, tree, made, limits)
        _check_written(made, entries, reader.where)
        _move_into_place(made / "tree", target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _write(reader: Reader, tree: str, made: Path, limits: Limits) -> None:
    (made / "tree").mkdir()
    env = environment(any_owner=True, config=(("core.bare", "false"),))
    env |= {"GIT_INDEX_FILE": str(made / "index")}
    here = (f"--git-dir={reader.git_dir}", f"--work-tree={made / 'tree'}")
    checkout = ("read-tree", "--reset", "-u", tree)
    run(*here, *checkout, env=env, cwd=made / "tree", where=reader.where, seconds=limits.seconds)


def _check_written(made: Path, entries: Iterable[Entry], where: str) -> None:
    # The listing was judged already; this is the file system's own word, which may fold case or Unicode.
    root = (made / "tree").resolve()
    for entry in entries:
        path = root / entry.path
        if entry.mode == LINK and path.is_symlink() and not path.resolve().is_relative_to(root):
            raise _leads_out(entry.path, where)


def _move_into_place(made: Path, target: Path) -> None:
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():  # else another thread was first, with the same content
            raise


def check_size(entries: Iterable[Entry], limits: Limits, where: str) -> None:
    """GitError if a tree has more files or bytes than `limits` allows."""
    count = size = 0
    for entry in entries:
        count, size = count + 1, size + entry.size
    if count > limits.files or size > limits.tree_megabytes * MEGABYTE:
        problem = f"The repository holds {count:,} files, {size // MEGABYTE:,} MB: more than the lab reads."
        allowed = f"{limits.files:,} files, {limits.tree_megabytes} MB"
        advice = f"Keep charts in a repository of their own (at most {allowed})."
        raise GitError(problem, where=where, fix=advice)


def _links(reader: Reader, entries: Iterable[Entry]) -> dict[str, str]:
    found = [entry for entry in entries if entry.mode == LINK]
    targets = reader.blobs({entry.sha for entry in found})
    return {entry.path: targets[entry.sha].decode("utf-8", "surrogateescape") for entry in found}


def check_links(links: Mapping[str, str], *, where: str) -> None:
    """PathNotFound if one of `links` (path → target) leads out of the tree, directly or by other links.

    A link that points nowhere, or in a circle, stays inside and is left alone.
    """
    for path in links:
        if _escapes(path, links):
            raise _leads_out(path, where)


def _escapes(path: str, links: Mapping[str, str]) -> bool:
    todo, hops = path.split("/")[::-1], 0
    here: list[str] = []
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return True
            here.pop()
            continue
        target = links.get("/".join([*here, part]))
        if target is None:
            here.append(part)
            continue
        hops += 1
        if hops > _HOPS:
            return False  # a circle
        if target.startswith(("/", "\\")) or target[1:2] == ":":
            return True
        todo += target.replace("\\", "/").split("/")[::-1] if os.name == "nt" else target.split("/")[::-1]
    return False


def _leads_out(path: str, where: str) -> PathNotFound:
    problem = f"The symbolic link {path!r} leads out of the repository."
    return PathNotFound(problem, where=f"{where}:{path}", fix="Put the file itself in its place.")


def prune(folder: Path, *, keep: int, seconds: float) -> list[Path]:
    """Deletes all but the `keep` trees used last, and none that was used within `seconds`; returns them.

    The file system's clock is the only one asked: what is old is old against a file touched just now.
    """
    if not folder.is_dir():
        return []
    with tempfile.TemporaryDirectory(prefix=".now-", dir=folder) as probe:
        now = Path(probe).stat().st_mtime
        trees = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".now-")]
        used = {path: _used(path) for path in trees}
    spare = sorted((p for p in trees if not p.name.startswith(".")), key=lambda p: used[p], reverse=True)[
        keep:
    ]
    left_behind = [p for p in trees if p.name.startswith(".")]
    gone = [path for path in (*spare, *left_behind) if used[path] < now - seconds]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return gone


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
