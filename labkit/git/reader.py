"""Reading history and files by revision: what a bare repository, a mirror and a working copy share.

Every revision is first made a commit id by ``git rev-parse``; only ids reach the other commands, so nothing a
person or a manifest wrote can be taken for an option.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from labkit.errors import GitError, PathNotFound
from labkit.git.command import Result, environment, run
from labkit.git.revisions import Ref, check_revision, is_commit_sha, not_found
from labkit.git.values import Branch, Change, Commit, Diff, Log, Person, parse_name_status

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_FORMAT = "--format=%H%x00%P%x00%an%x00%ae%x00%aI%x00%B"
_FIELDS = 6
_MERGES = "--diff-merges=first-parent"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
DIRECTORY, LINK, SUBMODULE = "040000", "120000", "160000"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree. `size` in bytes; 0 for folders and submodules."""

    mode: str
    sha: str
    size: int
    path: str


def check_path(path: str, *, where: str = "") -> str:
    """`path` inside a repository in its plain form, ``""`` for its root; PathNotFound if it leads out."""
    text = path.strip().replace("\\", "/") if "\0" not in path else ".."
    parts = [part for part in PurePosixPath(text).parts if part != "."]
    if text.startswith("/") or ".." in parts:
        problem = f"The path {path!r} leads out of the repository."
        raise PathNotFound(problem, where=where, fix="Name a path relative to the repository's root.")
    return "/".join(parts)


