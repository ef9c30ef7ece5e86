"""Each kind's columns in ``kubectl get``, as a table.

A row says: the column's name, then where its value comes from: a dotted path (``spec.type``) or a function of the
object.  Columns after ``WIDE`` are shown with ``-o wide``.  Every table begins with Name and, unless it says so
itself, ends its narrow part with Age.

Source: Kubernetes 1.36, pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver.cells import cluster, columns, jobs, network, pods, times, values

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]
Cell = Callable[[JSON, datetime], Any]
Row = tuple[str, str | Callable[[JSON], Any] | Callable[[JSON, datetime], Any]]

WIDE: Final[Row] = ("", "")
AGE: Final[Row] = ("Age", "")

_CONTAINERS: Final[tuple[Row, ...]] = (
    ("Containers", values.template_containers),
    ("Images", values.template_images),
)

COLUMNS: Final[dict[str, tuple[Row, ...]]] = {
    "pods": (
        ("Ready", pods.pod_ready), ("Status", pods.pod_status), ("Restarts", pods.pod_restarts), AGE, WIDE,
        ("IP", pods.pod_ip), ("Node", "spec.nodeName"), ("Nominated Node", "status.nominatedNodeName"),
        ("Readiness Gates", pods.pod_gates),
    ),
    "podtemplates": (
        ("Containers", lambda o: values.containers(o["template"]["spec"])),
        ("Images", lambda o: values.images(o["template"]["spec"])),
        ("Pod Labels", lambda o: values.labels(o["template"]["metadata"].get("labels"))),
    ),
    "replicationcontrollers": (
        ("Desired", values.number("spec.replicas")), ("Current", values.number("status.replicas")),
        ("Ready", values.number("status.readyReplicas")), AGE, WIDE, *_CONTAINERS,
        ("Selector", lambda o: values.labels(o["spec"].get("selector"))),
    ),
    "replicasets.apps": (
        ("Desired", values.number("spec.replicas")), ("Current", values.number("status.replicas")),
        ("Ready", values.number("status.readyReplicas")), AGE, WIDE,
        *_CONTAINERS, ("Selector", values.selector),
    ),
    "deployments.apps": (
        ("Ready", values.ready_of("status.readyReplicas", "spec.replicas")),
        ("Up-to-date", values.number("status.updatedReplicas")),
        ("Available", values.number("status.availableReplicas")), AGE, WIDE,
        *_CONTAINERS, ("Selector", values.selector),
    ),
    "statefulsets.apps": (
        ("Ready", values.ready_of("status.readyReplicas", "spec.replicas")), AGE, WIDE, *_CONTAINERS,
    ),
    "daemonsets.apps": (
        ("Desired", values.number("status.desiredNumberScheduled")),
        ("Current", values.number("status.currentNumberScheduled")),
        ("Ready", values.number("status.numberReady")),
        ("Up-to-date", values.number("status.updatedNumberScheduled")),
        ("Available", values.number("status.numberAvailable")),
        ("Node Selector", lambda o: values.labels(o["spec"]["template"]["spec"].get("nodeSelector"))), AGE,
        WIDE,
        *_CONTAINERS, ("Selector", values.selector),
    ),
    "controllerrevisions.apps": (
        ("Controller", values.controller), ("Revision", values.number("revision")),
    ),
    "jobs.batch": (
        ("Status", jobs.job_status), ("Completions", jobs.job_completions),
        ("Duration", jobs.job_duration), AGE,
        WIDE, *_CONTAINERS, ("Selector", values.selector),
    ),
    "cronjobs.batch": (
        ("Schedule", "spec.schedule"), ("Timezone", "spec.timeZone"),
        ("Suspend", values.boolean("spec.suspend")),
        ("Active", lambda o: len((o.get("status") or {}).get("active") or ())),
        ("Last Schedule", times.ago("status.lastScheduleTime")), AGE, WIDE,
        ("Containers", lambda o: values.containers(o["spec"]["jobTemplate"]["spec"]["template"]["spec"])),
        ("Images", lambda o: values.images(o["spec"]["jobTemplate"]["spec"]["template"]["spec"])),
        ("Selector", lambda o: values.selector({"spec": o["spec"]["jobTemplate"]["spec"]})),
    ),
    "services": (
        ("Type", "spec.type"), ("Cluster-IP", network.cluster_ip), ("External-IP", network.external_ip),
        ("Port(s)", network.service_ports), AGE, WIDE,
        ("Selector", lambda o: values.labels(o["spec"].get("selector"))),
    ),
    "endpoints": (("Endpoints", network.endpoints),),
    "endpointslices.discovery.k8s.io": (
        ("AddressType", "addressType"), ("Ports", network.slice_ports),
        ("Endpoints", network.slice_addresses),
    ),
    "ingresses.networking.k8s.io": (
        ("Class", "spec.ingressClassName"), ("Hosts", network.ingress_hosts), ("Address", network.balancer),
        ("Ports", lambda o: "80, 443" if o["spec"].get("tls") else "80"),
    ),
    "ingressclasses.networking.k8s.io": (
        ("Controller", "spec.controller"), ("Parameters", network.class_parameters),
    ),
    "networkpolicies.networking.k8s.io": (
        ("Pod-Selector", lambda o: values.selector_text(o["spec"].get("podSelector"))),
    ),
    "namespaces": (("Status", "status.phase"),),
    "nodes": (
        ("Status", cluster.node_status), ("Roles", cluster.node_roles), AGE,
        ("Version", "status.nodeInfo.kubeletVersion"),
        WIDE, ("Internal-IP", cluster.node_address("InternalIP")), ("External-IP", cluster.node_address("ExternalIP")),
        ("OS-Image", values.or_unknown("status.nodeInfo.osImage")),
        ("Kernel-Version", values.or_unknown("status.nodeInfo.kernelVersion")),
        ("Container-Runtime", values.or_unknown("status.nodeInfo.containerRuntimeVersion")),
    ),
    "configmaps": (("Data", lambda o: len(o.get("data") or ()) + len(o.get("binaryData") or ())),),
    "secrets": (("Type", "type"), ("Data", lambda o: len(o.get("data") or ()))),
    "serviceaccounts": (("Secrets", lambda o: len(o.get("secrets") or ())),),
    "resourcequotas": (
        ("Request", cluster.quota("requests")), ("Limit", cluster.quota("limits")), AGE,
    ),
    "limitranges": (("Created At", "metadata.creationTimestamp"), WIDE),
    "persistentvolumes": (
        ("Capacity", "spec.capacity.storage"), ("Access Modes", lambda o: cluster.access_modes(o["spec"])),
        ("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"), ("Status", cluster.volume_status),
        ("Claim", cluster.volume_claim), ("StorageClass", "spec.storageClassName"),
        ("VolumeAttributesClass", values.or_unset("spec.volumeAttributesClassName")),
        ("Reason", "status.reason"), AGE,
        WIDE, ("VolumeMode", values.or_unset("spec.volumeMode")),
    ),
    "persistentvolumeclaims": (
        ("Status", cluster.volume_status), ("Volume", "spec.volumeName"),
        ("Capacity", cluster.claim_capacity),
        ("Access Modes", cluster.claim_modes), ("StorageClass", "spec.storageClassName"),
        ("VolumeAttributesClass", values.or_unset("spec.volumeAttributesClassName")), AGE, WIDE,
        ("VolumeMode", values.or_unset("spec.volumeMode")),
    ),
    "storageclasses.storage.k8s.io": (
        ("Provisioner", "provisioner"), ("ReclaimPolicy", "reclaimPolicy"),
        ("VolumeBindingMode", "volumeBindingMode"),
        ("AllowVolumeExpansion", values.boolean("allowVolumeExpansion", "false")),
    ),
    "csinodes.storage.k8s.io": (("Drivers", lambda o: len(o["spec"].get("drivers") or ())),),
    "horizontalpodautoscalers.autoscaling": (
        ("Reference", lambda o: "{kind}/{name}".format(**o["spec"]["scaleTargetRef"])),
        ("Targets", cluster.autoscaler_targets), ("MinPods", cluster.autoscaler_minimum),
        ("MaxPods", values.number("spec.maxReplicas")), ("Replicas", values.number("status.currentReplicas")),
    ),
    "poddisruptionbudgets.policy": (
        ("Min Available", values.or_na("spec.minAvailable")),
        ("Max Unavailable", values.or_na("spec.maxUnavailable")),
        ("Allowed Disruptions", values.number("status.disruptionsAllowed")),
    ),
    "roles.rbac.authorization.k8s.io": (("Created At", "metadata.creationTimestamp"), WIDE),
    "clusterroles.rbac.authorization.k8s.io": (("Created At", "metadata.creationTimestamp"), WIDE),
    "rolebindings.rbac.authorization.k8s.io": (
        ("Role", cluster.role), AGE, WIDE, ("Users", cluster.subjects("User")),
        ("Groups", cluster.subjects("Group")),
        ("ServiceAccounts", cluster.subjects("ServiceAccount")),
    ),
    "clusterrolebindings.rbac.authorization.k8s.io": (
        ("Role", cluster.role), AGE, WIDE, ("Users", cluster.subjects("User")),
        ("Groups", cluster.subjects("Group")),
        ("ServiceAccounts", cluster.subjects("ServiceAccount")),
    ),
    "priorityclasses.scheduling.k8s.io": (
        ("Value", values.number("value")), ("Global-Default", lambda o: bool(o.get("globalDefault"))), AGE,
        ("PreemptionPolicy", "preemptionPolicy"),
    ),
    "leases.coordination.k8s.io": (("Holder", "spec.holderIdentity"),),
    "customresourcedefinitions.apiextensions.k8s.io": (("Created At", "metadata.creationTimestamp"), WIDE),
    "nodes.metrics.k8s.io": (
        ("cpu", "usage.cpu"), ("memory", "usage.memory"), ("Window", "window"), WIDE,
    ),
    "pods.metrics.k8s.io": (
        ("cpu", cluster.pod_usage("cpu")), ("memory", cluster.pod_usage("memory")), ("Window", "window"), WIDE,
    ),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": (
        ("Webhooks", lambda o: len(o.get("webhooks") or ())),
    ),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": (
        ("Webhooks", lambda o: len(o.get("webhooks") or ())),
    ),
}  # fmt: skip

# Kinds whose table does not begin with the name.
EVENT_COLUMNS: Final[tuple[Row, ...]] = (
    ("Last Seen", cluster.event_last_seen), ("Type", "type"),
        ("Reason", "reason"), ("Object", cluster.event_object), WIDE,
    ("Subobject", "involvedObject.fieldPath"), ("Source", cluster.event_source),
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column: its name and how a cell is made of an object at a time."""

    name: str
    cell: Cell
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""

    def definition(self) -> JSON:
        """The ``TableColumnDefinition``."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


_NAME: Final = Column(
    "Name",
    lambda obj, _: obj["metadata"]["name"],
    format="name",
    description="Name must be unique within a namespace.",
)


def columns_of(resource: Resource) -> list[Column]:
    """The kind's columns."""
    if resource.custom is not None and resource.name not in COLUMNS:
        return [_NAME, *_custom(resource.custom.columns)]
    if resource.plural == "events":
        wide = [
            _simple(name, cell, 1)
            for name, cell in (("First Seen", cluster.event_first_seen), ("Count", cluster.event_count))
        ]
        name = Column("Name", _NAME.cell, format="name", priority=1)
        found = _columns(EVENT_COLUMNS)
        message = _simple("Message", lambda o: (o.get("message") or o.get("note") or "").strip(), 0)
        return [*found[:4], *found[4:], message, *wide, name]
    rows = COLUMNS.get(resource.name, ())
    if AGE not in rows and WIDE not in rows:
        rows = (*rows, AGE)
    return [_NAME, *_columns(rows)]


def _columns(rows: tuple[Row, ...]) -> list[Column]:
    found, priority = [], 0
    for row in rows:
        if row == WIDE:
            priority = 1
        elif row == AGE:
            found.append(
                Column(
                    "Age",
                    lambda obj, now: times.age(obj["metadata"].get("creationTimestamp"), now),
                    priority=priority,
                )
            )
        else:
            found.append(_simple(row[0], row[1], priority))
    return found


def _simple(name: str, source: Any, priority: int) -> Column:
    if isinstance(source, str):
        return Column(name, lambda obj, _: values.text(obj, source), priority=priority)
    if getattr(source, "timed", False):
        return Column(name, source, priority=priority)
    return Column(name, lambda obj, _: source(obj), priority=priority)


def _custom(said: list[JSON]) -> list[Column]:
    if not said:
        return [
            Column(
                "Age", lambda obj, now: times.age(obj["metadata"].get("creationTimestamp"), now), type="date"
            )
        ]
    return [
        Column(
            one["name"],
            columns.json_path(one["jsonPath"], one["type"]),
            type=one["type"],
            format=one.get("format", ""),
            priority=one.get("priority", 0),
            description=one.get("description", ""),
        )
        for one in said
    ]
