"""Phases, waves and kinds: which task comes before which."""

from __future__ import annotations

from labkit.gitops.api.names import HELM_HOOK_WEIGHT, SYNC_WAVE
from labkit.k8s.objects import Object, annotations_of

PRE_SYNC, SYNC, POST_SYNC, SYNC_FAIL = "PreSync", "Sync", "PostSync", "SyncFail"
PHASES = (PRE_SYNC, SYNC, POST_SYNC, SYNC_FAIL)

KINDS = (
    "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget",
    "ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume",
    "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding",
    "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod",
    "ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob",
    "IngressClass", "Ingress", "APIService",
)  # fmt: skip
"""What others stand on comes first. Every kind that is not listed comes after the last."""


def kind_order(kind: str) -> int:
    """A kind's place: negative for the listed ones, 0 for all others."""
    return KINDS.index(kind) - len(KINDS) if kind in KINDS else 0


def wave(obj: Object) -> int:
    """The object's wave: ``argocd.argoproj.io/sync-wave``, else Helm's hook weight, else 0.

    A wave that is no whole number counts as 0, as in Argo CD; `malformed_wave` tells of it.
    """
    annotations = annotations_of(obj)
    text = annotations.get(SYNC_WAVE, annotations.get(HELM_HOOK_WEIGHT, ""))
    try:
        return int(text)
    except ValueError:
        return 0


def malformed_wave(obj: Object) -> str:
    """The text of a wave that is no whole number: Argo CD ignores it silently, a trainee should know."""
    text = annotations_of(obj).get(SYNC_WAVE, "")
    try:
        int(text or "0")
    except ValueError:
        return text
    return ""
