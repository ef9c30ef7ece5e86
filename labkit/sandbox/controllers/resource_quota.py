"""ResourceQuota: how much is used, written where ``kubectl describe quota`` shows it.

The API server refuses what exceeds a quota by counting itself; this status is for people. It is counted anew when a
thing that the quota limits comes, goes or changes.

Source: pkg/controller/resourcequota in Kubernetes 1.36.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from labkit.errors import NotFound
from labkit.k8s import quota as counting
from labkit.k8s.objects import Object, get_path, namespace_of
from labkit.sandbox.controllers.plane import ControlPlane, Key, key_of, own_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.apiserver.resources import Resource


class ResourceQuotas:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._client = plane.client_of("resourcequota-controller")
        self._quotas = plane.informer("v1", "ResourceQuota")
        self._controller = plane.controller("ResourceQuota", self.reconcile)
        self._controller.watch(self._quotas, own_key)
        self.stop: Callable[[], None] = self._client.subscribe_all(self._changed)

    def reconcile(self, key: Key) -> None:
        """Count, and write the status."""
        quota = self._quotas.get(*key)
        if quota is None:
            return
        hard = get_path(quota, "spec", "hard", default={})
        used = dict.fromkeys(hard, Decimal(0))
        for resource in self._limited(hard):
            for obj in self._client.list(resource.api_version, resource.kind, key.namespace).items:
                if counting.means(quota, resource.storage, obj):
                    for name, amount in counting.usage(resource.storage, obj).items():
                        if name in used:
                            used[name] += amount
        status = {"hard": hard, "used": {name: counting.text(used[name], hard[name]) for name in hard}}
        if status == (quota.get("status") or {}):
            return
        try:
            self._client.replace_status({**quota, "status": status})
        except NotFound:
            return

    def _limited(self, hard: Object) -> list[Resource]:
        """The kinds that the quota's names are about."""
        found: dict[str, Resource] = {}
        for resource in self._client.kinds():
            storage = resource.storage if resource.namespaced else ""
            if storage and any(counting.concerns(name, storage) for name in hard):
                found.setdefault(storage, resource)
        return list(found.values())

    def _changed(self, resource: Resource, _event: str, obj: Object, _old: Object | None) -> None:
        """Look again at the quotas that this may be about."""
        namespace = namespace_of(obj)
        for quota in self._quotas.list(namespace) if namespace else ():
            hard = get_path(quota, "spec", "hard", default={})
            if any(counting.concerns(name, resource.storage) for name in hard):
                self._controller.enqueue(key_of(quota))
