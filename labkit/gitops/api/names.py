"""The words that Argo CD reserves: its API group, its annotations, its finalizers."""

from __future__ import annotations

GROUP = "argoproj.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
NAMESPACE = "argocd"

SETTINGS = "argocd-cm"
"""The ConfigMap with what an administrator set."""

IN_CLUSTER = "in-cluster"
IN_CLUSTER_SERVER = "https://kubernetes.default.svc"

REFRESH = "argocd.argoproj.io/refresh"
TRACKING_ID = "argocd.argoproj.io/tracking-id"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
SYNC_WAVE = "argocd.argoproj.io/sync-wave"
COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
HOOK = "argocd.argoproj.io/hook"
HOOK_DELETE_POLICY = "argocd.argoproj.io/hook-delete-policy"
HOOK_FINALIZER = "argocd.argoproj.io/hook-finalizer"
MANIFEST_GENERATE_PATHS = "argocd.argoproj.io/manifest-generate-paths"
IGNORE_HEALTH = "argocd.argoproj.io/ignore-healthcheck"
DELETION_APPROVED = "argocd.argoproj.io/deletion-approved"
SECRET_TYPE = "argocd.argoproj.io/secret-type"  # noqa: S105  # a label's name

HELM_HOOK = "helm.sh/hook"
HELM_HOOK_WEIGHT = "helm.sh/hook-weight"
HELM_HOOK_DELETE_POLICY = "helm.sh/hook-delete-policy"
HELM_RESOURCE_POLICY = "helm.sh/resource-policy"

MADE_BY = "gitops-lab/made-by"
"""On a hook's object: which try of which sync made it; so a crash does not run it twice (Argo CD may)."""

FINALIZER = "resources-finalizer.argocd.argoproj.io"
FINALIZERS = {FINALIZER: "", f"{FINALIZER}/foreground": "Foreground", f"{FINALIZER}/background": "Background"}

PRE_DELETE, POST_DELETE = (
    "pre-delete-finalizer.argocd.argoproj.io",
    "post-delete-finalizer.argocd.argoproj.io",
)
CLEANUP = "/cleanup"
"""What the controller puts on an Application that has hooks for its deletion: one while they run, one for what is
left of them."""

FIELD_MANAGER = "argocd-controller"
