"""The scale subresource: one view of "how many" that looks alike for all workloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import BadRequest
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver import bodies, field_errors, options, problems, wire
from labkit.sandbox.apiserver.field_errors import bad

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api
    from labkit.sandbox.apiserver.handlers import Call
    from labkit.sandbox.apiserver.requests import WriteOptions
    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.apiserver.wire import Response
    from labkit.sandbox.apiserver.writes import Patch

JSON = dict[str, Any]

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


class Scaling:
    """Reads and writes scales."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def answer(self, call: Call) -> Response:
        """GET, PUT or PATCH of an object's scale.  Raises `ApiError`."""
        route = call.route
        if route.verb == "get":
            return wire.respond(self.read(route.resource, route.namespace, route.name), call.form)
        how = options.read_write(call, "UpdateOptions" if route.verb == "update" else "PatchOptions")
        if route.verb == "update":
            content = bodies.parse(call.body, call.media_type, "Scale").value
            bodies.check_part(content, "autoscaling", "Scale", self._api.registry)
            patch = None
        else:
            patch = self._api.writes.read_patch(route.resource, call.media_type, call.body)
            options.check_patch(call, how, patch.type)
            content = {}
        written = self.write(route.resource, route.namespace, route.name, content, patch, how)
        return wire.respond(written, call.form, 200, how.warnings)

    def read(self, resource: Resource, namespace: str, name: str) -> JSON:
        """The scale of an object.  Raises `NotFound`, also for a kind that has no scale."""
        if resource.subresource("scale") is None:
            raise problems.unknown_resource()
        return self._scale(resource, self._api.verbs.get(resource, namespace, name))

    def write(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        content: JSON,
        patch: Patch | None,
        how: WriteOptions,
    ) -> JSON:
        """Set the scale to `content`, or change it by `patch`; return the new scale."""

        def transform(old: JSON) -> JSON:
            scale = self._scale(resource, old)
            wanted = _patched(scale, patch) if patch else content
            self._check(wanted, name)
            version = (wanted.get("metadata") or {}).get("resourceVersion")
            if version and version != old["metadata"]["resourceVersion"]:
                raise problems.modified(resource, name)
            replicas = (wanted.get("spec") or {}).get("replicas") or 0
            _set(old, self._path(resource, "specReplicasPath", "spec.replicas"), replicas)
            return old

        written = self._api.verbs.update(resource, namespace, name, transform, how, subresource="scale")
        return self._scale(resource, written)

    def _check(self, wanted: JSON, name: str) -> None:
        for part, value in (("", wanted), ("metadata", wanted.get("metadata") if isinstance(wanted, dict) else None),
                            ("spec", wanted.get("spec") if isinstance(wanted, dict) else None)):  # fmt: skip
            if not isinstance(value, dict) and not (part and value is None):
                field = f"struct field Scale.{part}" if part else "value"
                raise BadRequest(
                    f"json: cannot unmarshal {bodies.go_name(value)} into Go {field} of type v1.Scale"
                )
        said = (wanted.get("metadata") or {}).get("name") or name
        if said != name:
            raise BadRequest(f"the name of the object ({said}) does not match the name on the URL ({name})")
        replicas = (wanted.get("spec") or {}).get("replicas") or 0
        if type(replicas) is not int:
            what = f"json: cannot unmarshal {bodies.go_name(replicas)} into Go struct field"
            raise BadRequest(f"{what} ScaleSpec.spec.replicas of type int32")
        if replicas < 0:
            error = bad("spec.replicas", replicas, "must be greater than or equal to 0")
            raise field_errors.invalid("autoscaling", "Scale", name, [error])

    def _scale(self, resource: Resource, obj: JSON) -> JSON:
        meta = {key: obj["metadata"][key] for key in _KEPT if key in obj["metadata"]}
        replicas = _get(obj, self._path(resource, "specReplicasPath", "spec.replicas")) or 0
        status: JSON = {
            "replicas": _get(obj, self._path(resource, "statusReplicasPath", "status.replicas")) or 0
        }
        selector = self._selector(resource, obj)
        if selector:
            status["selector"] = selector
        spec = {"replicas": replicas} if replicas else {}
        return {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": meta,
            "spec": spec,
            "status": status,
        }

    def _selector(self, resource: Resource, obj: JSON) -> str:
        if resource.custom is not None:
            path = (resource.custom.scale or {}).get("labelSelectorPath")
            return str(_get(obj, path.lstrip(".")) or "") if path else ""
        selector = obj["spec"].get("selector")
        if resource.name == "replicationcontrollers":
            return ",".join(f"{key}={value}" for key, value in sorted((selector or {}).items()))
        return str(LabelSelector.from_object(selector)) if selector else ""

    def _path(self, resource: Resource, key: str, built_in: str) -> str:
        if resource.custom is None:
            return built_in
        return str((resource.custom.scale or {}).get(key, built_in)).lstrip(".")


def _patched(scale: JSON, patch: Patch) -> JSON:
    from labkit.k8s import patches

    if patch.type == "json":
        return patches.json_patch(scale, patch.content)
    merged: JSON = patches.merge_patch(scale, patch.content)
    return merged


def _get(obj: JSON, path: str) -> Any:
    node: Any = obj
    for step in path.split("."):
        node = node.get(step) if isinstance(node, dict) else None
    return node


def _set(obj: JSON, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    node = obj
    for step in parents:
        node = node.setdefault(step, {})
    node[last] = value
