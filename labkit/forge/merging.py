"""Merging without a working copy: Git makes the tree, and the branch moves in one step or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import GitError, MergeConflict, PullRequestError
from labkit.git.command import environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.git import Person, Reader

MERGE, SQUASH = "merge", "squash"


def merged_tree(reader: Reader, base: str, head: str) -> str:
    """The tree that a merge of two commits has; `MergeConflict` with the files that both sides changed."""
    found = reader.git("merge-tree", "--write-tree", "--name-only", "--no-messages", base, head, check=False)
    lines = found.text.splitlines()
    if found.code == 0:
        return lines[0]
    if found.code == 1:
        files = ", ".join(dict.fromkeys(line for line in lines[1:] if line))
        raise MergeConflict(
            f"both sides changed the same lines: {files}",
            where=reader.where,
            fix="In your working copy: git fetch, git merge origin/main, mend the files, commit and push the branch.",
        )
    raise GitError(
        "this git cannot merge without a working copy",
        where="git merge-tree",
        fix="Install Git 2.38 or newer.",
    )


def commit(reader: Reader, tree: str, parents: tuple[str, ...], message: str, by: Person) -> str:
    """A commit of that tree, on top of ``parents``; no branch points to it yet."""
    env = environment(any_owner=True)
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": by.name, f"GIT_{role}_EMAIL": by.email}
    options = [option for parent in parents for option in ("-p", parent)]
    command = (f"--git-dir={reader.git_dir}", "commit-tree", tree, *options, "-F", "-")
    return run(*command, env=env, cwd=reader.git_dir, stdin=message.encode(), where=reader.where).text.strip()


def move(git_dir: Path, ref: str, new: str, old: str) -> None:
    """Let a reference point to ``new`` if it points to ``old`` still; `PullRequestError` if somebody was faster."""
    try:
        _update(git_dir, ref, new, old)
    except GitError as error:
        raise PullRequestError(
            f"{ref.removeprefix('refs/heads/')} was pushed to meanwhile", where=git_dir.name, fix="Try again."
        ) from error


def place(git_dir: Path, ref: str, sha: str) -> None:
    """Let a reference of the lab's own point to a commit."""
    _update(git_dir, ref, sha)


def remove(git_dir: Path, ref: str, old: str) -> None:
    """Take a reference away if it points to ``old`` still."""
    _git(git_dir, "update-ref", "-d", ref, old)


def _update(git_dir: Path, ref: str, new: str, old: str = "") -> None:
    _git(git_dir, "update-ref", ref, new, *([old] if old else []))


def _git(git_dir: Path, *args: str) -> None:
    run(f"--git-dir={git_dir}", *args, env=environment(any_owner=True), cwd=git_dir, where=git_dir.name)
