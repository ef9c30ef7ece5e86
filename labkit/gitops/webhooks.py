"""What a Git host's webhook says, and which applications it concerns. Pure functions of the payload.

GitHub's, GitLab's and Gitea's (Gogs') payloads of a push. The rules are Argo CD's (util/webhook/webhook.go and
util/app/path/path.go): a push concerns an application that follows its branch or tag, unless the annotation
``argocd.argoproj.io/manifest-generate-paths`` says which files matter and none of those changed.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from fnmatch import translate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from labkit.errors import BadRequest
from labkit.gitops.api.names import MANIFEST_GENERATE_PATHS
from labkit.versions import Range, Version, VersionError

if TYPE_CHECKING:
    from labkit.gitops.api.application import Application, Source

JSON = dict[str, Any]

_USER = r"[\w.][\w.-]{0,30}[\w.$-]?"
_CUT_AT = 20
"""Hosts cut the list of commits, GitLab at 20: then nobody knows all files that changed."""


@dataclass(frozen=True)
class Push:
    """A reference of a repository moved. ``files`` is empty where the payload does not tell all that changed."""

    urls: tuple[str, ...]
    ref: str
    default_branch: str = ""
    files: tuple[str, ...] = ()

    @classmethod
    def read(cls, payload: JSON) -> Push:
        """From a payload; `BadRequest` for one that is no push."""
        repository = payload.get("repository")
        project = payload.get("project")  # GitLab has the web address there
        place = project if isinstance(project, dict) else repository
        if not isinstance(place, dict):
            raise BadRequest("this is not a push: it names no repository", where="repository")
        names = ("web_url", "git_http_url", "git_ssh_url", "html_url", "clone_url", "ssh_url", "url")
        urls = [place[name] for name in names if isinstance(place.get(name), str) and place[name]]
        ref = payload.get("ref")
        if not isinstance(ref, str) or not urls:
            missing = "ref" if urls else "repository.clone_url"
            raise BadRequest(f"this is not a push: it has no {missing}", where=missing)
        return cls(
            tuple(dict.fromkeys(urls)), ref, str(place.get("default_branch") or ""), tuple(_files(payload))
        )

    @property
    def revision(self) -> str:
        """The branch or tag, as people say it."""
        return parse_revision(self.ref)

    def concerns(self, app: Application) -> bool:
        """Whether the application is to be compared with Git because of this."""
        return any(
            self._moves(source)
            and self.is_of(source.repo_url)
            and files_changed(refresh_paths(app, source), self.files)
            for source in app.sources
        )

    def _moves(self, source: Source) -> bool:
        wanted = parse_revision(source.target_revision)
        if wanted in {"HEAD", ""}:
            return not self.default_branch or self.revision == self.default_branch
        return compare_revisions(self.revision, wanted)

    def is_of(self, repo_url: str) -> bool:
        """Whether that is an address of the repository."""
        return any(names_repository(url, repo_url) for url in self.urls)


def parse_revision(ref: str) -> str:
    """``main`` for ``refs/heads/main``; a branch with slashes keeps them."""
    return ref.split("/", 2)[-1] if ref.startswith("refs/") else ref


def compare_revisions(revision: str, wanted: str) -> bool:
    """Whether a branch or tag is the one that is followed, or a version in the range that is."""
    if revision == wanted:
        return True
    try:
        return Version.parse(revision) in Range(wanted)
    except VersionError:
        return False


def names_repository(web_url: str, repo_url: str) -> bool:
    """Whether an Application's ``repoURL`` is of the repository whose address a webhook gave.

    Scheme, user, port, ``ssh.`` before the host and ``.git`` at the end may differ, as in Argo CD.
    """
    try:
        parts = urlsplit(web_url.removesuffix(".git"))
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host and not parts.path:
        return False
    path = quote(parts.path.lstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    pattern = (
        rf"((https?|ssh)://)?({_USER}@)?((alt)?ssh\.)?{re.escape(host)}(:\d+)?[:/]{re.escape(path)}(\.git)?"
    )
    return re.fullmatch(pattern, repo_url, re.IGNORECASE) is not None


def refresh_paths(app: Application, source: Source) -> list[str]:
    """The paths of the annotation, from the repository's root: relative ones are relative to the source's."""
    found = []
    for item in app.annotations.get(MANIFEST_GENERATE_PATHS, "").split(";"):
        path = item.strip()
        if path:
            found.append(path[1:] if path.startswith("/") else posixpath.normpath(f"{source.path}/{path}"))
    return found


def files_changed(paths: list[str], changed: tuple[str, ...]) -> bool:
    """Whether one of the changed files is one of the paths, below one, or matches one as a glob.

    Where nothing is known of the files, or nothing said of the paths, everything may have changed.
    """
    if not paths or not changed:
        return True
    return any(_covers(_absolute(path), _absolute(file)) for file in changed for path in paths)


def _covers(path: str, file: str) -> bool:
    below = posixpath.normpath(path)
    if file == below or below == "/" or posixpath.normpath(file).startswith(f"{below}/"):
        return True
    same_depth = file.count("/") == path.count("/")  # Go's * does not cross a slash
    return same_depth and all(
        re.fullmatch(translate(one), other)
        for one, other in zip(path.split("/"), file.split("/"), strict=True)
    )


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _files(payload: JSON) -> list[str]:
    commits = payload.get("commits")
    if not isinstance(commits, list) or payload.get("forced") or len(commits) >= _CUT_AT:
        return []
    found = []
    for commit in commits:
        for kind in ("added", "modified", "removed"):
            names = commit.get(kind) if isinstance(commit, dict) else None
            if not isinstance(names, list):
                return []
            found += [str(name) for name in names]
    return found
