"""Hooks: objects that are not part of the application's state but are run at a moment of its sync."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.gitops import tracking
from labkit.gitops.api.names import (
    HELM_HOOK,
    HELM_HOOK_DELETE_POLICY,
    HOOK,
    HOOK_DELETE_POLICY,
    HOOK_FINALIZER,
    MADE_BY,
)
from labkit.gitops.api.options import listed
from labkit.gitops.sync.phases import PHASES
from labkit.k8s.objects import Object, annotations_of, metadata, name_of

if TYPE_CHECKING:
    from datetime import datetime

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


def types(obj: Object) -> list[str]:
    """What the annotations say it is: phases, or Skip. Helm's word counts where Argo CD's says none."""
    own = [name for name in listed(obj, HOOK) if name in _TYPES]
    return own or _mapped(obj, _HELM_TYPES)


def is_skipped(obj: Object) -> bool:
    """Whether ``hook: Skip``, alone, says that the object is not to be applied at all."""
    return types(obj) == [SKIP]


def phases(obj: Object) -> list[str]:
    """The phases in which the hook runs. A misspelt one runs in none."""
    return list(dict.fromkeys(name for name in types(obj) if name != SKIP))


def delete_phases(obj: Object) -> list[str]:
    """PreDelete, PostDelete or none: when the hook runs as the application is deleted."""
    own = [name for name in listed(obj, HOOK) if name in _DELETE_TYPES]
    return list(dict.fromkeys([*own, *_mapped(obj, _HELM_DELETE_TYPES)]))


def delete_policies(obj: Object) -> list[str]:
    """When the hook's object is removed; before the next one is made, if nothing is said."""
    known = (HOOK_SUCCEEDED, HOOK_FAILED, BEFORE_HOOK_CREATION)
    own = [name for name in listed(obj, HOOK_DELETE_POLICY) if name in known]
    helm = [_HELM_POLICIES[name] for name in listed(obj, HELM_HOOK_DELETE_POLICY) if name in _HELM_POLICIES]
    return list(dict.fromkeys([*own, *helm])) or [BEFORE_HOOK_CREATION]


@dataclass(frozen=True)
class Attempt:
    """One try of one application's sync: what makes its hooks its own."""

    application: str
    began: datetime
    revision: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.revision[:7]}/{self.began:%Y-%m-%dT%H:%M:%SZ}/{self.number}"

    def hook(self, target: Object, phase: str) -> Object:
        """The object that runs ``target`` in this try.

        ``generateName`` becomes ``<revision>-<phase>-<time>``, the same each time it is asked. A finalizer keeps
        the object until its end was noted, even where a time limit of its own deletes it; a mark says which try
        made it, so that after a crash it is known again and not run twice; the tracking id says whose it is.
        """
        made = copy.deepcopy(target)
        meta = made.setdefault("metadata", {})
        if not meta.get("name"):
            prefix = meta.pop("generateName", "")
            meta["name"] = f"{prefix}{self.revision[:7]}-{phase.lower()}-{int(self.began.timestamp())}"
        finalizers = meta.get("finalizers") or []
        meta["finalizers"] = [*finalizers, *([] if HOOK_FINALIZER in finalizers else [HOOK_FINALIZER])]
        meta["annotations"] = {**(meta.get("annotations") or {}), MADE_BY: str(self)}
        return tracking.track(made, self.application)

    def made(self, live: Object) -> bool:
        """Whether a live object is a hook of this try."""
        return annotations_of(live).get(MADE_BY) == str(self)


def held(obj: Object) -> bool:
    """Whether the hooks' finalizer is on the object: nobody has noted its end and let go of it yet."""
    return HOOK_FINALIZER in (metadata(obj).get("finalizers") or [])


def display_name(obj: Object) -> str:
    """A hook's name, or the beginning of it where the rest is made when it runs."""
    return name_of(obj) or f"{metadata(obj).get('generateName') or ''}…"


def _mapped(obj: Object, table: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(table[name] for name in listed(obj, HELM_HOOK) if name in table))
