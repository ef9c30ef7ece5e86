"""An AppProject: what its applications may be made of, and where they may go.

Source of the rules: pkg/apis/application/v1alpha1/app_project_types.go and types.go in Argo CD.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from labkit.errors import GitError
from labkit.git import normalise
from labkit.git.urls import split_credential
from labkit.gitops.projects import globs
from labkit.gitops.projects.windows import Window
from labkit.k8s.objects import Object, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.gitops.api.application import Application, Destination

JSON = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """One project; its questions are answered with yes, or with what is not allowed."""

    name: str
    spec: JSON = field(default_factory=dict)

    @classmethod
    def from_object(cls, obj: Object) -> Project:
        """The project that an AppProject object describes."""
        return cls(name_of(obj), obj.get("spec") or {})

    @property
    def windows(self) -> list[Window]:
        """Its sync windows."""
        return [Window.parse(raw, i) for i, raw in enumerate(self.spec.get("syncWindows") or [])]

    @property
    def only_own_clusters(self) -> bool:
        """Whether it may use no clusters but those that are registered for it."""
        return bool(self.spec.get("permitOnlyProjectScopedClusters"))

    def refusal(self, app: Application, destination: Destination, own_clusters: Iterable[str] = ()) -> str:
        """Why the application may not be as it is; empty if it may.

        ``destination`` has server and name both; ``own_clusters`` are servers and names of the project's own.
        """
        for source in app.sources:
            if not self.permits_source(source.repo_url):
                return f"application repo {source.repo_url} is not permitted in project '{self.name}'"
        to = (destination.server, destination.name, destination.namespace)
        if destination.server and not self.permits_destination(*to, own_clusters=own_clusters):
            place = f"server '{destination.server}' and namespace '{destination.namespace}'"
            return f"application destination {place} are not permitted in project '{self.name}'"
        return ""

    def permits_source(self, url: str) -> bool:
        """Whether its applications may be read from the repository."""
        found, plain = False, _plain(url)
        for pattern in self.spec.get("sourceRepos") or []:
            if globs.denies(pattern):
                denied = f"!{_plain(pattern[1:])}"
                if not all(globs.permits(denied, form, "/") for form in (plain, _bare(url))):
                    return False
                found = True
            elif globs.permits(_plain(pattern), plain, "/"):
                found = True
        return found

    def permits_destination(
        self, server: str, name: str, namespace: str, *, own_clusters: Iterable[str] = ()
    ) -> bool:
        """Whether its applications may go there; one of server and name may be empty."""
        permitted = self._permits_destination(server, name, namespace)
        if permitted and self.only_own_clusters:
            return not {server, name}.isdisjoint(set(own_clusters) - {""})
        return permitted

    def _permits_destination(self, server: str, name: str, namespace: str) -> bool:
        found = False
        for rule in self.spec.get("destinations") or []:
            on = {part: rule.get(part) or "" for part in ("server", "name", "namespace")}
            by_name = bool(name) and globs.permits(on["name"], name)
            by_server = bool(server) and globs.permits(on["server"], server)
            there = globs.permits(on["namespace"], namespace)
            if (by_server or by_name) and there:
                found = True
            elif (
                (not by_name and globs.denies(on["name"]))
                or (not by_server and globs.denies(on["server"]) and there)
                or (not there and globs.denies(on["namespace"]) and by_server)
            ):
                return False
        return found

    def permits_kind(self, group: str, kind: str, name: str = "", *, namespaced: bool) -> bool:
        """Whether its applications may have objects of that kind."""
        scope = "namespace" if namespaced else "cluster"
        allowed = self.spec.get(f"{scope}ResourceWhitelist")
        denied = self.spec.get(f"{scope}ResourceBlacklist") or []
        listed = _lists(allowed or [], group, kind, name) or (namespaced and allowed is None)
        return listed and not _lists(denied, group, kind, name)

    def permits_namespace(self, namespace: str, home: str) -> bool:
        """Whether its Applications may lie in that namespace, beside the controller's own."""
        return namespace == home or globs.in_list(self.spec.get("sourceNamespaces") or [], namespace)


def _lists(rules: list[JSON], group: str, kind: str, name: str) -> bool:
    return any(
        globs.match(rule.get("group") or "", group)
        and globs.match(rule.get("kind") or "", kind)
        and (not rule.get("name") or globs.match(rule["name"], name))
        for rule in rules
    )


def _bare(url: str) -> str:
    """The one form of all the addresses of a repository that its host takes for the same.

    Argo CD compares what is denied with the address as it is written; ``http://me@host//shop/`` gets past it.
    """
    try:
        parts = urlsplit(normalise(split_credential(url)[0]) or url)
        port = parts.port
    except (GitError, ValueError):
        return url
    host = parts.hostname or ""
    if port is not None and port != {"http": 80, "https": 443}.get(parts.scheme):
        host = f"{host}:{port}"
    path = posixpath.normpath(unquote(parts.path)).removesuffix(".git")
    path = path if path.startswith("/") else f"/{path}"
    return f"{parts.scheme}://{host}/{path.lstrip('/')}" if host else url


def _plain(url: str) -> str:
    """The form in which addresses are compared: also what is no address is, case and ``.git`` set aside."""
    return normalise(url) or url.strip().lower().removesuffix(".git")
