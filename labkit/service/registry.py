"""The lab's other clusters, registered where Argo CD looks for them: a Secret each, in namespace ``argocd``.

That is how an Application can name one as its destination. The Secrets follow the clusters: made when one
starts, changed when its address does, removed when it is deleted.
"""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Any

from labkit.cluster import Cluster
from labkit.cluster.access import Access
from labkit.errors import LabError
from labkit.gitops.api import NAMESPACE
from labkit.gitops.api.names import SECRET_TYPE

if TYPE_CHECKING:
    from labkit.cluster import Provider

log = logging.getLogger("labkit.service.registry")
MANAGER = "labkit-service"
_OURS = {"app.kubernetes.io/managed-by": MANAGER}


class Registry:
    """Keeps the cluster Secrets of ``home`` in step with the clusters of ``provider``."""

    def __init__(self, home: Cluster, provider: Provider, *, home_name: str) -> None:
        self._home = home
        self._provider = provider
        self._home_name = home_name
        self._known: dict[str, str] | None = None

    def keep_up(self) -> None:
        """Register what is new or has moved, and forget what is gone. Cheap when nothing changed."""
        running = {
            s.name: s.server
            for s in self._provider.list()
            if s.name != self._home_name and s.state == "running"
        }
        stopped = {s.name for s in self._provider.list()} - set(running)
        if running == self._known:
            return
        try:
            for name in running:
                with self._provider.connect(name) as cluster:
                    secret = cluster_secret(name, cluster)
                self._home.apply(secret, field_manager=MANAGER, force=True)
            for name in self._registered() - set(running) - stopped:
                self._home.delete("v1", "Secret", _secret_name(name), NAMESPACE)
        except LabError as error:
            log.warning("the lab's clusters could not be registered: %s", error)
            return
        self._known = running

    def _registered(self) -> set[str]:
        selector = ",".join(f"{k}={v}" for k, v in {SECRET_TYPE: "cluster", **_OURS}.items())
        found = self._home.list("v1", "Secret", NAMESPACE, label_selector=selector)
        return {secret["metadata"]["name"].removeprefix("cluster-") for secret in found}


def cluster_secret(name: str, cluster: Cluster) -> dict[str, Any]:
    """The Secret that tells Argo CD of ``cluster``: name, server, and how to log in."""
    access = cluster.access
    tls: dict[str, Any] = {"insecure": access.insecure}
    for field, text in (("caData", access.ca), ("certData", access.certificate), ("keyData", access.key)):
        if text:
            tls[field] = base64.b64encode(text.encode()).decode()
    login = {"bearerToken": access.token, "username": access.username, "password": access.password}
    config = {"tlsClientConfig": tls} | {field: text for field, text in login.items() if text}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": _secret_name(name),
            "namespace": NAMESPACE,
            "labels": {SECRET_TYPE: "cluster", **_OURS},
        },
        "type": "Opaque",
        "stringData": {"name": name, "server": access.server, "config": json.dumps(config)},
    }


def connect(fields: dict[str, Any]) -> Cluster:
    """The cluster that a Secret's ``name``, ``server`` and ``config`` (decoded) tell of; the way back.

    Whoever wrote the Secret agreed to deployments there, as with Argo CD.
    """
    config = fields.get("config") or {}
    tls = config.get("tlsClientConfig") or {}
    name = fields.get("name") or fields["server"]
    access = Access(
        name=name,
        server=fields["server"],
        source=f"Secret of cluster {name} in namespace {NAMESPACE}",
        ca=_pem(tls, "caData"),
        insecure=bool(tls.get("insecure")),
        tls_server_name=tls.get("serverName") or "",
        token=config.get("bearerToken") or "",
        username=config.get("username") or "",
        password=config.get("password") or "",
        certificate=_pem(tls, "certData"),
        key=_pem(tls, "keyData"),
    )
    return Cluster(access, own=True)


def _pem(tls: dict[str, Any], field: str) -> str:
    return base64.b64decode(tls.get(field) or "").decode("ascii", "replace")


def _secret_name(name: str) -> str:
    return f"cluster-{name}"
