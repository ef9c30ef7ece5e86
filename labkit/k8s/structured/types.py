"""How each place in an object merges: what server-side apply reads out of a schema.

A place is a scalar, a list or a map, or may be any of them.  A list is *atomic* (one owner, replaced as a whole), a
*set* (each value has its owners) or a *map* by key fields (each element has its own); a map is granular unless the
schema calls it atomic.  Where the schema says nothing (custom kinds that keep unknown fields), maps are
granular and lists atomic.

Source: k8s.io/kube-openapi, ``schemaconv``, which makes structured-merge-diff's types from OpenAPI.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.schemas import Node, Schemas
from labkit.k8s.structured import elements

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.k8s.structured.elements import Element

JSON = dict[str, Any]

_PREFIX: Final = "io.k8s."
_QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_RAW: Final = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

# Defaults of key fields that are not their type's zero value.  Source: the ``+default`` marks of k8s.io/api/core/v1.
_KEY_DEFAULTS: Final[dict[str, JSON]] = {
    "io.k8s.api.core.v1.ContainerPort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.ServicePort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.LocalObjectReference": {"name": ""},
}
_ZEROS: Final = {"string": "", "integer": 0}

_SCALARS: Final = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}


class Misfit(ValueError):
    """A value that its place's type cannot take; the text is the API's."""


class ListType:
    """How a list merges."""

    def __init__(self, kind: str, keys: tuple[str, ...], items: Callable[[], Type]) -> None:
        self.kind = kind
        self.keys = keys
        self._items = items

    @property
    def atomic(self) -> bool:
        """Whether the list has one owner as a whole."""
        return self.kind == "atomic"

    @cached_property
    def items(self) -> Type:
        """Its elements' type."""
        return self._items()

    def element(self, item: Any) -> Element:
        """The step to an element.  Raises `Misfit` where it cannot be told from the others."""
        return self._by_keys(item) if self.keys else _by_value(item)

    def _by_keys(self, item: Any) -> Element:
        if item is None:
            raise Misfit("associative list with keys may not have a null element")
        if not isinstance(item, dict):
            raise Misfit("associative list with keys may not have non-map elements")
        fields = {}
        for name in self.keys:
            found = item[name] if name in item else self.items.default(name)
            if found is not None or name in item:
                fields[name] = found
        if not fields:
            names = " ".join(elements.to_json(name) for name in self.keys)
            raise Misfit(
                f"associative list with keys has an element that omits all key fields [{names}]"
                " (and doesn't have default values for any key fields)"
            )
        return elements.key(fields)


