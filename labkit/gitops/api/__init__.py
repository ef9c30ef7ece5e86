"""Argo CD's own objects: Application, AppProject, ApplicationSet (``argoproj.io/v1alpha1``), under its own names."""

from labkit.gitops.api.application import Application, Destination, Source, SyncPolicy
from labkit.gitops.api.crds import crds, default_project, settings
from labkit.gitops.api.names import API_VERSION, GROUP, IN_CLUSTER, IN_CLUSTER_SERVER, NAMESPACE

__all__ = [
    "API_VERSION",
    "GROUP",
    "IN_CLUSTER",
    "IN_CLUSTER_SERVER",
    "NAMESPACE",
    "Application",
    "Destination",
    "Source",
    "SyncPolicy",
    "crds",
    "default_project",
    "settings",
]
