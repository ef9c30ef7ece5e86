"""A simulated node: the Node object, its heartbeat and its lease, and what it has to offer."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from labkit.errors import AlreadyExists, NotFound
from labkit.k8s.objects import Object, annotations_of, get_path, name_of, uid_of
from labkit.runtime.recorder import timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.sandbox.client import LocalClient
    from labkit.sandbox.images.catalogue import Image

SIMULATED = "sandbox.gitops-lab/kubelet"
"""The annotation of nodes that this kubelet plays, with the value ``simulated``; people may set it on their own.

``stopped`` makes their kubelet silent, as if it had ended: see `labkit.sandbox.controllers.node_health`.
"""

VERSION = "v1.36.2"
CAPACITY = {"cpu": "4", "ephemeral-storage": "50Gi", "hugepages-2Mi": "0", "memory": "8Gi", "pods": "110"}
LEASES = "kube-node-lease"
_UNHEARD = "NodeStatusUnknown"
"""The reason of conditions that the control plane set because the kubelet was silent."""
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def is_simulated(node: Object) -> bool:
    """Whether the node is ours."""
    return annotations_of(node).get(SIMULATED) == "simulated"


def is_given_up(node: Object) -> bool:
    """Whether the control plane believes that the kubelet is gone."""
    return any(c.get("reason") == _UNHEARD for c in get_path(node, "status", "conditions", default=[]))


def new_node(name: str) -> Object:
    """The object that a kubelet registers."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": "lab",
        "topology.kubernetes.io/zone": f"lab-{'abc'[number_of(name) % 3]}",
    }
    number = number_of(name)
    spec = {
        "podCIDR": f"10.244.{number}.0/24",
        "podCIDRs": [f"10.244.{number}.0/24"],
        "providerID": f"sandbox://{name}",
    }
    meta = {"name": name, "labels": labels, "annotations": {SIMULATED: "simulated"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec}


def number_of(name: str) -> int:
    """A number for a node, from the digits that its name ends in; 0 to 255."""
    digits = name[len(name.rstrip("0123456789")) :]
    if digits:
        return (int(digits) - 1) % 256
    return hashlib.sha256(name.encode()).digest()[0]


def address_of(name: str) -> str:
    """The node's own address."""
    return f"172.18.0.{2 + number_of(name) % 250}"


def report(client: LocalClient, node: Object, now: datetime, images: list[Image]) -> None:
    """Write the node's status as the kubelet sees it. Who set Ready to something else by hand is left to it."""
    stamp, old = timestamp(now), node.get("status") or {}
    there = {c["type"]: c for c in old.get("conditions") or []}
    conditions = []
    for kind, state, reason, message in _CONDITIONS:
        before = there.pop(kind, None)
        if before is not None and before.get("reason") not in (reason, None, _UNHEARD):
            conditions.append(before)  # a lesson has set it
            continue
        since = before["lastTransitionTime"] if before and before["status"] == state else stamp
        made = {"type": kind, "status": state, "reason": reason, "message": message}
        conditions.append(made | {"lastHeartbeatTime": stamp, "lastTransitionTime": since})
    name = name_of(node)
    status: Object = {
        "addresses": [
            {"type": "InternalIP", "address": address_of(name)},
            {"type": "Hostname", "address": name},
        ],
        "allocatable": old.get("allocatable") or CAPACITY,
        "capacity": old.get("capacity") or CAPACITY,
        "conditions": conditions + list(there.values()),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [{"names": [image.name.id, str(image.name)], "sizeBytes": image.size} for image in images],
        "nodeInfo": _info(name),
    }
    if not images:
        del status["images"]
    client.replace_status({**node, "status": status})


def renew_lease(client: LocalClient, node: Object, now: datetime) -> None:
    """Tell that the node is alive."""
    name, moment = name_of(node), now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    try:
        client.patch(
            "coordination.k8s.io/v1",
            "Lease",
            name,
            LEASES,
            patch={"spec": {"renewTime": moment}},
            field_manager="kubelet",
        )
    except NotFound:
        owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid_of(node)}
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": LEASES, "ownerReferences": [owner]},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": moment},
        }
        try:
            client.create(lease)
        except (AlreadyExists, NotFound):
            return


def _info(name: str) -> Object:
    return {
        "architecture": "amd64",
        "bootID": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"boot.{name}")),
        "containerRuntimeVersion": "simulated://1.0",
        "kernelVersion": "6.12.0-simulated",
        "kubeProxyVersion": "",
        "kubeletVersion": VERSION,
        "machineID": uuid.uuid5(uuid.NAMESPACE_DNS, f"machine.{name}").hex,
        "operatingSystem": "linux",
        "osImage": "GitOps Lab sandbox (simulated)",
        "systemUUID": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"system.{name}")),
    }
