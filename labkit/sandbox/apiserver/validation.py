"""What is wrong with an object."""

from __future__ import annotations

from typing import Any

from labkit.sandbox.apiserver import object_meta
from labkit.sandbox.apiserver.field_errors import FieldError
from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]


def check_create(resource: Resource, obj: JSON) -> list[FieldError]:
    """The errors of a new object."""
    return object_meta.validate(
        obj["metadata"],
        namespaced=resource.namespaced,
        name_rule=object_meta.path_segment,
        custom=resource.custom is not None,
    )


def check_update(resource: Resource, new: JSON, old: JSON, subresource: str) -> list[FieldError]:  # noqa: ARG001
    """The errors of a change."""
    return object_meta.validate_update(new["metadata"], old["metadata"])
