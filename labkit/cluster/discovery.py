"""Which kinds a server has: asked once, kept, and asked again when a kind is not known.

A CustomResourceDefinition can add a kind at any time, so an unknown one costs one more question before it is an
error. Servers since Kubernetes 1.27 answer with everything at once (aggregated discovery), and with "nothing has
changed" where that is so; older ones are asked group by group.
"""

from __future__ import annotations

import difflib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from labkit.errors import ApiError, BadRequest, NoSuchKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labkit.cluster.transport import Transport

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
_NEAR = 6


@dataclass(frozen=True)
class ApiResource:
    """One kind that a server has, in one version, and the words that may be said to it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: tuple[str, ...] = ()
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """Group and version as a manifest writes them: ``apps/v1``, ``v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str | None = None, subresource: str = "") -> str:
        """The URL path of the collection, or of one object in it."""
        parts = ["/apis" if self.group else "/api", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", segment(namespace, "namespace")]
        parts.append(self.plural)
        if name is not None:
            parts.append(segment(name, "name"))
        return "/".join(parts + ([subresource] if subresource else []))


def segment(text: str, what: str) -> str:
    """A name as one part of a URL path; one that would lead to another path is refused, as the API does."""
    if not text or text in (".", "..") or "/" in text or "%" in text:
        raise BadRequest(
            f"resource {what} may not be {text!r}" if text else f"resource {what} may not be empty"
        )
    return quote(text, safe="")


class _Answer(NamedTuple):
    """One root's last answer, and the tag by which the server knows whether it still holds."""

    etag: str
    found: tuple[ApiResource, ...]


class Discovery:
    """The kinds of one server. Safe to use from several threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}
        self._kinds: dict[tuple[str, str], ApiResource] = {}

    def resources(self, *, refresh: bool = False) -> list[ApiResource]:
        """Every kind in every version, core first."""
        if refresh or not self._kinds:
            self._ask(self._kinds)
        return list(self._kinds.values())

    def find(self, api_version: str, kind: str) -> ApiResource:
        """The kind's resource. Raises `NoSuchKind`, with near ones, after the server was asked again."""
        known = self._kinds
        found = known.get((api_version, kind))
        if found is None:
            self._ask(known)
            found = self._kinds.get((api_version, kind))
        if found is None:
            raise self._unknown(api_version, kind)
        return found

    def forget(self, resource: ApiResource) -> None:
        """The server said that it no longer knows ``resource``: ask again when it is needed next."""
        with self._lock:
            key = (resource.api_version, resource.kind)
            self._kinds = {k: v for k, v in self._kinds.items() if k != key}

    def _ask(self, outdated: dict[tuple[str, str], ApiResource]) -> None:
        """Ask the server, unless another thread just replaced what the caller had found ``outdated``."""
        with self._lock:
            if self._kinds is not outdated:
                return
            found = [*self._root("/api"), *self._root("/apis")]
            self._kinds = {(r.api_version, r.kind): r for r in reversed(found)}
            self._kinds = dict(reversed(self._kinds.items()))  # the first of two that share a kind wins

    def _root(self, root: str) -> tuple[ApiResource, ...]:
        known = self._answers.get(root)
        tag = [("If-None-Match", known.etag)] if known and known.etag else []
        answer = self._transport.send("GET", root, accept=_AGGREGATED, extra=tag)
        if known and answer.status == 304:
            return known.found
        body = self._transport.decode(answer.data)
        if body.get("kind") == "APIGroupDiscoveryList":
            found = tuple(_aggregated(body))
        else:
            found = tuple(r for version in _versions(body) for r in self._version(root, version))
        self._answers[root] = _Answer(str(answer.headers.get("ETag") or ""), found)
        return found

    def _version(self, root: str, group_version: str) -> list[ApiResource]:
        try:
            body = self._transport.json("GET", f"{root}/{group_version}")
        except ApiError:
            return []  # an extension's server that is down must not hide everybody else's kinds
        return list(_listed(body))

    def _unknown(self, api_version: str, kind: str) -> NoSuchKind:
        same = [
            r for r in self._kinds.values() if r.kind.lower() == kind.lower() or kind.lower() in _names(r)
        ]
        if not same:
            close = difflib.get_close_matches(
                kind, {r.kind for r in self._kinds.values()}, n=_NEAR, cutoff=0.75
            )
            same = [r for r in self._kinds.values() if r.kind in close]
        near = ", ".join(f"{r.api_version} {r.kind}" for r in same[:_NEAR])
        return NoSuchKind(
            f'no matches for kind "{kind}" in version "{api_version}"',
            where=f"cluster {self._transport.access.name}",
            fix=f"Did you mean {near}?"
            if near
            else "If it is a custom resource, apply its CustomResourceDefinition first.",
        )


def _names(resource: ApiResource) -> set[str]:
    return {resource.plural, resource.singular, *resource.short_names}


def _aggregated(body: dict[str, Any]) -> Iterator[ApiResource]:
    for group in body.get("items") or []:
        for version in group.get("versions") or []:
            for item in version.get("resources") or []:
                yield ApiResource(
                    group=group.get("metadata", {}).get("name") or "",
                    version=version["version"],
                    kind=(item.get("responseKind") or {}).get("kind") or "",
                    plural=item["resource"],
                    namespaced=item.get("scope") == "Namespaced",
                    verbs=tuple(item.get("verbs") or ()),
                    singular=item.get("singularResource") or "",
                    short_names=tuple(item.get("shortNames") or ()),
                    categories=tuple(item.get("categories") or ()),
                    subresources=tuple(s["subresource"] for s in item.get("subresources") or ()),
                )


def _versions(body: dict[str, Any]) -> Iterable[str]:
    """The group versions of an ``APIVersions`` (core) or an ``APIGroupList``."""
    if "versions" in body:
        return list(body["versions"])
    return [v["groupVersion"] for group in body.get("groups") or [] for v in group.get("versions") or []]


def _listed(body: dict[str, Any]) -> Iterator[ApiResource]:
    """The kinds of one ``APIResourceList``, which lists subresources beside them."""
    items = body.get("resources") or []
    group, _, version = str(body.get("groupVersion") or "").rpartition("/")
    for item in items:
        plural = item["name"]
        if "/" in plural:
            continue
        yield ApiResource(
            group=group,
            version=version,
            kind=item["kind"],
            plural=plural,
            namespaced=bool(item.get("namespaced")),
            verbs=tuple(item.get("verbs") or ()),
            singular=item.get("singularName") or "",
            short_names=tuple(item.get("shortNames") or ()),
            categories=tuple(item.get("categories") or ()),
            subresources=tuple(
                i["name"].partition("/")[2] for i in items if i["name"].startswith(f"{plural}/")
            ),
        )
