"""Custom kinds: one version of a CustomResourceDefinition as a resource that the server serves."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from labkit.k8s.objects import copied
from labkit.k8s.schemas import Node
from labkit.sandbox.apiserver import structural
from labkit.sandbox.apiserver.codec import Codec, Problems, WrongType
from labkit.sandbox.apiserver.resources import Resource, Subresource

JSON = dict[str, Any]

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_SPEAKS: Final = ("get", "patch", "update")


class CustomVersion:
    """A version of a custom kind: its schema, columns and subresources.  Also the kind's `resources.Model`."""

    def __init__(self, spec: JSON, version: JSON, codec: Codec) -> None:
        self.spec = spec
        self.version = version
        self._codec = codec

    @cached_property
    def openapi(self) -> JSON:
        """The version's OpenAPI schema as the definition says it."""
        schema: JSON = (self.version.get("schema") or {}).get("openAPIV3Schema") or {}
        return schema

    @cached_property
    def preserves(self) -> bool:
        """Whether the whole object is free."""
        return bool(
            self.openapi.get("x-kubernetes-preserve-unknown-fields") or self.spec.get("preserveUnknownFields")
        )

    @cached_property
    def schema(self) -> Node:
        """See `resources.Model`: the object's schema with the standard fields added."""
        from labkit.k8s.schemas import Schemas

        meta = {"$ref": f"#/definitions/{_META}"}
        properties = {**(self.openapi.get("properties") or {}), "metadata": meta}
        for name in ("apiVersion", "kind"):
            properties[name] = {"type": "string"}
        return Node(
            {**self.openapi, "type": "object", "properties": properties}, Schemas.builtin().definitions
        )

    def decode(self, obj: JSON) -> tuple[JSON, Problems]:
        """See `resources.Model`."""
        problems = Problems()
        meta = obj.get("metadata") or {}
        if not isinstance(meta, dict):
            raise WrongType("json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta")
        decoded, inner = self._codec.decode(_META, meta)
        rest = {key: value for key, value in obj.items() if key != "metadata"}
        pruned: JSON = structural.prune(copied(rest), self.openapi, "", problems.unknown, resource=True)
        structural.drop_nulls(pruned, self.openapi)
        structural.default(pruned, self.openapi)
        problems.unknown.extend(f"metadata.{path}" for path in inner.unknown)
        return {"metadata": decoded, **pruned}, problems

    def empty_status(self) -> Any:
        """See `resources.Model`."""
        return None

    def empty(self) -> JSON | None:
        """See `resources.Model`."""
        return None

    @property
    def selectable_fields(self) -> list[str]:
        """The fields that lists may be selected by."""
        return [str(one["jsonPath"]).lstrip(".") for one in self.version.get("selectableFields") or ()]

    @property
    def columns(self) -> list[JSON]:
        """The version's ``additionalPrinterColumns``."""
        return self.version.get("additionalPrinterColumns") or []

    @property
    def scale(self) -> JSON | None:
        """The paths of its scale subresource, if it has one."""
        paths: JSON | None = (self.version.get("subresources") or {}).get("scale")
        return paths


def resources(definition: JSON, codec: Codec) -> list[Resource]:
    """The resources that a definition's served versions make."""
    spec = definition["spec"]
    names = (definition.get("status") or {}).get("acceptedNames") or spec["names"]
    stored = next((v["name"] for v in spec["versions"] if v.get("storage")), spec["versions"][0]["name"])
    return [
        _resource(spec, names, version, stored, codec)
        for version in spec["versions"]
        if version.get("served")
    ]


def _resource(spec: JSON, names: JSON, version: JSON, stored: str, codec: Codec) -> Resource:
    model = CustomVersion(spec, version, codec)
    said = version.get("subresources") or {}
    subresources = []
    if "status" in said:
        subresources.append(Subresource("status", names["kind"], _SPEAKS))
    if "scale" in said:
        subresources.append(Subresource("scale", "Scale", _SPEAKS, "autoscaling", "v1"))
    return Resource(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        singular=names.get("singular", ""),
        namespaced=spec.get("scope") == "Namespaced",
        model=model,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(subresources),
        list_kind=names.get("listKind") or f"{names['kind']}List",
        storage=f"{names['plural']}.{spec['group']}",
        storage_version=stored,
        custom=model,
        warning=_warning(spec, version, names) if version.get("deprecated") else "",
    )


def _warning(spec: JSON, version: JSON, names: JSON) -> str:
    said = version.get("deprecationWarning")
    if said:
        return str(said)
    from labkit.sandbox.apiserver.resources import version_order

    kind, group = names["kind"], spec["group"]
    text = f"{group}/{version['name']} {kind} is deprecated"
    better = sorted(
        (v["name"] for v in spec["versions"] if v.get("served") and not v.get("deprecated")),
        key=version_order,
    )
    newer = [name for name in better if version_order(name) < version_order(version["name"])]
    return f"{text}; use {group}/{newer[0]} {kind}" if newer else text
