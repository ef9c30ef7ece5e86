"""From a method and a path to what is asked: which verb, on which resource, where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from labkit.sandbox.apiserver import problems

if TYPE_CHECKING:
    from labkit.errors import ApiError
    from labkit.sandbox.apiserver.resources import Registry, Resource

_COLLECTION: Final = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT: Final = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_SUBRESOURCE: Final = _OBJECT | {"POST": "create"}


@dataclass(frozen=True, slots=True)
class Route:
    """A request for a resource.  `rest` is the path below a proxy."""

    resource: Resource
    verb: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""

    @property
    def attribute(self) -> str:
        """The resource as access rules name it: ``pods``, ``deployments/scale``."""
        return f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request is about before it is known whether there is such a resource; access is asked by these."""

    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""  # of a request that is for no resource

    @property
    def attribute(self) -> str:
        """``pods``, ``deployments/scale``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class PlainNotFound(Exception):
    """There is nothing at that path, not even an API: answered with text."""


def attributes(method: str, path: str, watching: bool) -> tuple[Attributes, list[str]]:
    """What is asked, from the path alone, and the path's parts below the subresource."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return Attributes(method.lower(), path=path), []
    if parts[0] == "watch" and len(parts) > 1:
        parts, watching = parts[1:], True
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in ("status", "finalize"):
            parts = parts[2:]
    plural, name = parts[0], parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 else ""
    table = _SUBRESOURCE if subresource else _OBJECT if name else _COLLECTION
    verb = table.get(method, method.lower())
    if verb == "list" and watching:
        verb = "watch"
    return Attributes(verb, group, version, plural, subresource, namespace, name), parts[3:]


def resolve(method: str, found: Attributes, rest: list[str], registry: Registry) -> Route:
    """The resource asked for.  Raises `NotFound`, `MethodNotAllowed` or `PlainNotFound`."""
    resource = registry.at(found.group, found.version, found.resource)
    if resource is None:
        raise _missing(found, registry)
    namespace = found.namespace if resource.namespaced else ""
    if found.namespace and not resource.namespaced and found.resource != "namespaces":
        raise problems.unknown_resource()
    if resource.namespaced and not namespace and found.name:
        raise problems.unknown_resource()
    allowed = _allowed(resource, found)
    if allowed is None:
        raise problems.unknown_resource()
    verb = found.verb
    if (
        method == "HEAD"
        or verb not in allowed
        or (verb in ("create", "deletecollection") and resource.namespaced and not namespace)
    ):
        raise problems.method_not_allowed()
    return Route(resource, verb, namespace, found.name, found.subresource, "/".join(rest))


def _allowed(resource: Resource, found: Attributes) -> tuple[str, ...] | None:
    if not found.subresource:
        if not found.name:
            return tuple(
                verb for verb in resource.verbs if verb in ("list", "create", "deletecollection", "watch")
            )
        return tuple(verb for verb in resource.verbs if verb in ("get", "update", "patch", "delete"))
    subresource = resource.subresource(found.subresource)
    return subresource.verbs if subresource else None


def _missing(found: Attributes, registry: Registry) -> ApiError | PlainNotFound:
    """A group that only custom resources have ever had is no API at all; a built-in one knows itself."""
    versions = registry.groups().get(found.group, [])
    built_in = any(
        resource.group == found.group and (resource.custom is None or resource.computed is not None)
        for resource in registry
    )
    if built_in or found.version in versions:
        return problems.unknown_resource()
    return PlainNotFound()
