"""What every object has: a name, labels, finalizers, owners, and the rules for them.

Sources: apimachinery's ``api/validation/objectmeta.go`` and apiserver's ``registry/rest/meta.go``.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import orjson

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, too_long

if TYPE_CHECKING:
    from datetime import datetime

JSON = dict[str, Any]
NameRule = Callable[[str], list[str]]

_STANDARD_FINALIZERS: Final = ("kubernetes", "foregroundDeletion", "orphan")
_RANDOM: Final = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words
_MAX_GENERATED: Final = 63 - 5
_ANNOTATIONS_LIMIT: Final = 256 * 1024
_FIXED: Final = (
    "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip


def timestamp(now: datetime) -> str:
    """RFC 3339 in whole seconds, as ``metav1.Time`` is written."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def fill_on_create(meta: JSON, now: datetime) -> None:
    """Give a new object its uid, its time and, from ``generateName``, its name; drop what only the server sets."""
    for key in (
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "generation",
        "resourceVersion",
    ):
        meta.pop(key, None)
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = timestamp(now)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = generated_name(meta["generateName"])


def generated_name(base: str) -> str:
    """`base` and five random characters."""
    return base[:_MAX_GENERATED] + "".join(random.choices(_RANDOM, k=5))  # noqa: S311 - a name, not a secret


def path_segment(name: str) -> list[str]:
    """The rule for kinds that have no stricter one: the name must fit into a path."""
    if name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{part}'" for part in ("/", "%") if part in name]


def validate(meta: JSON, *, namespaced: bool, name_rule: NameRule, custom: bool = False) -> list[FieldError]:
    """The rules for the metadata of any object; ``custom`` objects may have finalizers of a name without a domain."""
    errors: list[FieldError] = []
    generate, name = meta.get("generateName", ""), meta.get("name", "")
    if generate:
        text = generate.removesuffix("-") + "a" if generate.endswith("-") else generate
        errors += [bad("metadata.generateName", generate, detail) for detail in name_rule(text)]
    if not name:
        errors.append(required("metadata.name", "name or generateName is required"))
    else:
        errors += [bad("metadata.name", name, detail) for detail in name_rule(name)]
    if namespaced:
        namespace = meta.get("namespace", "")
        if not namespace:
            errors.append(required("metadata.namespace"))
        else:
            errors += [bad("metadata.namespace", namespace, text) for text in names.dns1123_label(namespace)]
    elif meta.get("namespace"):
        errors.append(forbidden("metadata.namespace", "not allowed on this type"))
    errors += labels(meta.get("labels") or {}, "metadata.labels")
    errors += _annotations(meta.get("annotations") or {})
    errors += _owner_references(meta.get("ownerReferences") or [])
    errors += _finalizers(meta.get("finalizers") or [], custom=custom)
    return errors


def validate_update(new: JSON, old: JSON) -> list[FieldError]:
    """The rules for a change of the metadata of any object."""
    errors: list[FieldError] = []
    if old.get("deletionTimestamp"):
        added = [name for name in new.get("finalizers") or [] if name not in (old.get("finalizers") or [])]
        if added:
            shown = ", ".join(f'"{name}"' for name in sorted(added))
            text = "no new finalizers can be added if the object is being deleted, found new finalizers "
            text += f"[]string{{{shown}}}"
            errors.append(forbidden("metadata.finalizers", text))
    errors += [
        bad(f"metadata.{key}", new.get(key), "field is immutable")
        for key in _FIXED
        if new.get(key) != old.get(key)
    ]
    errors += labels(new.get("labels") or {}, "metadata.labels")
    errors += _annotations(new.get("annotations") or {})
    errors += _owner_references(new.get("ownerReferences") or [])
    return errors


def labels(values: JSON, path: str) -> list[FieldError]:
    """The rules for a map of labels."""
    errors: list[FieldError] = []
    for key, value in sorted(values.items()):
        errors += [bad(path, key, text) for text in names.label_key(key)]
        errors += [bad(path, value, text) for text in names.label_value(value)]
    return errors


def _annotations(values: JSON) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in sorted(values):
        errors += [bad("metadata.annotations", key, text) for text in names.qualified_name(key.lower())]
    if (
        sum(len(key.encode()) + len(str(value).encode()) for key, value in values.items())
        > _ANNOTATIONS_LIMIT
    ):
        errors.append(too_long("metadata.annotations", _ANNOTATIONS_LIMIT))
    return errors


def _owner_references(references: list[JSON]) -> list[FieldError]:
    errors: list[FieldError] = []
    controllers: list[JSON] = []
    for reference in references:
        errors += _owner_reference(reference)
        if reference.get("controller"):
            controllers.append(reference)
    if len(controllers) > 1:
        first, second = (f"{one.get('kind', '')}/{one.get('name', '')}" for one in controllers[:2])
        text = (
            "Only one reference can have Controller set to true. "
            f'Found "true" in references for {first} and {second}'
        )
        errors.append(bad("metadata.ownerReferences", [_ordered(one) for one in references], text))
    return errors


def _ordered(reference: JSON) -> JSON:
    order = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
    return {key: reference[key] for key in order if key in reference}


def _owner_reference(reference: JSON) -> list[FieldError]:
    path, errors = "metadata.ownerReferences", []
    api_version = reference.get("apiVersion", "")
    group, _, version = api_version.rpartition("/")
    if not version:
        errors.append(bad(f"{path}.apiVersion", api_version, "version must not be empty"))
    missing = [key for key in ("kind", "name", "uid") if not reference.get(key)]
    errors += [bad(f"{path}.{key}", "", "must not be empty") for key in missing]
    if (group, version, reference.get("kind")) == ("", "v1", "Event"):
        errors.append(bad(path, "v1, Kind=Event", "is disallowed from being an owner"))
    return errors


def _finalizers(finalizers: list[str], *, custom: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, name in enumerate(finalizers):
        path = f"metadata.finalizers[{index}]"
        problems = names.qualified_name(name)
        errors += [bad(path, name, text) for text in problems]
        if not custom and not problems and "/" not in name and name not in _STANDARD_FINALIZERS:
            errors.append(
                bad(path, name, "name is neither a standard finalizer name nor is it fully qualified")
            )
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(bad("metadata.finalizers", finalizers, text))
    return errors


def without_times(obj: JSON) -> bytes:
    """The object as bytes to compare two versions by: without its resourceVersion and managedFields' times."""
    meta = {key: value for key, value in obj.get("metadata", {}).items() if key != "resourceVersion"}
    if "managedFields" in meta:
        meta["managedFields"] = [
            {key: value for key, value in entry.items() if key != "time"} for entry in meta["managedFields"]
        ]
    return orjson.dumps({**obj, "metadata": meta}, option=orjson.OPT_SORT_KEYS)
