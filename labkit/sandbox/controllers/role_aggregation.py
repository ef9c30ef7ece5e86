"""ClusterRoles that are the sum of others: their rules follow those that their selectors mean.

Source: pkg/controller/clusterroleaggregation in Kubernetes 1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import NotFound
from labkit.k8s.objects import Object, get_path, labels_of, name_of
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.controllers.plane import ControlPlane, Key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

API = "rbac.authorization.k8s.io/v1"


class RoleAggregation:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._client = plane.client_of("clusterrole-aggregation-controller")
        self._roles = plane.informer(API, "ClusterRole")
        plane.controller("ClusterRoleAggregation", self.reconcile).watch(self._roles, self._sums)

    def reconcile(self, key: Key) -> None:
        """Write the sum if it changed."""
        role = self._roles.get(*key)
        selectors = _selectors(role) if role is not None else []
        if role is None or not selectors:
            return
        parts = [
            one
            for one in self._roles.list()
            if name_of(one) != key.name and any(s.matches(labels_of(one)) for s in selectors)
        ]
        rules: list[Any] = []
        for part in sorted(parts, key=name_of):
            rules += [rule for rule in part.get("rules") or [] if rule not in rules]
        if rules == (role.get("rules") or []):
            return
        try:
            self._client.patch(
                API,
                "ClusterRole",
                key.name,
                patch={"rules": rules},
                field_manager="clusterrole-aggregation-controller",
            )
        except NotFound:
            return

    def _sums(self, _role: Object) -> Iterable[Key]:
        """Every role that is a sum: which of them a change concerns would take as long to find out."""
        return [key_of(role) for role in self._roles.list() if _selectors(role)]


def _selectors(role: Object) -> list[LabelSelector]:
    said = get_path(role, "aggregationRule", "clusterRoleSelectors", default=[]) or []
    return [LabelSelector.from_object(one) for one in said]
