"""``lab.repos``: the repositories on the lab's Git host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from labkit.errors import RepositoryNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labkit.git import WorkingCopy
    from labkit.lab.pulls import Pulls
    from labkit.lab.service_client import ServiceClient


class Protected(dict[str, int]):
    """The protected branches of a repository and how many approvals each asks for; printed as a sentence each."""

    def __repr__(self) -> str:
        said = [
            f"{branch}: changes come through pull requests only, with {count} approval{'s' * (count != 1)}"
            for branch, count in self.items()
        ]
        return "\n".join(said) or "(no branch is protected)"


@dataclass(frozen=True)
class Repo:
    """A repository on the lab's Git host.

    ``url`` is what an Application names; ``clone_url`` has the trainee's credential in it, and works with
    plain ``git clone``.
    """

    name: str
    url: str
    clone_url: str = field(repr=False)
    _work: Path = field(repr=False, compare=False)
    _service: ServiceClient = field(repr=False, compare=False)

    @property
    def pulls(self) -> Pulls:
        """Its pull requests: ``repo.pulls.open("my-change")``, ``repo.pulls[1]``."""
        from labkit.lab.pulls import Pulls

        return Pulls(self._service, self.name)

    def protect(self, branch: str = "", *, approvals: int = 1) -> Repo:
        """Let a branch (the default one) take changes through pull requests only, each with so many approvals."""
        return self._protection(branch=branch, protected=True, approvals=approvals)

    def unprotect(self, branch: str = "") -> Repo:
        """Let a branch be pushed to again."""
        return self._protection(branch=branch, protected=False)

    @property
    def protected(self) -> Protected:
        """The protected branches, each with the number of approvals that it asks for."""
        path = f"/api/v1/repositories/{quote(self.name, safe='')}/protection"
        return Protected({item["branch"]: item["approvals"] for item in self._service.get(path)["items"]})

    def _protection(self, **said: object) -> Repo:
        self._service.post(f"/api/v1/repositories/{quote(self.name, safe='')}/protection", said)
        return self

    def clone(self, path: Path | str | None = None) -> WorkingCopy:
        """A working copy at ``path`` (``work/<name>`` in the lab folder); the one that is there, if one is."""
        from pathlib import Path as Folder

        from labkit.git import WorkingCopy

        where = Folder(path) if path is not None else self._work / self.name
        if (where / ".git").exists():
            return WorkingCopy(where)
        return WorkingCopy.clone(self.clone_url, where)

    def to_json(self) -> dict[str, str]:
        """``{name, url, clone_url}``."""
        return {"name": self.name, "url": self.url, "clone_url": self.clone_url}


class Repos:
    """``lab.repos``: create, find by name, go through them all, delete."""

    def __init__(self, service: ServiceClient, work: Path) -> None:
        self._service = service
        self._work = work

    def create(self, name: str, *, exist_ok: bool = False) -> Repo:
        """A new, empty repository; with ``exist_ok`` the one that is there already."""
        if exist_ok and name in self:
            return self[name]
        return self._repo(self._service.post("/api/v1/repositories", {"name": name}))

    def delete(self, name: str) -> None:
        """Remove the repository with its history. Working copies of it stay."""
        self._service.delete(f"/api/v1/repositories/{quote(name, safe='')}")

    def here(self, folder: Path | None = None) -> tuple[Repo | None, str]:
        """The repository that ``folder`` (by default the current one) is a working copy of, and its branch."""
        from pathlib import Path as Folder

        from labkit.errors import GitError
        from labkit.git import WorkingCopy, same_url

        start = (folder or Folder.cwd()).resolve()
        root = next((each for each in (start, *start.parents) if (each / ".git").exists()), None)
        if root is None:
            return None, ""
        work = WorkingCopy(root)
        try:
            url, branch = work.url, work.current_branch
        except GitError:
            return None, ""
        return next((repo for repo in self if same_url(repo.url, url)), None), branch

    def __getitem__(self, name: str) -> Repo:
        return self._repo(_find(self._service, name))

    def __contains__(self, name: object) -> bool:
        return any(repo.name == name for repo in self)

    def __iter__(self) -> Iterator[Repo]:
        return iter([self._repo(item) for item in _items(self._service)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"Repos({', '.join(repo.name for repo in self)})"

    def _repo(self, item: dict[str, str]) -> Repo:
        return Repo(item["name"], item["url"], item["clone_url"], self._work, self._service)


def address(said: str, service: ServiceClient) -> str:
    """The URL that is meant: of a repository of the lab's own where only a name is said, else what is said."""
    is_name = said and not set(said) & set(":/\\")
    return _find(service, said)["url"] if is_name else said


def _items(service: ServiceClient) -> list[dict[str, str]]:
    found: list[dict[str, str]] = service.get("/api/v1/repositories")["items"]
    return found


def _find(service: ServiceClient, name: str) -> dict[str, str]:
    items = _items(service)
    for item in items:
        if item["name"] == name:
            return item
    known = ", ".join(item["name"] for item in items) or "none yet"
    raise RepositoryNotFound(
        f"the lab has no repository {name!r}",
        where=service.url,
        fix=f"There are: {known}. A new one: labkit repo create {name}",
    )
