"""The resources that the server has: which path means which kind, and what may be done with it.

A `Resource` is a kind in one version, as discovery shows it.  The built-in ones come from the packaged
schemas; a CustomResourceDefinition adds and removes others while the server runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labkit.sandbox.apiserver.codec import Problems
    from labkit.sandbox.apiserver.versions import Conversion

JSON = dict[str, Any]

ALL_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Subresource:
    """A path below an object: what kind it speaks (group and version "" mean its parent's), and its verbs."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


class Model(Protocol):
    """What a kind's schema is good for; built-in and custom kinds each have their own."""

    def decode(self, obj: JSON) -> tuple[JSON, Problems]:
        """The canonical form, and what the schema does not know.  Raises `codec.WrongType`."""

    def empty_status(self) -> Any:
        """The status of an object that has none yet."""

    def empty(self) -> JSON | None:
        """An object with nothing set, as Go would write it; None where there is no such thing."""

    @property
    def schema(self) -> Any:
        """The schema node that patches and server-side apply walk along."""


class Computed(Protocol):
    """Makes the objects of a kind when somebody asks; nothing of it is stored.  Without kind and apiVersion."""

    def get(self, namespace: str, name: str) -> JSON:
        """The object of that name.  Raises `NotFound`."""

    def list(self, namespace: str) -> Iterable[JSON]:
        """The objects of a namespace, or of all ("")."""


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind in one version."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    model: Model = field(repr=False)
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    list_kind: str = ""
    storage: str = ""  # where the store keeps its objects; the same for all versions of a kind
    storage_version: str = ""
    custom: Any = None  # the `custom.CustomVersion`, for a kind that a CustomResourceDefinition brought
    stored: Resource | None = None  # the stored version of a kind that is converted
    conversion: Conversion | None = None  # for a version that is not the stored one and differs from it
    computed: Computed | None = None  # who makes its objects, for a kind that is not stored
    warning: str = ""  # what to tell whoever uses it (deprecated versions)

    @property
    def api_version(self) -> str:
        """``apps/v1``, ``v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def name(self) -> str:
        """``deployments.apps``, ``configmaps``: how messages and the store name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def subresource(self, name: str) -> Subresource | None:
        """Its subresource of that name."""
        return next((one for one in self.subresources if one.name == name), None)


class Registry:
    """All resources, by path and by kind.

    `generation` grows with every change; whoever has kept something made from the registry compares it.
    """

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str, str], Resource] = {}
        self.generation = 0
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        """Serve the resource, in place of an older one of that path."""
        self._by_path[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.group, resource.version, resource.kind] = resource
        self.generation += 1

    def remove(self, resource: Resource) -> None:
        """Serve it no longer."""
        self._by_path.pop((resource.group, resource.version, resource.plural), None)
        self._by_kind.pop((resource.group, resource.version, resource.kind), None)
        self.generation += 1

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource of that path."""
        return self._by_path.get((group, version, plural))

    def of_kind(self, api_version: object, kind: object) -> Resource | None:
        """The resource of an object's ``apiVersion`` and ``kind``, whatever a client wrote there."""
        if not isinstance(api_version, str) or not isinstance(kind, str):
            return None
        group, _, version = api_version.rpartition("/")
        return self._by_kind.get((group, version, kind))

    def stored_in(self, storage: str) -> Resource | None:
        """The resource, in its storage version, whose objects the store keeps under that name."""
        candidates = [r for r in self._by_path.values() if r.storage == storage]
        return next(
            (r for r in candidates if r.version == r.storage_version), candidates[0] if candidates else None
        )

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())

    def groups(self) -> dict[str, list[str]]:
        """Each group's versions, most stable first."""
        found: dict[str, list[str]] = {}
        for group, version, _ in self._by_path:
            versions = found.setdefault(group, [])
            if version not in versions:
                versions.append(version)
        return {group: sorted(versions, key=version_order) for group, versions in found.items()}


def version_order(version: str) -> tuple[int, int, int, str]:
    """Sorts v2 before v1 before v1beta2 before v1alpha1 before everything that is no such name."""
    import re

    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return (3, 0, 0, version)
    stage = {"": 0, "beta": 1, "alpha": 2}[match[2] or ""]
    return (stage, -int(match[1]), -int(match[3] or 0), version)
