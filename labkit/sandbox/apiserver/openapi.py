"""The server's OpenAPI documents: what ``kubectl explain`` shows and what clients validate by.

Made from the registry when asked for: v3 in one document a group and version, v2 in one for all.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import orjson

from labkit.k8s.schemas import Schemas
from labkit.sandbox.apiserver.routing import PlainNotFound
from labkit.sandbox.apiserver.wire import Response

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.resources import Registry, Resource

JSON = dict[str, Any]

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1"
_INFO: Final = {"title": "Kubernetes", "version": "v1.36.2+sandbox"}
_PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "get": (),
    "list": (
        "limit",
        "continue",
        "labelSelector",
        "fieldSelector",
        "resourceVersion",
        "watch",
        "timeoutSeconds",
    ),
    "post": ("dryRun", "fieldManager", "fieldValidation"),
    "put": ("dryRun", "fieldManager", "fieldValidation"),
    "patch": ("dryRun", "fieldManager", "fieldValidation", "force"),
    "delete": ("dryRun", "gracePeriodSeconds", "propagationPolicy"),
    "deletecollection": (
        "dryRun",
        "gracePeriodSeconds",
        "propagationPolicy",
        "labelSelector",
        "fieldSelector",
    ),
}
_TYPES: Final = {
    "limit": "integer",
    "timeoutSeconds": "integer",
    "gracePeriodSeconds": "integer",
    "watch": "boolean",
    "force": "boolean",
}
_METHODS: Final = (
    ("get", "get", "get"), ("update", "put", "put"), ("patch", "patch", "patch"), ("delete", "delete", "delete"),
)  # fmt: skip
_COLLECTION: Final = (
    ("list", "get", "list"), ("create", "post", "post"), ("deletecollection", "delete", "deletecollection"),
)  # fmt: skip
_PATCHES: Final = (
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)  # fmt: skip


class OpenApi:
    """Answers ``/openapi/…``; keeps what it made until the registry changes."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[str, bytes] = {}
        self._generation = -1

    def answer(self, path: str) -> Response:
        """The document at the path.  Raises `PlainNotFound`."""
        if self._generation != self._registry.generation:
            self._made.clear()
            self._generation = self._registry.generation
        if path not in self._made:
            self._made[path] = orjson.dumps(self._make(path))
        kind = "text/plain; charset=utf-8" if path == "/openapi/v3" else "application/json"
        return Response(self._made[path], content_type=kind)

    def _make(self, path: str) -> JSON:
        if path == "/openapi/v2":
            return self._v2()
        if path == "/openapi/v3":
            return self._index()
        parts = path.removeprefix("/openapi/v3/").split("/")
        match parts:
            case ["api", version]:
                return self._v3("", version)
            case ["apis", group, version]:
                return self._v3(group, version)
        raise PlainNotFound

    def _index(self) -> JSON:
        stamp = hashlib.sha256(str(self._registry.generation).encode()).hexdigest()[:32].upper()
        roots = [
            _root(group, version)
            for group, versions in self._registry.groups().items()
            for version in versions
        ]
        return {
            "paths": {
                root: {"serverRelativeURL": f"/openapi/v3/{root}?hash={stamp}"} for root in sorted(roots)
            }
        }

    def _v3(self, group: str, version: str) -> JSON:
        resources = [r for r in self._registry if (r.group, r.version) == (group, version)]
        if not resources:
            raise PlainNotFound
        schemas = _Schemas("#/components/schemas/", "oneOf")
        paths: JSON = {}
        for resource in resources:
            paths |= _paths(resource, schemas, v3=True)
        return {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": paths,
            "components": {"schemas": schemas.closed()},
        }

    def _v2(self) -> JSON:
        schemas = _Schemas("#/definitions/", "")
        paths: JSON = {}
        for resource in self._registry:
            paths |= _paths(resource, schemas, v3=False)
        return {"swagger": "2.0", "info": _INFO, "paths": paths, "definitions": schemas.closed()}


