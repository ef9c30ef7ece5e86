"""Which fields a path of the API does not write, so that nobody comes to own them through it.

``/status`` does not write the spec, the object's own path does not write the status.

Source: ``GetResetFields`` of the strategies in Kubernetes 1.36's ``pkg/registry`` and apiextensions-apiserver.
"""

from __future__ import annotations

from typing import Final

from labkit.k8s.structured.elements import field
from labkit.k8s.structured.field_set import FieldSet

_STATUS: Final = ("status",)
_SPEC: Final = ("spec",)

# (group, kind) → what the status path leaves alone, where that is not just the spec.
_ON_STATUS: Final[dict[tuple[str, str], tuple[tuple[str, ...], ...]]] = {
    ("", "Pod"): (_SPEC, ("metadata", "deletionTimestamp"), ("metadata", "ownerReferences")),
    ("apps", "Deployment"): (_SPEC, ("metadata", "labels")),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (_SPEC, ("metadata",)),
}


def reset_fields(
    group: str, kind: str, subresource: str = "", *, has_status: bool = True, custom: bool = False
) -> FieldSet:
    """What a write through that path may not change.

    `has_status`: the kind has a status subresource.  `custom`: it comes from a CustomResourceDefinition.
    """
    if subresource == "status":
        paths = (_SPEC, ("metadata",)) if custom else _ON_STATUS.get((group, kind), (_SPEC,))
    else:
        paths = (_STATUS,) if has_status else ()
    return FieldSet.of(*(tuple(field(name) for name in path) for path in paths))
