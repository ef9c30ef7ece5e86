"""Options that an annotation carries: comma-separated words and ``Name=value`` pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.api.names import COMPARE_OPTIONS, HELM_RESOURCE_POLICY, SYNC_OPTIONS
from labkit.k8s.objects import Object, annotations_of

if TYPE_CHECKING:
    from collections.abc import Iterable

KNOWN_SYNC_OPTIONS = (
    "ApplyOutOfSyncOnly",
    "ClientSideApplyMigration",
    "CreateNamespace",
    "Delete",
    "FailOnSharedResource",
    "Force",
    "Prune",
    "PruneLast",
    "PrunePropagationPolicy",
    "Replace",
    "RespectIgnoreDifferences",
    "ServerSideApply",
    "SkipDryRunOnMissingResource",
    "Validate",
)
"""All names that Argo CD knows. An unknown one it passes over, so whoever writes one by hand is told."""


def listed(obj: Object, annotation: str) -> list[str]:
    """The entries of a comma-separated annotation, each once and without the space around them."""
    text = annotations_of(obj).get(annotation) or ""
    return list(dict.fromkeys(entry.strip() for entry in text.split(",") if entry.strip()))


def has_option(obj: Object, annotation: str, option: str) -> bool:
    """Whether an annotation lists ``option``, such as ``Prune=false``."""
    return option in listed(obj, annotation)


def option_value(obj: Object, annotation: str, name: str) -> str | None:
    """The value of ``name=value`` in an annotation; of two the first one wins, as in Argo CD."""
    pairs = [entry for entry in listed(obj, annotation) if "=" in entry]
    return _value(pairs, name)


def sync_option(obj: Object, application: Iterable[str], name: str) -> str | None:
    """A sync option's value for one resource: its own annotation wins over the application's ``syncOptions``.

    Helm's ``resource-policy: keep`` counts as ``Delete=false``.
    """
    own = option_value(obj, SYNC_OPTIONS, name)
    if own is not None:
        return own
    if name == "Delete" and annotations_of(obj).get(HELM_RESOURCE_POLICY) == "keep":
        return "false"
    return _value(application, name)


def compare_option(obj: Object, option: str) -> bool:
    """Whether ``argocd.argoproj.io/compare-options`` lists ``option``."""
    return has_option(obj, COMPARE_OPTIONS, option)


def enabled(value: str | None) -> bool:
    """Whether an option is on."""
    return value == "true"


def _value(entries: Iterable[str], name: str) -> str | None:
    for entry in entries:
        key, _, value = entry.partition("=")
        if key.strip() == name:
            return value.strip()
    return None
