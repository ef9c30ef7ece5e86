"""The controller, wired to this lab: its cluster, its Git host, its credential.

Everything that the controller is to know it finds where Argo CD would: resource definitions, the default
project, and the credential for the Git host (a Secret of type ``repo-creds``, by the URL's beginning) are
objects in the cluster's namespace ``argocd``. So it could be replaced by a real Argo CD.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from labkit.errors import AlreadyExists, BadRequest, LabError
from labkit.gitops.api import IN_CLUSTER, IN_CLUSTER_SERVER, NAMESPACE, crds, default_project
from labkit.gitops.api.names import SECRET_TYPE

if TYPE_CHECKING:
    from labkit.cluster import Cluster
    from labkit.forge import PushEvent
    from labkit.git import Credential
    from labkit.service.address import Address
    from labkit.settings import Settings

log = logging.getLogger("labkit.service.engine")
MANAGER = "labkit-service"
CREDENTIAL_NAME = "lab-git-host"


class Engine:
    """The controller of one lab. `start` returns when it works; `stop` when nothing of it does any more."""

    def __init__(self, settings: Settings, client: Cluster, address: Address, credential: Credential) -> None:
        self._settings = settings
        self._client = client
        self._address = address
        self._credential = credential

    def start(self) -> None:
        """Install what Applications need in the cluster, then start the controller."""
        for definition in crds():
            self._client.apply(definition, field_manager=MANAGER, force=True)
        self._ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        self._client.apply(self._secret(), field_manager=MANAGER, force=True)
        self._ensure(default_project())

    def _ensure(self, obj: dict[str, Any]) -> None:
        """Create it unless it is there: what a trainee changed in it stays."""
        try:
            self._client.create(obj)
        except AlreadyExists:
            pass

    def _secret(self) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": CREDENTIAL_NAME,
                "namespace": NAMESPACE,
                "labels": {SECRET_TYPE: "repo-creds"},
            },
            "type": "Opaque",
            "stringData": {
                "type": "git",
                "url": self._address.git,
                "username": self._credential.username,
                "password": self._credential.password,
            },
        }

    def stop(self) -> None:
        """End the controller."""

    def pushed(self, event: PushEvent) -> None:
        """A push reached the Git host."""

    def webhook(self, payload: dict[str, Any]) -> list[str]:
        """Refresh the applications that a push concerns."""
        return []

    def application(self, name: str, part: str) -> Any:
        """A part of what the controller knows of an application."""
        raise BadRequest(f"no such part: {part}")
