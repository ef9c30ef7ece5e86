"""The rules that every write passes, wherever it comes from: admission, validation, ownership of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.sandbox.apiserver.validation import check_create, check_update

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.admission import Admission
    from labkit.sandbox.apiserver.field_errors import FieldError
    from labkit.sandbox.apiserver.managed import Managed
    from labkit.sandbox.apiserver.requests import User, WriteOptions
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]


class ServerRules:
    """`verbs.Rules`, as this server has them."""

    def __init__(self, admission: Admission, managed: Managed) -> None:
        self._admission = admission
        self._managed = managed

    def admit_create(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:
        """See `verbs.Rules`."""
        self._admission.create(resource, obj, options)

    def admit_update(
        self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str
    ) -> None:
        """See `verbs.Rules`."""
        self._admission.update(resource, new, old, options, subresource)

    def admit_delete(self, resource: Resource, obj: JSON, user: User) -> None:
        """See `verbs.Rules`."""
        self._admission.delete(resource, obj, user)

    def check_create(self, resource: Resource, obj: JSON) -> list[FieldError]:
        """See `verbs.Rules`."""
        return check_create(resource, obj)

    def check_update(self, resource: Resource, new: JSON, old: JSON, subresource: str) -> list[FieldError]:
        """See `verbs.Rules`."""
        return check_update(resource, new, old, subresource)

    def own_create(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:
        """See `verbs.Rules`."""
        self._managed.created(resource, obj, options)

    def own_update(
        self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str
    ) -> None:
        """See `verbs.Rules`."""
        self._managed.updated(resource, new, old, options, subresource)