class _Schemas:
    """The definitions that a document refers to, with those that they refer to."""

    def __init__(self, prefix: str, two_forms: str) -> None:
        self._prefix, self._two_forms = prefix, two_forms
        self._all = Schemas.builtin().described()
        self._used: dict[str, JSON] = {}

    def of(self, resource: Resource, *, as_list: bool = False) -> JSON:
        """A reference to the resource's kind, or to its list."""
        kind = resource.list_kind if as_list else resource.kind
        name = Schemas.builtin().definition_name(resource.api_version, kind)
        if not name:
            name = _custom_name(resource, kind)
            self._used[name] = (
                _custom_list(resource, self._ref) if as_list else _custom_kind(resource, self._ref)
            )
        return self._ref(name)

    def named(self, name: str) -> JSON:
        """A reference to a definition by its name."""
        return self._ref(name)

    def _ref(self, name: str) -> JSON:
        self._use(name)
        return {"$ref": self._prefix + name}

    def _use(self, name: str) -> None:
        if name in self._used or name not in self._all:
            return
        definition = self._all[name]
        self._used[name] = definition
        if self._two_forms and definition.get("format") == "int-or-string":
            definition.clear()
            definition |= {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}
        elif self._two_forms and name.endswith(".Quantity"):
            definition.pop("type", None)
            definition["oneOf"] = [{"type": "string"}, {"type": "number"}]
        self._follow(definition)

    def _follow(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self._follow(item)
        elif isinstance(node, dict):
            target = node.get("$ref")
            if isinstance(target, str) and target.startswith("#/"):
                name = target.rpartition("/")[2]
                self._point(node, name)
                self._use(name)
            for value in list(node.values()):
                self._follow(value)

    def _point(self, node: JSON, name: str) -> None:
        """OpenAPI v3 allows nothing beside a reference, so that a description needs ``allOf``."""
        reference = {"$ref": self._prefix + name}
        del node["$ref"]
        if self._two_forms and node:
            node["allOf"] = [reference]
            node.setdefault("default", {})
        else:
            node |= reference

    def closed(self) -> dict[str, JSON]:
        """All that was used."""
        return dict(sorted(self._used.items()))


def _custom_name(resource: Resource, kind: str) -> str:
    return ".".join([*reversed(resource.group.split(".")), resource.version, kind])


def _custom_kind(resource: Resource, ref: Any) -> JSON:
    schema: JSON = orjson.loads(orjson.dumps(resource.custom.openapi))
    properties = schema.setdefault("properties", {})
    for name in ("apiVersion", "kind"):
        properties.setdefault(name, {"type": "string"})
    properties["metadata"] = {
        "allOf": [ref(f"{_META}.ObjectMeta")],
        "description": "Standard object's metadata.",
    }
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {"type": "object", **schema, "x-kubernetes-group-version-kind": [gvk]}


def _custom_list(resource: Resource, ref: Any) -> JSON:
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.list_kind}
    return {
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": ref(f"{_META}.ListMeta"),
            "items": {"type": "array", "items": ref(_custom_name(resource, resource.kind))},
        },
        "x-kubernetes-group-version-kind": [gvk],
    }


def _root(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _paths(resource: Resource, schemas: _Schemas, *, v3: bool) -> JSON:
    root = "/" + _root(resource.group, resource.version)
    spot = (
        f"{root}/namespaces/{{namespace}}/{resource.plural}"
        if resource.namespaced
        else f"{root}/{resource.plural}"
    )
    one = schemas.of(resource)
    many = schemas.of(resource, as_list=True) if "list" in resource.verbs else one
    place = ["namespace"] if resource.namespaced else []
    paths: JSON = {}
    collection = {
        method: _operation(resource, action, many if verb == "list" else one, place, v3=v3)
        for verb, method, action in _COLLECTION
        if verb in resource.verbs
    }
    if collection:
        paths[spot] = collection
    single = {
        method: _operation(resource, action, one, [*place, "name"], v3=v3)
        for verb, method, action in _METHODS
        if verb in resource.verbs
    }
    if single:
        paths[f"{spot}/{{name}}"] = single
    for sub in resource.subresources:
        if sub.name in ("status", "scale"):
            body = one if sub.name == "status" else schemas.named("io.k8s.api.autoscaling.v1.Scale")
            paths[f"{spot}/{{name}}/{sub.name}"] = {
                method: _operation(resource, action, body, [*place, "name"], v3=v3, sub=sub)
                for verb, method, action in _METHODS
                if verb in sub.verbs
            }
    if resource.namespaced and "list" in resource.verbs:
        paths[f"{root}/{resource.plural}"] = {"get": _operation(resource, "list", many, [], v3=v3)}
    return paths


def _operation(
    resource: Resource, action: str, body: JSON, place: list[str], *, v3: bool, sub: Any = None
) -> JSON:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    if sub is not None and sub.version:
        kind = {"group": sub.group, "version": sub.version, "kind": sub.kind}
    parameters = [_parameter(name, "path", "string", v3=v3) for name in place]
    parameters += [
        _parameter(name, "query", _TYPES.get(name, "string"), v3=v3) for name in _PARAMETERS[action]
    ]
    operation: JSON = {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": kind,
        "parameters": parameters,
    }
    takes = _patches(resource) if action == "patch" else ("*/*",)
    given = (
        {"$ref": body["$ref"].replace(body["$ref"].rpartition("/")[2], f"{_META}.Patch")}
        if action == "patch"
        else body
    )
    if v3:
        if action in ("post", "put", "patch"):
            operation["requestBody"] = {
                "content": {name: {"schema": given} for name in takes},
                "required": True,
            }
        operation["responses"] = {
            "200": {"description": "OK", "content": {"application/json": {"schema": body}}}
        }
    else:
        if action in ("post", "put", "patch"):
            operation["consumes"] = list(takes)
            parameters.append({"name": "body", "in": "body", "required": True, "schema": given})
        operation["responses"] = {"200": {"description": "OK", "schema": body}}
    return operation


def _patches(resource: Resource) -> tuple[str, ...]:
    """The patches that a kind takes: kubectl looks here whether it may send a strategic one; custom kinds take none."""
    if resource.custom is None:
        return _PATCHES
    return tuple(kind for kind in _PATCHES if "strategic" not in kind)


def _parameter(name: str, place: str, kind: str, *, v3: bool) -> JSON:
    said: JSON = (
        {"schema": {"type": kind, "uniqueItems": True}} if v3 else {"type": kind, "uniqueItems": True}
    )
    if place == "path":
        said["required"] = True
    return {"name": name, "in": place, **said}