def _by_value(item: Any) -> Element:
    if isinstance(item, dict):
        raise Misfit("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise Misfit("not supported: associative list with lists as elements")
    if item is None:
        raise Misfit("associative list without keys has an element that's an explicit null")
    return elements.value(item)


class MapType:
    """How a map or an object with named fields merges."""

    def __init__(
        self, *, atomic: bool, fields: dict[str, Callable[[], Type]], others: Callable[[], Type] | None
    ) -> None:
        self.atomic = atomic
        self._fields = fields
        self._others = others
        self._made: dict[str, Type] = {}

    def declares(self, name: str) -> bool:
        """Whether the schema names the field."""
        return name in self._fields

    def field(self, name: str) -> Type | None:
        """The type of a field or value; None where the schema does not allow it."""
        if name in self._fields:
            if name not in self._made:
                self._made[name] = self._fields[name]()
            return self._made[name]
        return self._other

    @cached_property
    def _other(self) -> Type | None:
        return self._others() if self._others else None


class Type:
    """What may stand at a place: `scalar` (numeric, string, boolean, untyped or ""), `list` and `map`."""

    def __init__(
        self,
        scalar: str = "",
        list_: ListType | None = None,
        map_: MapType | None = None,
        node: Node | None = None,
    ) -> None:
        self.scalar = scalar
        self.list = list_
        self.map = map_
        self._node = node

    def form(self, value: Any) -> str:
        """Whether the value is to be treated as a "map", a "list" or a "scalar" here."""
        if isinstance(value, dict) and self.map:
            return "map"
        if isinstance(value, list) and self.list:
            return "list"
        if isinstance(value, str | int | float) and self.scalar:
            return "scalar"
        return "map" if self.map else "scalar" if self.scalar else "list"

    @property
    def atomic(self) -> bool:
        """Whether all that may stand here has one owner as a whole."""
        if self.map:
            return self.map.atomic
        return self.list.atomic if self.list else False

    def at(self, element: Element) -> Type | None:
        """The type one step further."""
        name = elements.field_name(element)
        if name is not None:
            return self.map.field(name) if self.map else None
        return self.list.items if self.list else None

    def default(self, name: str) -> Any:
        """The default of a key field, or None."""
        return _key_default(self._node, name) if self._node else None


# What may be anything: maps merge, the rest is replaced.
ANYTHING: Final[Type] = Type(
    "untyped",
    ListType("atomic", (), lambda: REPLACED),
    MapType(atomic=False, fields={}, others=lambda: ANYTHING),
)
# What may be anything and is always replaced as a whole.
REPLACED: Final[Type] = Type(
    "untyped",
    ListType("atomic", (), lambda: REPLACED),
    MapType(atomic=True, fields={}, others=lambda: REPLACED),
)


@lru_cache(maxsize=256)
def type_of(node: Node) -> Type:
    """The type of the objects that a schema describes; made once for a node and then kept."""
    return _type(node, open_=False)


def _type(node: Node, *, open_: bool) -> Type:
    definition = node.definition
    if definition == _QUANTITY:
        return Type("untyped")
    if definition == _RAW:
        return REPLACED
    open_ = (open_ and not definition) or node.open
    if node.type == "object":
        return Type(map_=_map(node, open_), node=node)
    if node.type == "array":
        return Type(list_=_list(node, open_), node=node)
    if node.type:
        return Type(_scalar(node))
    return Type("untyped", _list(node, open_), _map(node, open_), node=node)


def _scalar(node: Node) -> str:
    if node.type == "string":
        return "string" if node.target.get("format", "") in ("", "byte") else "untyped"
    return _SCALARS.get(node.type, "untyped")


def _list(node: Node, open_: bool) -> ListType:
    items = node.items

    def inner() -> Type:
        return _type(items, open_=open_) if items else REPLACED

    if node.extension("list-type") is not None:
        return ListType(node.list_type, node.list_keys if node.list_type == "map" else (), inner)
    if "merge" in node.patch_strategies:
        return (
            ListType("map", (node.patch_merge_key,), inner)
            if node.patch_merge_key
            else ListType("set", (), inner)
        )
    return ListType("atomic", (), inner)


def _map(node: Node, open_: bool) -> MapType:
    def later(child: Node) -> Callable[[], Type]:
        return lambda: _type(child, open_=open_)

    fields = {name: later(child) for name, child in node.fields.items()}
    if node.extension("embedded-resource"):
        fields = {**_embedded(), **fields}
    others: Callable[[], Type] | None = None
    extra = node.target.get("additionalProperties")
    if node.values is not None:
        others = later(node.values)
    elif extra is True or (extra is None and (open_ or not node.fields)):
        others = _anything
    return MapType(atomic=node.atomic_map, fields=fields, others=others)


def _anything() -> Type:
    return ANYTHING


def _embedded() -> dict[str, Callable[[], Type]]:
    """What an object inside an object has whether the schema says so or not."""
    meta = Node({"$ref": f"#/definitions/{_META}"}, Schemas.builtin().definitions)
    return {
        "apiVersion": lambda: Type("string"),
        "kind": lambda: Type("string"),
        "metadata": lambda: _type(meta, open_=False),
    }


def _key_default(node: Node, name: str) -> Any:
    """The default of a field by which list elements are told apart.

    The packaged schemas have no defaults; the API's own documents say the zero value for every required field of
    a built-in kind.
    """
    child = node.fields.get(name)
    if child is None:
        return None
    found = child.raw.get("default", child.target.get("default"))
    if found is not None or not node.definition.startswith(_PREFIX):
        return found
    told = _KEY_DEFAULTS.get(node.definition, {})
    if name in told:
        return told[name]
    return _ZEROS.get(child.type) if name in node.target.get("required", ()) else None
