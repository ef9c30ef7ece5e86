"""One `Cluster` for whatever a kubeconfig names, and the three kinds of cluster that a lab can have.

The rest of the lab must not care whether a cluster is the simulated one on this laptop, kind in Docker, or one in
a data centre: they all speak the same API, and everybody above uses the same `Cluster`. How a cluster comes to
be is a *provider's* business, and nobody else's; only ``providers/sandbox.py`` knows the sandbox.
"""

from __future__ import annotations

from labkit.cluster.client import Cluster
from labkit.cluster.discovery import ApiResource
from labkit.cluster.entries import merge_entries, remove_entries
from labkit.cluster.kubeconfig import Kubeconfig
from labkit.cluster.pods import ProxyResponse
from labkit.cluster.providers import ClusterState, Provider, provider
from labkit.cluster.watch import Watch

__all__ = [
    "ApiResource",
    "Cluster",
    "ClusterState",
    "Kubeconfig",
    "Provider",
    "ProxyResponse",
    "Watch",
    "merge_entries",
    "provider",
    "remove_entries",
]
