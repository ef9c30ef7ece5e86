"""All controllers of a cluster, at work on one event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.runtime.loop import LoopHost
from labkit.sandbox.controllers.cron_job import CronJobs
from labkit.sandbox.controllers.daemon_set import DaemonSets
from labkit.sandbox.controllers.deployment import Deployments
from labkit.sandbox.controllers.disruption import DisruptionBudgets
from labkit.sandbox.controllers.endpoints import Endpoints
from labkit.sandbox.controllers.finished_jobs import FinishedJobs
from labkit.sandbox.controllers.garbage import Garbage
from labkit.sandbox.controllers.horizontal_autoscaler import HorizontalAutoscalers
from labkit.sandbox.controllers.job import Jobs
from labkit.sandbox.controllers.namespace import Namespaces
from labkit.sandbox.controllers.node_health import NodeHealth
from labkit.sandbox.controllers.nodes import NodePods, NodeTaints
from labkit.sandbox.controllers.plane import ControlPlane
from labkit.sandbox.controllers.replica_set import ReplicaSets
from labkit.sandbox.controllers.replication_controller import ReplicationControllers
from labkit.sandbox.controllers.resource_quota import ResourceQuotas
from labkit.sandbox.controllers.role_aggregation import RoleAggregation
from labkit.sandbox.controllers.scheduler import Scheduler
from labkit.sandbox.controllers.service_accounts import NamespaceContents
from labkit.sandbox.controllers.stateful_set import StatefulSets
from labkit.sandbox.controllers.storage_protection import StorageProtection
from labkit.sandbox.controllers.volumes import Volumes

if TYPE_CHECKING:
    import asyncio

    from labkit.runtime.clock import Clock
    from labkit.sandbox.client import LocalClient

_SIMPLE = (
    NamespaceContents,
    Scheduler,
    NodeHealth,
    NodeTaints,
    NodePods,
    ReplicaSets,
    Deployments,
    ReplicationControllers,
    StatefulSets,
    DaemonSets,
    Jobs,
    CronJobs,
    DisruptionBudgets,
    HorizontalAutoscalers,
    Volumes,
    StorageProtection,
    FinishedJobs,
    Endpoints,
    RoleAggregation,
)


class Controllers:
    """Starts them; `stop` ends them and leaves no timer."""

    def __init__(self, client: LocalClient, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self.host = LoopHost(loop, clock)
        self._plane = ControlPlane(client, clock, self.host)
        for controller in _SIMPLE:
            controller(self._plane)
        self._ends = [
            Namespaces(self._plane).stop,
            ResourceQuotas(self._plane).stop,
            Garbage(
                client.as_user("system:serviceaccount:kube-system:generic-garbage-collector"),
                clock,
                self.host,
            ).stop,
            self._plane.informers.stop,
            self.host.stop,
        ]

    def stop(self) -> None:
        """End all work."""
        while self._ends:
            self._ends.pop()()
