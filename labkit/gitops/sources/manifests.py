"""What a source gives: objects, each with the place in the repository that it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.k8s.objects import Object, ObjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Manifest:
    """One wanted object and its origin, ``charts/web/templates/service.yaml:3``."""

    obj: Object
    origin: str = ""


@dataclass(frozen=True)
class Rendered:
    """What one source gives, and what rendered it: ``Helm``, ``Kustomize`` or ``Directory``."""

    source_type: str
    items: tuple[Manifest, ...]


@dataclass(frozen=True)
class Manifests:
    """All that one comparison wants.

    ``revisions`` has a commit per source, in their order; ``source_types`` what rendered each that gives manifests.
    """

    items: tuple[Manifest, ...]
    revisions: tuple[str, ...]
    repeated: tuple[str, ...] = ()
    source_types: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self.items)

    @property
    def revision(self) -> str:
        """The commit of the first (mostly the only) source."""
        return self.revisions[0] if self.revisions else ""


@dataclass
class Merged:
    """Manifests of several sources, one object each: of two with the same identity the last one wins."""

    found: dict[ObjectKey, Manifest] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    _hooks: list[Manifest] = field(default_factory=list)

    def add(self, items: Iterable[Manifest]) -> None:
        """Take one source's manifests; objects with a generated name cannot repeat each other."""
        for item in items:
            key = ObjectKey.of(item.obj)
            if not key.name:
                self._hooks.append(item)
                continue
            if key in self.found:
                self.repeated.append(
                    f"{key} appears more than once: {self.found[key].origin} and {item.origin}"
                )
            self.found[key] = item

    @property
    def items(self) -> tuple[Manifest, ...]:
        """All of them, in the order in which they came."""
        return (*self.found.values(), *self._hooks)
