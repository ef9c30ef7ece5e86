"""The API's verbs on plain objects, whoever answers: the sandbox in its own process, or any cluster over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.k8s.objects import Object


@dataclass
class ObjectList:
    """A list's items, and the version of the collection from which a watch can go on."""

    items: list[Object] = field(default_factory=list)
    resource_version: str = ""

    def __iter__(self) -> Iterator[Object]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Object:
        return self.items[index]


class WatchEvent(NamedTuple):
    """One line of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the object as it then was."""

    type: str
    object: Object


class ObjectClient(Protocol):
    """What controllers need of a cluster. Every method raises `labkit.errors.ApiError` as the API answers it."""

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        """One object; `NotFound` where there is none."""
        ...

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """One object, or ``None``."""
        ...

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ObjectList:
        """The objects of a kind, in one namespace or (``None``) in all."""
        ...

    def create(self, obj: Object, *, dry_run: bool = False, field_validation: str = "") -> Object:
        """A new object; `AlreadyExists` where there is one of that name.

        ``field_validation`` is ``Strict``, ``Warn`` or ``Ignore``: what becomes of fields that the kind has not.
        """
        ...

    def replace(self, obj: Object) -> Object:
        """PUT; `Conflict` if ``metadata.resourceVersion`` is given and no longer the newest."""
        ...

    def replace_status(self, obj: Object) -> Object:
        """PUT on the status subresource: nothing but ``status`` is taken."""
        ...

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        patch: Any,
        patch_type: str = "merge",
        subresource: str = "",
        dry_run: bool = False,
        field_manager: str = "labkit",
    ) -> Object:
        """A patch of type ``merge``, ``json`` or ``strategic``."""
        ...

    def apply(
        self,
        obj: Object,
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Object:
        """Server-side apply; `Conflict` where another manager owns a field and ``force`` is not set."""
        ...

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation_policy: str | None = None,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
    ) -> Object | None:
        """Delete; the object if it lingers (finalizers, grace), else ``None``. `Conflict` if ``uid`` is another's."""
        ...

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        timeout: float | None = None,
    ) -> Iterator[WatchEvent]:
        """Changes from a version on, until ``timeout`` seconds passed or the server ends it; `Gone` if too old."""
        ...
