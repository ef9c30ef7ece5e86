"""Credentials and clusters as Argo CD keeps them: Secrets in its namespace, told apart by a label.

A credential is decoded where it is used, and goes nowhere else: not into a message, a status or a log.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from labkit.git import Credential, normalise
from labkit.gitops.api.names import NAMESPACE, SECRET_TYPE
from labkit.helm.repositories import Access
from labkit.k8s.objects import Object, labels_of, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.runtime.informer import Informer


class Secrets:
    """What the Secrets of the namespace ``argocd`` say, as last seen."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer

    def credential(self, url: str) -> Credential | None:
        """The credential for a Git repository: its own Secret's, else that of the longest ``repo-creds`` prefix."""
        found = self._of_repository(normalise(url), normalise)
        return Credential(found["username"], found.get("password", "")) if found.get("username") else None

    def chart_access(self, url: str) -> Access:
        """What a chart repository or registry wants to see, by the same rule."""
        found = self._of_repository(_bare(url), _bare)
        return Access(
            found.get("username", ""),
            found.get("password", ""),
            plain_http=found.get("insecureOCIForceHttp") == "true",
            insecure_skip_tls_verify=found.get("insecure") == "true",
        )

    def _of_repository(self, wanted: str, plain: Callable[[str], str]) -> dict[str, str]:
        for secret in self._of_type("repository"):
            fields = decoded(secret)
            if fields.get("url") and plain(fields["url"]) == wanted and fields.get("username"):
                return fields
        prefixes = [decoded(secret) for secret in self._of_type("repo-creds")]
        fitting = [f for f in prefixes if f.get("url") and _begins(wanted, plain(f["url"]))]
        return max(fitting, key=lambda fields: len(fields["url"]), default={})

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

    def clusters(self) -> list[Object]:
        """The Secrets of the registered clusters."""
        return self._of_type("cluster")

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


def _bare(url: str) -> str:
    """A chart repository's address so that two ways to write it are one: a registry's may have no scheme."""
    return url.strip().removeprefix("oci://").rstrip("/")
