"""What a cluster has before anybody has used it: its namespaces, its own Service, roles and priorities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import AlreadyExists
from labkit.sandbox.apiserver import bodies
from labkit.sandbox.apiserver.requests import WriteOptions

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def bootstrap(api: Api, port: int) -> None:
    """Create what is missing."""
    from labkit.sandbox.store import Key

    for name in NAMESPACES:
        if api.store.get(Key("namespaces", "", name)) is None:
            _create(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def _create(api: Api, obj: JSON) -> None:
    resource = api.resource(obj["apiVersion"], obj["kind"])
    content = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    options = WriteOptions(field_validation="Ignore", field_manager="kube-apiserver")
    decoded = bodies.canonical(content, resource, options)
    try:
        api.verbs.create(resource, obj["metadata"].get("namespace", ""), decoded, options)
    except AlreadyExists:
        return
