"""Where clusters come from: the sandbox (needs nothing), kind (needs Docker), or a kubeconfig that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.cluster.providers.context import ContextProvider
from labkit.cluster.providers.kind import KindProvider
from labkit.cluster.providers.provider import ClusterState, Provider
from labkit.cluster.providers.sandbox import SandboxProvider
from labkit.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["ClusterState", "ContextProvider", "KindProvider", "Provider", "SandboxProvider", "provider"]

NAMES = ("sandbox", "kind", "context")


def provider(name: str, directory: Path, *, kubeconfigs: Sequence[Path] = ()) -> Provider:
    """The provider called ``name``.

    ``directory`` is where the lab keeps its clusters, one folder each; ``kubeconfigs`` are the user's own files,
    for ``context``. Raises `ClusterError` for a name that is none.
    """
    if name == "sandbox":
        return SandboxProvider(directory)
    if name == "kind":
        return KindProvider(directory)
    if name == "context":
        return ContextProvider(kubeconfigs)
    raise ClusterError(
        f"there is no kind of cluster called {name!r}",
        where="provider",
        fix="Use sandbox (needs nothing), kind (needs Docker), or context:NAME of a kubeconfig.",
    )
