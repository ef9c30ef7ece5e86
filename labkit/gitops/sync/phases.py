"""Phases, waves and kinds: which task comes before which."""

from __future__ import annotations

import re

from labkit.gitops.api.names import HELM_HOOK_WEIGHT, SYNC_WAVE
from labkit.k8s.objects import Object, annotations_of

_WHOLE = re.compile(r"[+-]?[0-9]+")

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

    One that is no whole number does not count, as in Argo CD; `malformed_wave` tells of it.
    """
    annotations = annotations_of(obj)
    texts = (str(annotations.get(name, "")) for name in (SYNC_WAVE, HELM_HOOK_WEIGHT))
    return next((int(text) for text in texts if _WHOLE.fullmatch(text)), 0)


def malformed_wave(obj: Object) -> str:
    """The text of a wave that is no whole number: Argo CD ignores it silently, a trainee should know."""
    text = str(annotations_of(obj).get(SYNC_WAVE, "0"))
    return "" if _WHOLE.fullmatch(text) else text
