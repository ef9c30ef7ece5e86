"""What every namespace has from the start: the ServiceAccount ``default``, and the cluster's CA for its pods to trust.

Source: pkg/controller/serviceaccount and pkg/controller/certificates/rootcacertpublisher in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import AlreadyExists, Forbidden
from labkit.k8s.objects import Object, namespace_of
from labkit.sandbox.controllers import pods
from labkit.sandbox.controllers.plane import ControlPlane, Key

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCOUNT = "default"
CERTIFICATE = "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class NamespaceContents:
    """Makes both where they are missing, also when somebody deleted or changed them."""

    def __init__(self, plane: ControlPlane) -> None:
        self._client = plane.client_of("service-account-controller")
        self._publisher = plane.client_of("root-ca-cert-publisher")
        self._namespaces = plane.informer("v1", "Namespace")
        self._accounts = plane.informer("v1", "ServiceAccount")
        self._maps = plane.informer("v1", "ConfigMap")
        controller = plane.controller("namespace contents", self.reconcile)
        controller.watch(self._namespaces, lambda obj: [Key("", obj["metadata"]["name"])])
        controller.watch(self._accounts, _namespace_if(ACCOUNT))
        controller.watch(self._maps, _namespace_if(CERTIFICATE))

    def reconcile(self, key: Key) -> None:
        """Make what is missing in one namespace."""
        namespace = self._namespaces.get(*key)
        if namespace is None or pods.is_deleting(namespace):
            return
        try:
            if self._accounts.get(key.name, ACCOUNT) is None:
                self._client.create(_account(key.name))
            self._publish(key.name)
        except (AlreadyExists, Forbidden):
            return  # somebody was quicker, or the namespace is going: both will be told

    def _publish(self, namespace: str) -> None:
        wanted = _certificate(namespace, self._client.ca_certificate)
        there = self._maps.get(namespace, CERTIFICATE)
        if there is None:
            self._publisher.create(wanted)
        elif there.get("data") != wanted["data"]:
            self._publisher.replace({**there, "data": wanted["data"]})


def _account(namespace: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": ACCOUNT, "namespace": namespace},
    }


def _certificate(namespace: str, pem: str) -> Object:
    meta = {
        "name": CERTIFICATE,
        "namespace": namespace,
        "annotations": {"kubernetes.io/description": _DESCRIPTION},
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": pem}}


def _namespace_if(name: str):  # type: ignore[no-untyped-def]
    def keys(obj: Object) -> Iterable[Key]:
        return [Key("", namespace_of(obj))] if obj["metadata"]["name"] == name else []

    return keys