class Reader:
    """The read side of one repository, given by its Git folder. Safe to use from several threads."""

    def __init__(self, git_dir: Path, *, where: str = "") -> None:
        self.git_dir = Path(git_dir)
        self.where = where or self.git_dir.name

    def __repr__(self) -> str:
        return f"Reader({str(self.git_dir)!r})"

    def git(self, *args: str, stdin: bytes = b"", check: bool = True, megabytes: int = 64) -> Result:
        """Runs a reading git command on this repository."""
        env = environment(any_owner=True)
        command = ("--no-replace-objects", f"--git-dir={self.git_dir}", *args)
        return run(
            *command,
            cwd=self.git_dir,
            env=env,
            stdin=stdin,
            check=check,
            megabytes=megabytes,
            where=self.where,
        )

    def refs(self) -> list[Ref]:
        """Every reference with the commit it means (a tag's target), by name."""
        form = "--format=%(refname)%00%(objectname)%00%(*objectname)%00"
        fields = self.git("for-each-ref", form).text.split("\0")
        rows = [fields[i : i + 3] for i in range(0, len(fields) - 2, 3)]
        return [Ref(name.lstrip("\n"), peeled or sha) for name, sha, peeled in rows]

    def head_branch(self) -> str:
        """The branch that HEAD names (also before its first commit); empty when HEAD is detached."""
        result = self.git("symbolic-ref", "--quiet", "HEAD", check=False)
        return result.text.strip().removeprefix("refs/heads/")

    def branches(self) -> list[Branch]:
        """The branches, by name."""
        current, prefix = self.head_branch(), "refs/heads/"
        refs = [ref for ref in self.refs() if ref.name.startswith(prefix)]
        return [Branch(ref.short, ref.sha, ref.short == current) for ref in refs]

    def tags(self) -> dict[str, str]:
        """Each tag with the commit it means."""
        return {ref.short: ref.sha for ref in self.refs() if ref.name.startswith("refs/tags/")}

    def resolve(self, revision: str = "HEAD") -> str:
        """The commit id that `revision` means in this repository; RevisionNotFound with near names."""
        name = check_revision(revision, where=self.where) or "HEAD"
        sha = self._rev_parse(f"{name}^{{commit}}")
        if not sha:
            raise not_found(self.refs(), name, where=self.where)
        return sha

    def disambiguate(self, short: str) -> list[str]:
        """The commits whose ids begin with these digits."""
        found = self.git("rev-parse", f"--disambiguate={short}").text.split()
        return [sha for sha in found if self.git("cat-file", "-t", sha).text.strip() == "commit"]

    def has_commit(self, sha: str) -> bool:
        """Whether that commit, with its tree, is here."""
        return bool(self._rev_parse(f"{sha}^{{tree}}"))

    def tree(self, sha: str) -> str:
        """The id of a commit's tree."""
        return self._rev_parse(f"{sha}^{{tree}}")

    def folders(self, sha: str) -> tuple[dict[str, str], tuple[str, ...]]:
        """The id of each folder of a commit, by its path; and the paths of its links."""
        trees, links = {}, []
        for line in self.git("ls-tree", "-r", "-t", "-z", "--end-of-options", sha).fields():
            details, _, path = line.partition("\t")
            mode, _, oid = details.split()
            if mode == DIRECTORY:
                trees[path] = oid
            elif mode == LINK:
                links.append(path)
        return trees, tuple(links)

    def _rev_parse(self, name: str) -> str:
        result = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", name, check=False)
        return result.text.split()[-1] if result.code == 0 and result.output else ""

    def commit(self, revision: str = "HEAD") -> Commit:
        """One commit's author, date, message and parents."""
        commit = self.log(revision, limit=1)[0]
        if commit.parents or not (self.git_dir / "shallow").exists():
            return commit
        # In a mirror without history `git log` leaves out the parents, which the commit itself does name.
        headers = self.git("cat-file", "commit", commit.sha).text.partition("\n\n")[0].splitlines()
        parents = (line.removeprefix("parent ") for line in headers if line.startswith("parent "))
        return replace(commit, parents=tuple(parents))

    def log(
        self, revision: str = "HEAD", *, limit: int = 20, path: str = "", without: Sequence[str] = ()
    ) -> Log:
        """At most `limit` commits from `revision` back, newest first; only those that touched `path`;
        none that the commits `without` contain already."""
        wanted = [self._id(revision), *(f"^{self._id(other)}" for other in without)]
        paths = ["--", f":(literal){check_path(path, where=self.where)}"] if path else ["--"]
        options = ("log", "-z", "--no-show-signature", f"--max-count={int(limit)}", _FORMAT)
        return parse_log(self.git(*options, *wanted, *paths).text)

    def _id(self, revision: str) -> str:
        """What `resolve` says; a commit's id is taken as it stands, for which git need not be started."""
        return revision if is_commit_sha(revision) else self.resolve(revision)

    def changes(self, shas: Sequence[str]) -> dict[str, tuple[Change, ...]]:
        """The files that each of these commits changed; of a merge, against its first parent."""
        options = ("--stdin", "-r", "-z", "--root", "--name-status", "--no-renames", _MERGES)
        fields = self.git("diff-tree", *options, stdin="\n".join(shas).encode() + b"\n").fields()
        found: dict[str, list[str]] = {sha: [] for sha in shas}
        current: list[str] = []
        rest = iter(fields)
        for token in rest:
            if token in found:
                current = found[token]
            else:
                current += [token, next(rest, "")]
        return {sha: parse_name_status(changed) for sha, changed in found.items()}

    def contains(self, sha: str, other: str) -> bool:
        """Whether `other` is `sha` or one of the commits that it builds on."""
        return self.git("merge-base", "--is-ancestor", other, sha, check=False).code == 0

    def entries(self, sha: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """What a tree holds at `path`, with modes and sizes."""
        tree = f"{sha}:{path}" if path else f"{sha}^{{tree}}"
        options = ("ls-tree", "-z", "--long", *(("-r",) if recursive else ()), "--end-of-options", tree)
        return [_entry(line) for line in self.git(*options).fields()]

    def files(self, path: str = "", revision: str = "HEAD") -> list[str]:
        """The names in a folder at a revision; those of folders end in ``/``."""
        sha, folder = self.resolve(revision), check_path(path, where=self.where)
        if folder and self._kind(sha, folder) != "tree":
            raise self.path_not_found(sha, folder, revision)
        return [e.path + ("/" if e.mode == DIRECTORY else "") for e in self.entries(sha, folder)]

    def read(self, path: str, revision: str = "HEAD", *, megabytes: int = 16) -> bytes:
        """A file's content at a revision (of a link: its target's name; links are not followed)."""
        sha, name = self.resolve(revision), check_path(path, where=self.where)
        if not name or self._kind(sha, name) != "blob":
            raise self.path_not_found(sha, name, revision)
        return self.git("cat-file", "blob", f"{sha}:{name}", megabytes=megabytes).output

    def blobs(self, shas: Collection[str]) -> dict[str, bytes]:
        """The content of several blobs, read by one command (git-cat-file(1), "Batch Output")."""
        if not shas:
            return {}
        output = self.git("cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in shas).encode()).output
        found, at = {}, 0
        while at < len(output):
            end = output.index(b"\n", at)
            sha, _, size = output[at:end].split()
            start, at = end + 1, end + 1 + int(size) + 1
            found[sha.decode()] = output[start : at - 1]
        return found

    def _kind(self, sha: str, path: str) -> str:
        return self.git("cat-file", "-t", f"{sha}:{path}", check=False).text.strip()

    def path_not_found(self, sha: str, path: str, revision: str) -> PathNotFound:
        """The error for a `path` that a commit lacks, with what is there instead."""
        folder, parent = path, PurePosixPath(path)
        while folder and self._kind(sha, folder) != "tree":
            parent = parent.parent
            folder = "" if str(parent) == "." else str(parent)
        names = [e.path + ("/" if e.mode == DIRECTORY else "") for e in self.entries(sha, folder)][:12]
        place = f"{folder}/" if folder else "the repository's root"
        there = f"In {place} there is: {', '.join(names)}." if names else f"{place} is empty."
        name = sha[:7] if sha.startswith(revision) else f"{revision} ({sha[:7]})"
        problem = f"{name} has no {path!r}."
        return PathNotFound(problem, where=f"{self.where}:{path}", fix=f"{there} Commit and push it.")

    def diff(self, base: str, head: str = "HEAD", *, path: str = "", since_fork: bool = False) -> Diff:
        """What changes from `base` to `head`; with `since_fork` only what `head` did since they parted, as a
        pull request shows it. An empty `base` means nothing: everything in `head` is new."""
        to = self.resolve(head)
        start = EMPTY_TREE if not base else self.resolve(base)
        if since_fork and base:
            start = self.git("merge-base", start, to, check=False).text.strip() or EMPTY_TREE
        paths = ["--", f":(literal){check_path(path, where=self.where)}"] if path else ["--"]
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", start, to, *paths)
        names = self.git("diff", "--name-status", "-z", *options).fields()
        return Diff(self.git("diff", *options).text, parse_name_status(names))


def parse_log(text: str) -> Log:
    """The commits in the output of ``git log -z`` in this module's format."""
    fields = text.removesuffix("\0").split("\0") if text else []
    rows = [fields[i : i + _FIELDS] for i in range(0, len(fields) - _FIELDS + 1, _FIELDS)]
    return Log(
        Commit(sha, Person(name, email), _date(date), message.strip("\n"), tuple(parents.split()))
        for sha, parents, name, email, date, message in rows
    )


def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # a commit may claim any date, also the year 30,000
        return datetime.fromtimestamp(0, UTC)


def _entry(line: str) -> Entry:
    details, _, path = line.partition("\t")
    mode, _, sha, size = details.split()
    return Entry(mode, sha, int(size) if size.isdigit() else 0, path)


def is_git_dir(path: Path) -> bool:
    """Whether `path` looks like a repository's Git folder."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def require_git() -> str:
    """The version of git (``2.39.5``); a GitError if it is not installed."""
    words = run("--version").text.split()
    if len(words) < 3:
        raise GitError(
            "git does not say its version.", where="git --version", fix="Install Git 2.32 or newer."
        )
    return words[2]
