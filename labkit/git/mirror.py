"""The controller's view of a repository somewhere: which commit a revision means, and that commit's files.

A mirror is a cache and nothing more: each repository has a bare one under a name made from its address, with
the few commits that were asked for, each without its history. Deleting it at any moment costs a transfer.
An unchanged branch costs one request (``ls-remote``); callers who ask at the same time share it.
"""

from __future__ import annotations

import hashlib
import posixpath
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import (
    AuthenticationRequired,
    GitError,
    RepositoryBusy,
    RepositoryUnreachable,
    RevisionNotFound,
)
from labkit.git import revisions
from labkit.git.command import Config, Result, environment, run
from labkit.git.export import Limits, export, prune, use
from labkit.git.reader import Reader, check_path, is_git_dir
from labkit.git.urls import Credential, check_url, normalise, redact, split_credential
from labkit.runtime.patience import Patience, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labkit.git.revisions import Ref
    from labkit.git.values import Commit

_REMEMBERED_COMMITS = 1000
_REMEMBERED_FOLDERS = 8  # commits whose folders are known by their ids
_ONE_REQUEST = (("protocol.version", "0"),)  # its first answer holds the references; version 2 asks twice
_KEPT_COMMITS = 500  # in one mirror; then it starts anew, rather than grow for ever
_PRUNE_EVERY = 50  # exports


@dataclass(slots=True)
class _Listing:
    """A repository's references, as of the moment their request was sent."""

    refs: list[Ref]
    started: float


@dataclass(slots=True)
class _Origin:
    """One repository somewhere, and our mirror of it."""

    url: str
    git_dir: Path
    where: str
    transfer: Turn
    listing: Turn
    listings: dict[Credential | None, _Listing] = field(default_factory=dict)

    @property
    def reader(self) -> Reader:
        return Reader(self.git_dir, where=self.where)

    @property
    def host(self) -> str:
        return normalise(self.url).rpartition("://")[2].partition("/")[0]


