"""Where packaged charts are served: the OCI registry, and folders as HTTP chart repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.forge.blobs import BlobStore
from labkit.forge.chartrepo import chart_repositories
from labkit.forge.registry import registry_app

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.types import ASGIApp

    from labkit.git import Credential


def chart_apps(
    registry: Path, repositories: Path, *, credentials: Sequence[Credential]
) -> dict[str, ASGIApp]:
    """The ASGI applications by the path that each is mounted at; a registry's is fixed by its specification.

    What was on its way to the registry when its last service ended is forgotten.
    """
    store = BlobStore(registry)
    store.forget_uploads()
    return {
        "/v2": registry_app(store, credentials=credentials),
        "/charts": chart_repositories(repositories, credentials=credentials),
    }
