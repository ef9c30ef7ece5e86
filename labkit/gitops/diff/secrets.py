"""What of a Secret Argo CD hides: its values, and the annotations that ``argocd-cm`` calls sensitive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.k8s.secrets import LAST_APPLIED
from labkit.k8s.secrets import masked as hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labkit.k8s.objects import Object

__all__ = ["LAST_APPLIED", "SETTING", "configure", "masked"]
SETTING = "resource.sensitive.mask.annotations"

_sensitive: frozenset[str] = frozenset()


def configure(settings: Mapping[str, str]) -> None:
    """Take from ``argocd-cm`` which annotations of Secrets are secret, too: names with commas between."""
    global _sensitive  # noqa: PLW0603  # one setting of one process, as the rules for health are
    _sensitive = frozenset(name.strip() for name in settings.get(SETTING, "").split(",") if name.strip())


def masked(*objects: Object | None) -> list[Object | None]:
    """The objects with a Secret's values replaced, and its sensitive annotations: see `labkit.k8s.secrets.masked`."""
    return hidden(*objects, sensitive=_sensitive)