class Mirror:
    """Cached mirrors of Git repositories, below one folder. All methods may be called from any thread.

    `allow_files`: repositories may be named by a path on this machine. `limits`: how much is read of them.
    A `credential` may also stand in the URL (``https://user:token@host/…``); it is taken out before `git`
    sees the address.
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        allow_files: bool = False,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cache_dir = Path(cache_dir)
        self.limits = limits or Limits()
        self._allow_files = allow_files
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._patience = Patience(monotonic, RepositoryUnreachable)
        self._origins: dict[str, _Origin] = {}
        self._commits: OrderedDict[tuple[str, str], Commit] = OrderedDict()
        self._roots: OrderedDict[tuple[Path, str], Path] = OrderedDict()
        self._contents: OrderedDict[str, tuple[dict[str, str], tuple[str, ...]]] = OrderedDict()
        self._exports = 0

    def __repr__(self) -> str:
        return f"Mirror({str(self.cache_dir)!r})"

    def resolve(
        self, url: str, revision: str = "HEAD", *, credential: Credential | None = None, max_age: float = 0.0
    ) -> Commit:
        """The commit that `revision` means now: a branch, tag, full reference, commit, short commit or HEAD.

        The rule is Argo CD's (see `revisions`). A commit that is here already costs no transfer, and a full
        commit id no request either. `max_age` (seconds): how old the host's list of references may be.
        Raises RepositoryNotFound, RepositoryUnreachable, AuthenticationRequired, RevisionNotFound.
        """
        origin, credential = self._origin(url, credential)
        name = revisions.check_revision(revision, where=origin.where)
        if revisions.is_commit_sha(name):
            return self._commit(origin, name.lower(), credential)
        refs = self._refs(origin, credential, max_age)
        ref = revisions.find(refs, name)
        if ref is not None:
            return self._commit(origin, ref.sha, credential, refs)
        if revisions.is_truncated_commit_sha(name):
            return self._short_commit(origin, name.lower(), credential, refs)
        raise revisions.not_found(refs, name or "HEAD", where=origin.where)

    def refs(self, url: str, *, credential: Credential | None = None, max_age: float = 0.0) -> list[Ref]:
        """The branches, tags and other references that the host has now."""
        origin, credential = self._origin(url, credential)
        return list(self._refs(origin, credential, max_age))

    def commit_info(self, url: str, sha: str, *, credential: Credential | None = None) -> Commit:
        """Author, date and message of a commit; it is fetched if it is not here."""
        return self.resolve(url, sha, credential=credential)

    def export(self, url: str, sha: str, path: str = "", *, credential: Credential | None = None) -> Path:
        """The folder `path` of commit `sha`, as plain files that are read and never written to.

        The whole repository lies around it (call with ``path=""`` for its root), because charts refer to
        files beside them. The same tree is the same folder. PathNotFound if the commit has no such folder,
        or if one of the repository's symbolic links leads out of it.
        """
        origin, credential = self._origin(url, credential)
        wanted = check_path(path, where=origin.where)
        commit = self._commit(origin, sha.strip().lower(), credential)
        root = self._exported(origin, commit.sha)
        if root is None:
            with origin.transfer:
                tree = self._ensure(origin, commit.sha, credential)
                root = export(origin.reader, commit.sha, tree, self.cache_dir / "exports", self.limits)
            with self._lock:
                self._roots[origin.git_dir, commit.sha] = root
                if len(self._roots) > _REMEMBERED_COMMITS:
                    self._roots.popitem(last=False)
        self._prune_now_and_then()
        found = root / wanted
        if not found.exists() or not found.resolve().is_relative_to(root.resolve()):
            raise origin.reader.path_not_found(commit.sha, wanted, commit.short)
        return found

    def content(
        self, url: str, sha: str, paths: Sequence[str], *, credential: Credential | None = None
    ) -> str:
        """A word for what these folders hold at a commit: another commit with the same word has the same files there.

        A link that lies in one of them may lead anywhere in the repository, so then the word is for all of it.
        """
        origin, _ = self._origin(url, credential)
        with self._lock:
            known = self._contents.get(sha)
        if known is None:
            trees, links = origin.reader.folders(sha)
            known = {**trees, "": origin.reader.tree(sha)}, links
            with self._lock:
                self._contents[sha] = known
                if len(self._contents) > _REMEMBERED_FOLDERS:
                    self._contents.popitem(last=False)
        trees, links = known
        wanted = [posixpath.normpath(path).removeprefix("./").strip("/") for path in paths]
        linked = any(link.startswith(f"{path}/") for link in links for path in wanted)
        if linked or not all(path in trees for path in wanted):
            return trees[""]
        return " ".join(f"{path}:{trees[path]}" for path in wanted)

    def _exported(self, origin: _Origin, sha: str) -> Path | None:
        """The folder of a commit that was exported before and is there still; a hundred applications may ask."""
        root = self._roots.get((origin.git_dir, sha))
        return root if root is not None and use(root) else None

    def reader(self, url: str) -> Reader:
        """The read side of a repository's mirror (only what has been resolved is there)."""
        return self._origin(url, None)[0].reader

    def prune(self) -> list[Path]:
        """Deletes exported folders that nobody used for a while; returns which."""
        return prune(
            self.cache_dir / "exports", keep=self.limits.kept_exports, seconds=self.limits.kept_seconds
        )

    def _prune_now_and_then(self) -> None:
        with self._lock:
            self._exports += 1
            due = self._exports % _PRUNE_EVERY == 0
        if due:
            self.prune()

    def _origin(self, url: str, credential: Credential | None) -> tuple[_Origin, Credential | None]:
        bare, own = split_credential(url.strip())
        check_url(bare, allow_files=self._allow_files)
        key = hashlib.sha256((normalise(bare) or bare).encode()).hexdigest()[:24]
        with self._lock:
            if key not in self._origins:
                git_dir = self.cache_dir / "repositories" / f"{key}.git"
                where = redact(bare)
                turns = Turn(where, self._monotonic), Turn(where, self._monotonic)
                self._origins[key] = _Origin(bare, git_dir, where, *turns)
            return self._origins[key], credential or own

    def _refs(self, origin: _Origin, credential: Credential | None, max_age: float) -> list[Ref]:
        arrived = self._monotonic()
        with origin.listing:
            known = origin.listings.get(credential)
            if known is not None and known.started >= arrived - max_age:
                return (
                    known.refs
                )  # sent after we asked, by somebody who waited in front of us; or young enough
            started = self._monotonic()
            command = ("ls-remote", "--symref", "--quiet", "--end-of-options", origin.url)
            result = self._git(origin, credential, *command, config=_ONE_REQUEST)
            found = revisions.parse_ls_remote(result.text)
            origin.listings[credential] = _Listing(found, started)
            return found

    def _git(self, origin: _Origin, credential: Credential | None, *args: str, config: Config = ()) -> Result:
        env = environment(
            url=origin.url,
            credential=credential,
            allow_files=self._allow_files,
            config=config,
            any_owner=True,
        )
        with self._patience.visit(origin.host, origin.where):
            return run(
                *args, env=env, where=origin.where, secrets=credential.secrets() if credential else (),
                seconds=self.limits.seconds, file_megabytes=self.limits.transfer_megabytes,
            )  # fmt: skip

    def _commit(
        self, origin: _Origin, sha: str, credential: Credential | None, refs: list[Ref] | None = None
    ) -> Commit:
        key = (str(origin.git_dir), sha)
        known = self._commits.get(key)
        if (
            known is not None
        ):  # what a commit is does not change; whether it is here is asked when its files are
            return known
        with origin.transfer:
            self._ensure(origin, sha, credential, refs)
            commit = origin.reader.commit(sha)
        with self._lock:
            self._commits[key] = commit
            if len(self._commits) > _REMEMBERED_COMMITS:
                self._commits.popitem(last=False)
        return commit

    def _short_commit(
        self, origin: _Origin, name: str, credential: Credential | None, refs: list[Ref]
    ) -> Commit:
        with origin.transfer:
            self._make(origin)
            if not self._complete(origin, name):
                self._fetch_all(origin, credential)
            sha = self._complete(origin, name)
        if not sha:
            raise revisions.not_found(refs, name, where=origin.where)
        return self._commit(origin, sha, credential, refs)

    @staticmethod
    def _complete(origin: _Origin, name: str) -> str:
        commits = origin.reader.disambiguate(name)
        if len(commits) > 1:
            problem = f"{name!r} is the beginning of {len(commits)} commits."
            raise RevisionNotFound(problem, where=origin.where, fix="Write more digits of the commit's id.")
        return commits[0] if commits else ""

    def _make(self, origin: _Origin) -> None:
        if is_git_dir(origin.git_dir):
            return
        parent = origin.git_dir.parent
        parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
        run("init", "--quiet", "--bare", "--template=", str(made), env=environment(), where=origin.where)
        shutil.rmtree(origin.git_dir, ignore_errors=True)
        made.rename(origin.git_dir)

    def _ensure(
        self, origin: _Origin, sha: str, credential: Credential | None, refs: list[Ref] | None = None
    ) -> str:
        """Has one commit in the mirror (the caller holds the lock), and says its tree's id.

        A damaged mirror is made anew.
        """
        if is_git_dir(origin.git_dir) and (tree := origin.reader.tree(sha)):
            return tree
        try:
            self._fetch_one(origin, sha, credential)
        except (AuthenticationRequired, RepositoryUnreachable, RepositoryBusy):
            raise
        except RevisionNotFound:  # also said by hosts that give no commit by its id
            self._fetch_all(origin, credential)
        except GitError:  # damaged, or a lock that a killed git left; it is only a cache
            self._forget(origin)
            self._fetch_all(origin, credential)
        if tree := origin.reader.tree(sha):
            return tree
        raise revisions.not_found(refs or self._refs(origin, credential, 60.0), sha, where=origin.where)

    def _forget(self, origin: _Origin) -> None:
        shutil.rmtree(origin.git_dir, ignore_errors=True)
        with self._lock:
            for key in [key for key in self._commits if key[0] == str(origin.git_dir)]:
                del self._commits[key]

    def _fetch_one(self, origin: _Origin, sha: str, credential: Credential | None) -> None:
        """One commit without its history, kept by a reference of its own."""
        kept = origin.git_dir / "refs" / "lab"
        if kept.is_dir() and len(list(kept.iterdir())) > _KEPT_COMMITS:
            self._forget(origin)
        self._make(origin)
        self._transfer(origin, credential, "--depth=1", f"{sha}:refs/lab/{sha}")

    def _fetch_all(self, origin: _Origin, credential: Credential | None) -> None:
        """The whole history: for a shortened id, or from a host that gives no single commits."""
        self._make(origin)
        depth = ("--unshallow",) if (origin.git_dir / "shallow").exists() else ()
        self._transfer(origin, credential, *depth, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")

    def _transfer(self, origin: _Origin, credential: Credential | None, *args: str) -> None:
        options = [arg for arg in args if arg.startswith("--")]
        specs = [arg for arg in args if not arg.startswith("--")]
        self._git(
            origin, credential, f"--git-dir={origin.git_dir}", "fetch", "--quiet", "--no-tags", "--force",
            "--no-write-fetch-head", "--no-recurse-submodules", "--upload-pack=git-upload-pack", *options,
            "--end-of-options", origin.url, *specs,
        )  # fmt: skip
