"""The kinds that every cluster has, from the packaged schemas."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from labkit.k8s.objects import copied
from labkit.k8s.schemas import KINDS, Kind, Node, Schemas
from labkit.sandbox.apiserver.codec import Codec, Problems
from labkit.sandbox.apiserver.defaults import DEFAULTS
from labkit.sandbox.apiserver.resources import Resource, Subresource
from labkit.sandbox.apiserver.versions import CONVERSIONS

JSON = dict[str, Any]

# Kinds that are the same objects in two groups or versions: where the store keeps them, and in which version.
SHARED_STORAGE: Final = {
    ("autoscaling", "horizontalpodautoscalers"): ("horizontalpodautoscalers.autoscaling", "v2"),
    ("events.k8s.io", "events"): ("events", "v1"),
}

# What the server tells whoever uses a kind that is on its way out.
DEPRECATED: Final = {
    ("", "v1", "ComponentStatus"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "v1", "Endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}


class BuiltinModel:
    """A built-in kind's schema, read when the kind is first used."""

    def __init__(self, codec: Codec, bare: Codec, kind: Kind) -> None:
        self._codec, self._bare = codec, bare
        self._kind = kind

    def decode(self, obj: JSON) -> tuple[JSON, Problems]:
        """See `resources.Model`."""
        return self._codec.decode(self.definition, obj)

    @cached_property
    def definition(self) -> str:
        """The name of the kind's definition."""
        return Schemas.builtin().definition_name(self._kind.api_version, self._kind.kind)

    @cached_property
    def schema(self) -> Node | None:
        """See `resources.Model`."""
        return Schemas.builtin().node(self._kind.api_version, self._kind.kind)

    @cached_property
    def _nothing(self) -> JSON:
        return self._bare.decode(self.definition, {})[0]

    def empty(self) -> JSON | None:
        """See `resources.Model`."""
        return self._nothing

    @cached_property
    def _empty(self) -> JSON:
        return self._codec.decode(self.definition, {})[0]

    def empty_status(self) -> Any:
        """See `resources.Model`."""
        return copied(self._empty.get("status", {}))


class _Lazy(dict[str, JSON]):
    """The definitions, read from their file when the first one is asked for."""

    def __missing__(self, name: str) -> JSON:
        self.update(Schemas.builtin().definitions)
        return self[name]


def builtin_codec() -> Codec:
    """The codec of all built-in kinds, with their defaults."""
    return Codec(_Lazy(), DEFAULTS)


def builtin_resources(codec: Codec) -> list[Resource]:
    """All built-in kinds as resources."""
    bare = Codec(_Lazy())
    made = [_resource(kind, codec, bare) for kind in KINDS]
    stored = {one.storage: one for one in made if one.conversion is None}
    return [one if one.conversion is None else replace(one, stored=stored[one.storage]) for one in made]


def _resource(kind: Kind, codec: Codec, bare: Codec) -> Resource:
    name = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    storage, version = SHARED_STORAGE.get((kind.group, kind.plural), (name, kind.version))
    return Resource(
        group=kind.group,
        version=kind.version,
        kind=kind.kind,
        plural=kind.plural,
        singular=kind.singular,
        namespaced=kind.namespaced,
        model=BuiltinModel(codec, bare, kind),
        short_names=kind.short_names,
        categories=kind.categories,
        verbs=kind.verbs,
        subresources=tuple(
            Subresource(sub.name, sub.kind or kind.kind, sub.verbs, sub.group, sub.version)
            for sub in kind.subresources
        ),
        list_kind=f"{kind.kind}List",
        storage=storage,
        storage_version=version,
        conversion=CONVERSIONS.get((kind.group, kind.version, kind.plural)),
        warning=DEPRECATED.get((kind.group, kind.version, kind.kind), ""),
    )
