"""Hooks: objects that are not part of the application's state but are run at a moment of its sync."""

from __future__ import annotations

from labkit.gitops.api.names import HELM_HOOK, HELM_HOOK_DELETE_POLICY, HOOK, HOOK_DELETE_POLICY
from labkit.gitops.api.options import listed
from labkit.gitops.sync.phases import PHASES
from labkit.k8s.objects import Object, annotations_of

SKIP = "Skip"
HOOK_SUCCEEDED, HOOK_FAILED, BEFORE_HOOK_CREATION = "HookSucceeded", "HookFailed", "BeforeHookCreation"

_TYPES = (*PHASES, SKIP)
_DELETE_TYPES = ("PreDelete", "PostDelete")
_HELM_TYPES = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
}
_HELM_DELETE_TYPES = {"pre-delete": "PreDelete", "post-delete": "PostDelete"}
_HELM_POLICIES = {
    "hook-succeeded": HOOK_SUCCEEDED,
    "hook-failed": HOOK_FAILED,
    "before-hook-creation": BEFORE_HOOK_CREATION,
}


def is_hook(obj: Object) -> bool:
    """Whether the object is a hook of any kind, even a misspelt one, and so no part of the application's state."""
    annotations = annotations_of(obj)
    if HOOK in annotations:
        return not is_skipped(obj)
    helm = listed(obj, HELM_HOOK)
    return bool(helm) and "crd-install" not in helm


def is_skipped(obj: Object) -> bool:
    """Whether ``hook: Skip`` says that the object is not to be applied at all."""
    return SKIP in listed(obj, HOOK)


def phases(obj: Object) -> list[str]:
    """The phases in which the hook runs; Argo CD's annotation wins over Helm's. A misspelt one runs in none."""
    if HOOK in annotations_of(obj):
        return [name for name in listed(obj, HOOK) if name in _TYPES]
    return _mapped(obj, _HELM_TYPES)


def delete_phases(obj: Object) -> list[str]:
    """PreDelete, PostDelete or none: when the hook runs as the application is deleted."""
    if HOOK in annotations_of(obj):
        return [name for name in listed(obj, HOOK) if name in _DELETE_TYPES]
    return _mapped(obj, _HELM_DELETE_TYPES)


def delete_policies(obj: Object) -> list[str]:
    """When the hook's object is removed; before the next one is made, if nothing is said."""
    known = (HOOK_SUCCEEDED, HOOK_FAILED, BEFORE_HOOK_CREATION)
    own = [name for name in listed(obj, HOOK_DELETE_POLICY) if name in known]
    helm = [_HELM_POLICIES[name] for name in listed(obj, HELM_HOOK_DELETE_POLICY) if name in _HELM_POLICIES]
    return own or helm or [BEFORE_HOOK_CREATION]


def _mapped(obj: Object, table: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(table[name] for name in listed(obj, HELM_HOOK) if name in table))
