"""ReplicationController: the ReplicaSet of old, which selects by a plain map of labels.

Source: pkg/controller/replication in Kubernetes, which wraps the ReplicaSet's controller likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.controllers.replica_set import ReplicaSets

if TYPE_CHECKING:
    from labkit.k8s.objects import Object


class ReplicationControllers(ReplicaSets):
    """The controller."""

    api_version, kind, component = "v1", "ReplicationController", "replication-controller"

    def selector(self, rs: Object) -> LabelSelector:
        """Which pods it means."""
        return LabelSelector.from_object({"matchLabels": rs["spec"].get("selector") or {}})

    def _terminating(self, mine: list[Object]) -> Object:  # noqa: ARG002 - it has no such field
        return {}
