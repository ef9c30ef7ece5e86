"""Credentials and clusters as Argo CD keeps them: Secrets in its namespace, told apart by a label.

A credential is decoded where it is used, and goes nowhere else: not into a message, a status or a log.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from labkit.git import Credential, normalise
from labkit.gitops.api.names import NAMESPACE, SECRET_TYPE
from labkit.k8s.objects import Object, labels_of, name_of

if TYPE_CHECKING:
    from labkit.runtime.informer import Informer


class Secrets:
    """What the Secrets of the namespace ``argocd`` say, as last seen."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer

    def credential(self, url: str) -> Credential | None:
        """The credential for a repository: its own Secret's, else that of the longest ``repo-creds`` prefix."""
        wanted = normalise(url)
        for secret in self._of_type("repository"):
            fields = decoded(secret)
            if normalise(fields.get("url", "")) == wanted and fields.get("username"):
                return Credential(fields["username"], fields.get("password", ""))
        prefixes = [decoded(secret) for secret in self._of_type("repo-creds")]
        fitting = [f for f in prefixes if f.get("url") and _begins(wanted, normalise(f["url"]))]
        best = max(fitting, key=lambda fields: len(fields["url"]), default=None)
        return (
            Credential(best["username"], best.get("password", "")) if best and best.get("username") else None
        )

    def cluster(self, *, server: str = "", name: str = "") -> dict[str, Any] | None:
        """The cluster of that server or name: ``name``, ``server``, ``config`` (decoded JSON), ``version``."""
        for secret in self._of_type("cluster"):
            fields = decoded(secret)
            if (server and fields.get("server") == server) or (
                name and fields.get("name", name_of(secret)) == name
            ):
                version = (secret.get("metadata") or {}).get("resourceVersion", "")
                return {**fields, "config": json.loads(fields.get("config") or "{}"), "version": version}
        return None

    def clusters_of(self, project: str) -> set[str]:
        """The servers and names of the clusters that are registered for one project."""
        found = [decoded(secret) | {"": name_of(secret)} for secret in self._of_type("cluster")]
        own = [fields for fields in found if fields.get("project") == project]
        return {
            part for fields in own for part in (fields.get("server", ""), fields.get("name") or fields[""])
        }

    def _of_type(self, wanted: str) -> list[Object]:
        found = self._informer.list(NAMESPACE)
        return [secret for secret in found if labels_of(secret).get(SECRET_TYPE) == wanted]


def decoded(secret: Object) -> dict[str, str]:
    """A Secret's data as text."""
    data = secret.get("data") or {}
    return {key: base64.b64decode(value or "").decode("utf-8", "replace") for key, value in data.items()}


def _begins(url: str, prefix: str) -> bool:
    return url == prefix or url.startswith(prefix.rstrip("/") + "/")
