"""The forge's repositories: bare ones, in a folder, each made whole before it has its name.

Nothing but the folder remembers them: a repository copied into it by hand is one of the lab's.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import GitError, RepositoryNotFound
from labkit.forge.events import remember_refs
from labkit.git import Credential, Person, Reader, with_credential
from labkit.git.command import environment, run
from labkit.git.reader import check_path, is_git_dir
from labkit.git.revisions import check_revision

LAB = Person("GitOps Lab", "lab@lab.local")
Content = Mapping[str, str | bytes] | Path

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # Windows has no files of these names
_NAME_RULE = "Use at most 64 letters, digits, '-', '_' and '.', with a letter or digit at both ends."

# What a repository of the lab is set to. Pushed objects are checked, and on the disk before the answer;
# rewriting a branch is allowed, since a lesson does it, and its old commits stay in the reflog.
_CONFIG = """\
[core]
	logAllRefUpdates = true
	fsync = committed
	fsyncMethod = batch
[receive]
	fsckObjects = true
	denyNonFastForwards = false
	denyDeleteCurrent = refuse
	maxInputSize = 1g
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[http]
	receivepack = true
	getanyfile = false
"""


@dataclass(frozen=True, slots=True)
class Repo:
    """One repository of the lab. `path` is its bare folder, `url` its address without a credential."""

    name: str
    path: Path
    url: str = ""

    def __repr__(self) -> str:
        return f"{self.name} {self.url or self.path}"

    @property
    def reader(self) -> Reader:
        """Its branches, history, files and differences."""
        return Reader(self.path, where=f"{self.name}.git")

    @property
    def default_branch(self) -> str:
        """The branch that a clone checks out."""
        return self.reader.head_branch() or "main"

    def clone_url(self, credential: Credential) -> str:
        """The address with a credential in it, for plain ``git clone``. Not for showing."""
        return with_credential(self.url, credential)


class Forge:
    """The repositories below `root`. `base_url` is where they are served (``http://127.0.0.1:8080/git``)."""

    def __init__(self, root: Path, *, base_url: str = "") -> None:
        self.root = Path(root)
        self.base_url = base_url.rstrip("/")

    def __repr__(self) -> str:
        return f"Forge({', '.join(repo.name for repo in self.list()) or 'no repositories'})"

    def create(
        self,
        name: str,
        *,
        content: Content | None = None,
        message: str = "Initial commit",
        author: Person = LAB,
        default_branch: str = "main",
    ) -> Repo:
        """A new repository; with `content` (a folder, or texts by path) as its first commit.

        GitError if the name is not allowed or taken.
        """
        checked = check_name(name)
        branch = check_revision(default_branch, where=name)
        taken = next((repo for repo in self.list() if repo.name.lower() == checked.lower()), None)
        if taken is not None:
            raise _taken(taken.name)
        self.root.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
        try:
            _init(made / "git", branch)
            if content is not None:
                _commit(made / "git", content, branch, message, author)
            remember_refs(made / "git", Reader(made / "git").refs())
            try:
                (made / "git").rename(self.root / f"{checked}.git")
            except OSError as error:
                raise _taken(checked) from error
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return self.get(checked)

    def get(self, name: str) -> Repo:
        """The repository of that name; RepositoryNotFound with those there are."""
        path = self.root / f"{name}.git"
        if not _NAME.fullmatch(name) or not is_git_dir(path):
            names = ", ".join(repo.name for repo in self.list()[:12])
            advice = f"There is: {names}." if names else "Create it: labkit repo create NAME"
            raise RepositoryNotFound(f"There is no repository {name!r} in the lab.", where=name, fix=advice)
        return Repo(name, path, f"{self.base_url}/{name}.git" if self.base_url else "")

    def list(self) -> list[Repo]:
        """Every repository, by name."""
        names = sorted(
            path.name.removesuffix(".git") for path in self.root.glob("[!.]*.git") if is_git_dir(path)
        )
        return [self.get(name) for name in names if _NAME.fullmatch(name)]

    def delete(self, name: str) -> None:
        """Deletes a repository with its whole history."""
        repo = self.get(name)
        grave = Path(tempfile.mkdtemp(prefix=".gone-", dir=self.root))
        repo.path.rename(grave / "git")  # at once, so that nobody meets half of it
        shutil.rmtree(grave, ignore_errors=True)

    def mend(self) -> Sequence[Path]:
        """Takes away what a killed git left behind: locks, and unfinished folders. Returns what it deleted.

        For the start of the service, when nothing else works in these repositories.
        """
        found = [path for kind in (".new-*", ".gone-*") for path in self.root.glob(kind)]
        for repo in self.list():
            found += [path for path in repo.path.glob("*.lock") if path.is_file()]
            found += [path for path in (repo.path / "refs").rglob("*.lock") if path.is_file()]
            found += list((repo.path / "objects").glob("tmp_objdir-*"))
        for path in found:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return found


def check_name(name: str) -> str:
    """`name`, if a repository may have it; a trailing ``.git`` is taken off."""
    text = name.strip().removesuffix(".git")
    if (
        not _NAME.fullmatch(text)
        or ".." in text
        or _RESERVED.fullmatch(text)
        or text.endswith((".git", ".lock"))
    ):
        raise GitError(
            f"{name[:80]!r} cannot be a repository's name.", where="repository name", fix=_NAME_RULE
        )
    return text


def _taken(name: str) -> GitError:
    advice = f"Take another name, or delete it first: labkit repo delete {name}"
    return GitError(f"There is a repository {name!r} already.", where=name, fix=advice)


def _init(git_dir: Path, branch: str) -> None:
    command = ("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(git_dir))
    run(*command, env=environment(), where=git_dir.name)
    with (git_dir / "config").open("a", encoding="utf-8", newline="\n") as file:
        file.write(_CONFIG)


def _commit(git_dir: Path, content: Content, branch: str, message: str, author: Person) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = content if isinstance(content, Path) else _laid_out(content, Path(scratch) / "files")
        env = environment(any_owner=True, extra={"GIT_INDEX_FILE": str(Path(scratch) / "index")})
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": author.name, f"GIT_{role}_EMAIL": author.email}
        here = (f"--git-dir={git_dir}", f"--work-tree={folder}", "-c", "core.bare=false")
        run(*here, "add", "--all", ".", env=env, cwd=folder, where=str(folder))
        tree = run(*here, "write-tree", env=env, cwd=folder).text.strip()
        command = (*here, "commit-tree", tree, "-F", "-")
        sha = run(*command, env=env, cwd=folder, stdin=message.encode()).text.strip()
        run(*here, "update-ref", f"refs/heads/{branch}", sha, env=env, cwd=folder)


def _laid_out(files: Mapping[str, str | bytes], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        path = folder / check_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder
