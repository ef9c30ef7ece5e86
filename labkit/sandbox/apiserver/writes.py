"""PUT and PATCH: from what a client sends to the object that is to be there.

A patch is applied to the object as it is; the result is decoded like a body, so that a patch can do no more than a
PUT can.  An apply merges what one manager says with what others own, and creates what is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import ApiError, BadRequest, NotFound, TooLarge, UnsupportedMediaType
from labkit.sandbox.apiserver import bodies, field_errors, problems
from labkit.sandbox.apiserver.codec import WrongType
from labkit.sandbox.apiserver.field_errors import FieldError
from labkit.sandbox.apiserver.verbs import CREATED_BY_UPDATE, Verbs

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.managed import Managed
    from labkit.sandbox.apiserver.requests import WriteOptions
    from labkit.sandbox.apiserver.resources import Registry, Resource

JSON = dict[str, Any]

PATCH_TYPES: Final = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch: its type (json, merge, strategic, apply) and what it says."""

    type: str
    content: Any
    duplicates: tuple[str, ...] = ()
    text: str = ""


class Writes:
    """Changes of objects that exist, and applies."""

    def __init__(self, verbs: Verbs, registry: Registry, managed: Managed) -> None:
        self._verbs = verbs
        self._registry = registry
        self._managed = managed

    def put(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        obj: JSON,
        how: WriteOptions,
        subresource: str = "",
    ) -> tuple[JSON, bool]:
        """Replace the object by a decoded one; return what is written, and whether it was created."""
        meta = obj.setdefault("metadata", {})
        _require_name(meta, name)
        try:
            written = self._verbs.update(
                resource, namespace, name, lambda _: obj, how, subresource=subresource
            )
        except NotFound:
            if resource.name not in CREATED_BY_UPDATE or subresource or meta.get("resourceVersion"):
                raise
            meta.setdefault("name", name)
            return self._verbs.create(resource, namespace, obj, how), True
        return written, False

    def read_patch(self, resource: Resource, media_type: str, body: bytes) -> Patch:
        """The patch in a body.  Raises `UnsupportedMediaType` or `BadRequest`."""
        kind = PATCH_TYPES.get(media_type)
        if kind is None:
            raise problems.generic(UnsupportedMediaType("415: Unsupported Media Type"))
        if kind == "strategic" and resource.custom is not None:
            taken = [name for name, one in PATCH_TYPES.items() if one != "strategic"]
            raise UnsupportedMediaType(
                f"the body of the request was in an unknown format - accepted media types include: {', '.join(taken)}"
            )
        if len(body) > bodies.MAX_BODY:
            raise TooLarge(f"limit is {bodies.MAX_BODY}")
        if kind == "apply":
            parsed = bodies.parse_yaml(body)
            return Patch(kind, parsed.value, tuple(parsed.duplicates))
        text = body.decode(errors="replace")
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            problem = bodies.json_problem(body, error)
            raise BadRequest(f"error decoding patch: {problem}") from error
        if kind == "merge" and content is None:
            raise BadRequest("Invalid JSON Patch")
        if kind != "json" and not isinstance(content, dict):
            what = bodies.go_name(content)
            raise BadRequest(
                f"error decoding patch: json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
            )
        return Patch(kind, content, (), text)

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Patch,
        how: WriteOptions,
        subresource: str = "",
    ) -> tuple[JSON, bool]:
        """Change the object; return it as written, and whether it was created (an apply can)."""
        if patch.type == "apply":
            return self._apply(resource, namespace, name, patch, how, subresource)

        def transform(old: JSON) -> JSON:
            seen = resource.conversion.from_storage(old) if resource.conversion else old
            before = {"kind": resource.kind, "apiVersion": resource.api_version, **seen}
            new = self._decoded(resource, self._patched(resource, before, patch), patch, how)
            _require_name(new.get("metadata") or {}, name)
            return new

        return self._verbs.update(resource, namespace, name, transform, how, subresource=subresource), False

    def _patched(self, resource: Resource, before: JSON, patch: Patch) -> JSON:
        from labkit.k8s import patches

        if patch.type == "json":
            return patches.json_patch(before, patch.content)
        if patch.type == "merge":
            changed: JSON = patches.merge_patch(before, patch.content)
            return changed
        merged: JSON = patches.strategic_merge_patch(before, patch.content, resource.model.schema)
        return merged

    def _decoded(self, resource: Resource, patched: Any, patch: Patch, how: WriteOptions) -> JSON:
        """The patched object as a body would be decoded, with a patch's own words for what is wrong."""
        if not isinstance(patched, dict):
            shape = bodies.go_name(patched)
            raise _invalid_patch(
                patch,
                f"json: cannot unmarshal {shape} into Go value of type {resource.version}.{resource.kind}",
            )
        api_version, kind = patched.pop("apiVersion", ""), patched.pop("kind", "")
        try:
            bodies.check_kind(
                api_version or resource.api_version, kind or resource.kind, resource, self._registry
            )
            decoded, odd = bodies.decode_stored(resource, patched)
        except WrongType as error:
            raise _invalid_patch(patch, str(error)) from error
        except bodies.WrongKind as error:
            raise _invalid_patch(patch, error.cause) from error
        if how.field_validation != "Ignore" and odd.unknown:
            complaints = [f'unknown field "{path}"' for path in odd.unknown]
            if how.field_validation == "Strict":
                raise _invalid_patch(patch, f"strict decoding error: {', '.join(complaints)}")
            how.warnings.extend(complaints)
        return decoded

    # ── server-side apply ─────────────────────────────────────────────────────

    def _apply(
        self, resource: Resource, namespace: str, name: str, patch: Patch, how: WriteOptions, subresource: str
    ) -> tuple[JSON, bool]:
        config = self._apply_config(resource, patch, name, namespace)
        if resource.conversion is not None and resource.stored is not None:
            resource, config = resource.stored, _converted(resource, config)
        try:
            self._verbs.entry(resource, namespace, name)
        except NotFound:
            if subresource:
                raise
            made = self._managed.apply(resource, None, config, how, subresource)
            obj = bodies.canonical(made, resource, how)
            obj["metadata"].setdefault("name", name)
            return self._verbs.create(resource, namespace, obj, how), True

        def transform(old: JSON) -> JSON:
            merged = self._managed.apply(resource, old, config, how, subresource)
            return bodies.canonical(merged, resource, how)

        written = self._verbs.update(
            resource, namespace, name, transform, how, subresource=subresource, owned=True
        )
        return written, False

    def _apply_config(self, resource: Resource, patch: Patch, name: str, namespace: str) -> JSON:
        config = patch.content
        if not isinstance(config, dict):
            raise BadRequest(
                "error decoding YAML: json: cannot unmarshal into Go value of type map[string]interface {}"
            )
        meta = config.get("metadata") or {}
        if not isinstance(meta, dict):
            raise BadRequest("metadata must be an object")
        if meta.get("managedFields"):
            raise BadRequest("metadata.managedFields must be nil")
        api_version, kind = config.get("apiVersion") or "", config.get("kind") or ""
        if (api_version, kind) != (resource.api_version, resource.kind):
            raise BadRequest(f"invalid object type: {api_version or '/'}, Kind={kind}")
        if meta.get("name", name) != name:
            text = f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
            raise BadRequest(text)
        if resource.namespaced and meta.get("namespace", namespace) != namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        return config


def _require_name(meta: JSON, name: str) -> None:
    if not meta.get("name"):
        raise BadRequest(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )


def _converted(resource: Resource, config: JSON) -> JSON:
    """What is applied in one version, in the stored one."""
    assert resource.conversion is not None  # noqa: S101 - asked for those alone
    assert resource.stored is not None  # noqa: S101 - asked for those alone
    kept = {
        key: value
        for key, value in resource.conversion.to_storage(config).items()
        if value or key != "status"
    }
    return {**kept, "apiVersion": resource.stored.api_version, "kind": resource.stored.kind}


def _invalid_patch(patch: Patch, problem: str) -> ApiError:
    shown = patch.text if patch.type == "json" else json.dumps(patch.content, separators=(",", ":"))
    error = FieldError("patch", "FieldValueInvalid", f"Invalid value: {json.dumps(shown)}: {problem}")
    return field_errors.invalid("", "", "", [error])
