"""A trainee's working copy: an ordinary folder that the ``git`` command works on as well.

Methods have the names of Git's commands and do what those do. Files are edited as files: nothing here stands
between a person and `WorkingCopy.path`.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from labkit.errors import GitError, MergeConflict, RepositoryNotFound, RevisionNotFound
from labkit.git.command import Result, environment, run
from labkit.git.identity import identity, settings
from labkit.git.reader import EMPTY_TREE, Reader, check_path
from labkit.git.revisions import check_revision, parse_ls_remote
from labkit.git.status import parse_status
from labkit.git.urls import Credential, check_url, redact, split_credential
from labkit.git.values import Blame, Branch, Commit, Diff, Line, Log, Person, Push, Status, parse_name_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from git import Repo

_REMOTE = "origin"
_PLAIN_DIFF = ("--no-ext-diff", "--no-textconv", "--no-color", "--find-renames")


class WorkingCopy:
    """A clone on disk. ``WorkingCopy(path)`` opens one; `clone` and `init` make one.

    >>> copy = WorkingCopy.clone(url, "work/web")           # doctest: +SKIP
    >>> (copy.path / "values.yaml").write_text("replicas: 2\\n")  # doctest: +SKIP
    >>> copy.add().commit("Two replicas")                   # doctest: +SKIP
    >>> copy.push()                                         # doctest: +SKIP
    """

    def __init__(self, path: Path | str, *, seconds: float = 120.0) -> None:
        self.path = Path(path).resolve()
        self._seconds = seconds
        self._git_dir = self._find_git_dir()
        self._reader = Reader(self._git_dir, where=self.path.name)

    def __repr__(self) -> str:
        return f"{self.path.name}: {self.status()!r}"

    @property
    def repo(self) -> Repo:
        """The working copy as GitPython's own ``git.Repo``, for whoever wants to look further into Git's objects.

        It starts ``git`` with the user's own configuration and hooks, as a person's command does; the lab itself
        does not work through it. Close it, or use it in ``with``.
        """
        from git import Repo

        return Repo(self.path)

    # -- making one ------------------------------------------------------------------------------------

    @classmethod
    def clone(
        cls, url: str, path: Path | str, *, branch: str = "", credential: Credential | None = None,
        seconds: float = 120.0,
    ) -> Self:  # fmt: skip
        """Clones the repository at `url` into the folder `path`, which must be new or empty.

        A credential may stand in the URL; the clone keeps it in its ``.git/config`` (readable by its owner
        only), so that `push` and the ``git`` command need to be told nothing more. One given as `credential`
        is used and not kept.
        """
        target = Path(path).resolve()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise GitError(
                "There is something there already.", where=str(path), fix="Name a new folder to clone into."
            )
        bare, own = split_credential(url.strip())
        check_url(bare, allow_files=True)
        existed = target.is_dir()
        target.parent.mkdir(parents=True, exist_ok=True)
        chosen = (f"--branch={check_revision(branch)}",) if branch else ()
        who = credential or own
        env = environment(url=bare, credential=who, allow_files=True, config=settings(None))
        try:
            run(
                "clone", "--quiet", "--template=", "--no-recurse-submodules", "--no-hardlinks",
                "--upload-pack=git-upload-pack", f"--origin={_REMOTE}",
                *chosen, "--end-of-options", bare, str(target),
                env=env, seconds=seconds, where=redact(url), secrets=who.secrets() if who else (),
            )  # fmt: skip
        except GitError as error:
            if not existed:
                shutil.rmtree(target, ignore_errors=True)
            raise _no_branch(error, branch) from None
        if own is not None:
            _keep_url(target / ".git" / "config", bare, url.strip())
        return cls(target, seconds=seconds)

    @classmethod
    def init(cls, path: Path | str, *, branch: str = "main") -> Self:
        """A new, empty repository in the folder `path`, on `branch`."""
        target = Path(path).resolve()
        target.mkdir(parents=True, exist_ok=True)
        name = check_revision(branch)
        run(
            "init",
            "--quiet",
            "--template=",
            f"--initial-branch={name}",
            str(target),
            env=environment(),
            where=str(path),
        )
        return cls(target)

    # -- what is there ---------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The address that it was cloned from, without a credential; empty if it was not cloned."""
        return redact(self._remote_url())

    @property
    def current_branch(self) -> str:
        """The branch that is checked out; empty when a commit is (detached HEAD)."""
        return self._reader.head_branch()

    @property
    def head(self) -> Commit | None:
        """The commit that is checked out; None before the first one."""
        try:
            return self._reader.commit("HEAD")
        except RevisionNotFound:
            return None

    @property
    def branches(self) -> list[Branch]:
        """The local branches; the one that is checked out is marked."""
        return self._reader.branches()

    @property
    def tags(self) -> dict[str, str]:
        """Each tag with the commit it means."""
        return self._reader.tags()

    def status(self) -> Status:
        """What differs from the last commit, and how far this branch is from the remote's."""
        options = ("--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--ignore-submodules=all")
        return parse_status(self._git("status", *options).fields())

    def diff(self, base: str = "HEAD", target: str = "", *, path: str = "") -> Diff:
        """What changed since `base`: in the files as they are now (new ones too), or up to `target`."""
        if target:
            return self._reader.diff(base, target, path=path)
        start = self._reader.resolve(base) if self.head or base != "HEAD" else EMPTY_TREE
        paths = ["--", f":(literal){check_path(path, where=self.path.name)}"] if path else ["--"]
        with tempfile.TemporaryDirectory() as scratch:
            index = Path(scratch) / "index"  # a copy, so that looking does not stage anything
            if (self._git_dir / "index").exists():
                shutil.copy2(
                    self._git_dir / "index", index
                )  # with its time: git trusts a file older than its index
            env = {"GIT_INDEX_FILE": str(index)}
            self._git("add", "--all", "--intent-to-add", extra=env)
            options = (*_PLAIN_DIFF, "--ignore-submodules=all", start, *paths)
            names = self._git("diff", "--name-status", "-z", *options, extra=env).fields()
            return Diff(self._git("diff", *options, extra=env).text, parse_name_status(names))

    def log(self, revision: str = "HEAD", *, limit: int = 20, path: str = "") -> Log:
        """The latest commits, newest first; with `path`, those that touched it."""
        if self.head is None and revision == "HEAD":
            return Log()
        return self._reader.log(revision, limit=limit, path=path)

    def blame(self, path: str, revision: str = "HEAD") -> Blame:
        """Who wrote each line of a file last, and in which commit (``git blame``)."""
        name, sha = check_path(path, where=self.path.name), self._reader.resolve(revision)
        self.read(name, sha)  # a path that is not there is told as everywhere
        found = self._git("blame", "--line-porcelain", sha, "--", name).text
        commits: dict[str, Commit] = {}
        lines, sha = Blame(), ""
        for row in found.split("\n"):
            if row.startswith("\t"):
                commit = commits.get(sha) or commits.setdefault(sha, self._reader.commit(sha))
                lines.append(Line(row[1:], commit))
            elif named := re.match(r"([0-9a-f]{40,64}) \d+ \d+", row):
                sha = named[1]
        return lines

    def read(self, path: str, revision: str = "HEAD") -> str:
        """A file's text as it was at a revision."""
        return self._reader.read(path, revision).decode("utf-8", "replace")

    # -- commits ---------------------------------------------------------------------------------------

    def add(self, *paths: Path | str) -> Self:
        """Stages files for the next commit: those named, or every change there is."""
        names = [f":(literal){self._inside(path)}" for path in paths] or ["."]
        self._git("add", "--all", "--", *names)
        return self

    def commit(self, message: str, *, author: Person | None = None) -> Commit:
        """Commits what is staged. GitError if nothing is, or the message is empty.

        ``author`` is who wrote it, where that is not who commits it (``git commit --author``).
        """
        if not message.strip():
            raise GitError("A commit needs a message.", where=self.path.name, fix="Say what changed.")
        merging = (self._git_dir / "MERGE_HEAD").exists() or (self._git_dir / "REVERT_HEAD").exists()
        if self.status().conflicts:
            raise self._conflict("The merge is not finished.")
        if not merging and not self._git("diff", "--cached", "--quiet", check=False).code:
            advice = "Change a file, then call add()." if self.status().clean else "Call add() first."
            raise GitError("Nothing is staged to commit.", where=self.path.name, fix=advice)
        self._commit_with(message, author)
        return self._reader.commit()

    def revert(self, revision: str) -> Commit:
        """A new commit that undoes an earlier one; history stays as it was. MergeConflict if later commits
        changed the same lines."""
        commit = self._reader.commit(revision)
        mainline = ("--mainline=1",) if len(commit.parents) > 1 else ()
        self._merging("revert", "--no-edit", *mainline, commit.sha)
        return self._reader.commit()

    def restore(self, *paths: Path | str) -> Self:
        """Throws away uncommitted changes to these files."""
        names = [f":(literal){self._inside(path)}" for path in paths]
        if names:
            self._git("restore", "--source=HEAD", "--staged", "--worktree", "--", *names)
        return self

    def reset(self, revision: str = "HEAD") -> Self:
        """Moves the branch to a revision, and throws away what differs from it (``git reset --hard``)."""
        self._git("reset", "--quiet", "--hard", self._reader.resolve(revision))
        return self

    def tag(self, name: str, message: str = "", *, revision: str = "HEAD") -> str:
        """Names a commit for good; with a message as an annotated tag. Returns the commit's id."""
        sha = self._reader.resolve(revision)
        kind = ("--annotate", "--file=-") if message else ()
        self._git("tag", *kind, "--end-of-options", check_revision(name), sha, stdin=message.encode())
        return sha

    # -- branches --------------------------------------------------------------------------------------

    def branch(self, name: str, start: str = "HEAD") -> Branch:
        """Makes a branch at `start`, without changing to it."""
        sha = self._reader.resolve(start)
        self._git("branch", "--no-track", "--end-of-options", check_revision(name), sha)
        return Branch(name, sha)

    def checkout(self, name: str, *, create: bool = False) -> Self:
        """Changes to a branch (`create` makes it first), or to any revision, detached."""
        revision = check_revision(name, where=self.path.name)
        if create:
            start = ("HEAD",) if self.head else ()
            self._git("checkout", "--quiet", "--no-track", "-b", revision, *start)
            return self
        if revision in [branch.name for branch in self.branches]:
            self._git("checkout", "--quiet", revision, "--")
        elif f"refs/remotes/{_REMOTE}/{revision}" in [ref.name for ref in self._reader.refs()]:
            self._git("checkout", "--quiet", "--track", "-b", revision, f"{_REMOTE}/{revision}")
        else:
            self._git("checkout", "--quiet", "--detach", self._reader.resolve(revision), "--")
        return self

    def merge(self, revision: str, message: str = "") -> Commit:
        """Brings another branch into this one: forward if it can, else by a merge commit.

        MergeConflict names the files that both changed; they are left marked for a person to put right
        (then `add` and `commit`), or `abort`.
        """
        sha = self._reader.resolve(revision)
        words = message or f"Merge {revision} into {self.current_branch or 'HEAD'}"
        self._merging("merge", "--no-edit", "--no-verify-signatures", "--ff", "-m", words, sha)
        return self._reader.commit()

    def abort(self) -> Self:
        """Gives up a merge or revert that ended in a conflict; the files are as before it."""
        verb = "revert" if (self._git_dir / "REVERT_HEAD").exists() else "merge"
        self._git(verb, "--abort")
        return self

    # -- the remote ------------------------------------------------------------------------------------

    def fetch(self) -> Self:
        """Learns what the remote has now; changes no file."""
        specs = (f"+refs/heads/*:refs/remotes/{_REMOTE}/*", "refs/tags/*:refs/tags/*")
        self._remote("fetch", "--prune", "--upload-pack=git-upload-pack", specs=specs)
        return self

    def pull(self) -> Commit | None:
        """Fetches, and merges what others pushed to this branch. None if there is still no commit."""
        branch = self._require_branch("pull")
        self.fetch()
        upstream = f"refs/remotes/{_REMOTE}/{branch}"
        if upstream not in [ref.name for ref in self._reader.refs()]:
            return self.head
        if self.head is None:
            self._git("reset", "--hard", "--quiet", upstream)
            return self.head
        return self.merge(upstream, f"Merge branch '{branch}' of {self.url}")

    def push(self, branch: str = "", *, force: bool = False, tags: bool = False) -> Push:
        """Sends this branch (or another local one) to the remote, and remembers where it goes.

        Refused with a GitError when the remote has commits that this branch lacks: `pull` first. `force`
        replaces the remote's branch if it is still where it was seen last.
        """
        name = check_revision(branch, where=self.path.name) or self._require_branch("push")
        after = self._reader.resolve(f"refs/heads/{name}")
        tracking = f"refs/remotes/{_REMOTE}/{name}"
        before = next((ref.sha for ref in self._reader.refs() if ref.name == tracking), "")
        lease = (f"--force-with-lease=refs/heads/{name}:{before}",) if force else ()
        specs = (f"refs/heads/{name}:refs/heads/{name}", *(("refs/tags/*:refs/tags/*",) if tags else ()))
        self._remote("push", "--no-verify", "--receive-pack=git-receive-pack", *lease, specs=specs)
        self._git("update-ref", tracking, after)
        self._git("branch", "--quiet", f"--set-upstream-to={_REMOTE}/{name}", name)
        return Push(f"refs/heads/{name}", before, after)

    def delete_branch(self, name: str, *, remote: bool = False) -> Self:
        """Deletes a branch here, or with ``remote`` at the remote (``git push --delete``).

        GitError if it is the one that is checked out, or is not there. Its commits stay where somebody has them.
        """
        checked = check_revision(name, where=self.path.name)
        if not remote:
            self._git("branch", "--quiet", "-D", "--end-of-options", checked)
            return self
        if checked not in self.remote_branches():
            raise GitError(
                f"The remote has no branch {checked!r}.",
                where=self.path.name,
                fix="remote_branches() lists them.",
            )
        self._remote("push", "--no-verify", specs=(f":refs/heads/{checked}",))
        self._git("update-ref", "-d", f"refs/remotes/{_REMOTE}/{checked}")
        return self

    def remote_branches(self) -> dict[str, str]:
        """The remote's branches as they are now, each with its commit."""
        found = parse_ls_remote(self._remote("ls-remote", "--heads").text)
        return {ref.short: ref.sha for ref in found}

    # -- how -------------------------------------------------------------------------------------------

    def _find_git_dir(self) -> Path:
        advice = "Clone a repository there, or name the folder of one."
        if not self.path.is_dir():
            raise RepositoryNotFound("There is no such folder.", where=str(self.path), fix=advice)
        env = environment(extra={"GIT_CEILING_DIRECTORIES": str(self.path.parent)}, config=settings(None))
        result = run(
            "rev-parse", "--absolute-git-dir", cwd=self.path, env=env, where=str(self.path), check=False
        )
        if "dubious" in result.errors:
            fix = f"Change its owner, or run: git config --global --add safe.directory '{self.path}'"
            raise GitError("The folder belongs to another user.", where=str(self.path), fix=fix)
        if result.code:
            raise RepositoryNotFound("This is not a Git working copy.", where=str(self.path), fix=advice)
        return Path(result.text.rstrip("\n"))

    def _git(
        self, *args: str, stdin: bytes = b"", check: bool = True, extra: dict[str, str] | None = None,
        url: str = "", credential: Credential | None = None, seconds: float = 60.0,
    ) -> Result:  # fmt: skip
        config = settings(self._git_dir)
        env = environment(url=url, credential=credential, allow_files=True, config=config, extra=extra)
        env |= identity(config, env)
        command = (f"--git-dir={self._git_dir}", f"--work-tree={self.path}", *args)
        secrets = credential.secrets() if credential else ()
        return run(
            *command, cwd=self.path, env=env, stdin=stdin, check=check, seconds=seconds,
            where=redact(url) or self.path.name, secrets=secrets,
        )  # fmt: skip

    def _remote(self, verb: str, *options: str, specs: Sequence[str] = ()) -> Result:
        # By address, not by the remote's name: `git` puts the address into its children's arguments, and the
        # one in the configuration may hold a password.
        bare, credential = split_credential(self._remote_url())
        if not bare:
            raise GitError("This repository has no remote.", where=self.path.name, fix="Clone one that has.")
        check_url(bare, allow_files=True)
        quiet = () if verb == "ls-remote" else ("--no-recurse-submodules",)
        command = (verb, "--quiet", *quiet, *options, "--end-of-options", bare, *specs)
        return self._git(*command, url=bare, credential=credential, seconds=self._seconds)

    def _remote_url(self) -> str:
        return self._git("config", "--get", f"remote.{_REMOTE}.url", check=False).text.strip()

    def _commit_with(self, message: str, author: Person | None = None) -> None:
        options = ["--quiet", "--no-verify", "--cleanup=strip", "--file=-"]
        if author is not None:
            options.append(f"--author={author}")
        self._git("commit", *options, stdin=message.encode())

    def _merging(self, *command: str) -> None:
        result = self._git(*command, check=False)
        if result.code == 0:
            return
        if self.status().conflicts:
            raise self._conflict(f"Both sides changed the same lines, so {command[0]} needs you.")
        self._git(*command)  # the same once more, for its error

    def _conflict(self, problem: str) -> MergeConflict:
        files = ", ".join(self.status().conflicts)
        advice = "Edit the places between <<<<<<< and >>>>>>>, then add() and commit(); or call abort()."
        return MergeConflict(f"{problem} In conflict: {files}.", where=self.path.name, fix=advice)

    def _require_branch(self, verb: str) -> str:
        name = self.current_branch
        if not name:
            problem = f"No branch is checked out, so there is nothing to {verb}."
            raise GitError(problem, where=self.path.name, fix="checkout() a branch first.")
        return name

    def _inside(self, path: Path | str) -> str:
        given = Path(path)
        if given.is_absolute() and given.is_relative_to(self.path):
            given = given.relative_to(self.path)
        return check_path(given.as_posix(), where=self.path.name) or "."


def _no_branch(error: GitError, branch: str) -> GitError:
    if branch and "remote branch" in error.problem.lower():
        problem = f"The repository has no branch {branch!r}."
        return RevisionNotFound(problem, where=error.where, fix="Check the branch's name.")
    return error


def _keep_url(config: Path, bare: str, url: str) -> None:
    """Puts the credential back into the clone's address: in Python, as anyone can list arguments."""
    config.chmod(0o600)
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f"\turl = {bare}\n", f"\turl = {url}\n"), encoding="utf-8", newline="\n")
