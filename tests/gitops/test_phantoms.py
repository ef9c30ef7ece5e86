"""OutOfSync with nothing to see must not be: manifests that servers rewrite, synced once, are Synced."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest

from labkit.errors import AlreadyExists
from labkit.gitops.applying import apply
from labkit.gitops.diff import Compared, compare, differences
from labkit.k8s.objects import ObjectKey

JSON = dict[str, Any]
NAMESPACE = "phantoms"
SELECTOR = {"matchLabels": {"app": "web"}}


def obj(kind: str, api_version: str = "v1", **fields: Any) -> JSON:
    metadata = {"name": "web", "namespace": NAMESPACE, **fields.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def pods(template: JSON | None = None, **container: Any) -> JSON:
    spec = {"containers": [{"name": "web", "image": "nginx:1.27", **container}], **(template or {})}
    template = {"metadata": {"creationTimestamp": None, "labels": {"app": "web"}}, "spec": spec}
    return {"replicas": 1, "selector": SELECTOR, "template": template}


def deployment(template: JSON | None = None, **container: Any) -> JSON:
    return obj("Deployment", "apps/v1", spec=pods(template, **container))


def custom(schema: JSON, **fields: Any) -> JSON:
    spec = {
        "group": "phantoms.example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
        ],
    }
    metadata = {"name": "widgets.phantoms.example.com", "creationTimestamp": None}
    found = obj(
        "CustomResourceDefinition", "apiextensions.k8s.io/v1", spec=spec | fields.pop("spec", {}), **fields
    )
    return found | {"metadata": metadata}


SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "default": 3},
                "mode": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1024Mi"}},
}

WEBHOOKS = obj(
    "MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/v1",
    webhooks=[
        {
            "name": "web.example.com",
            "clientConfig": {"service": {"name": "web", "namespace": NAMESPACE, "path": "/"}},
            "rules": [
                {
                    "apiGroups": ["none.example.com"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["x"],
                }
            ],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
    ],
)
WEBHOOKS["metadata"].pop("namespace")

PHANTOMS: dict[str, JSON] = {
    "quantities": deployment(
        resources={"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5}}
    ),
    "empty maps and lists": deployment(
        {"nodeSelector": {}, "tolerations": [], "volumes": [], "securityContext": {}}, env=[], resources={}
    ),
    "nulls": deployment({"nodeSelector": None, "affinity": None}, resources={"limits": None}, command=None),
    "no value in env": deployment(env=[{"name": "A", "value": ""}, {"name": "B"}]),
    "a port without a protocol": deployment(
        ports=[{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]
    ),
    "int or string": obj(
        "Service", spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
    ),
    "a port's number as its target": obj("Service", spec={"ports": [{"port": 80}], "type": "ClusterIP"}),
    "status in Git": obj("Service", spec={"ports": [{"port": 80}]}, status={"loadBalancer": {}}),
    "a Deployment's status in Git": deployment() | {"status": {"replicas": 7}},
    "stringData": obj("Secret", stringData={"password": "x"}, type="Opaque"),
    "stringData over data": obj("Secret", data={"password": "eQ=="}, stringData={"password": "x"}),
    "an empty Secret value": obj("Secret", data={"password": ""}),
    "no data at all": obj("ConfigMap", data=None),
    "empty data": obj("ConfigMap", data={}),
    "an annotation that is empty": obj("ConfigMap", metadata={"annotations": {"a": ""}, "labels": {}}),
    "metrics in another order": obj(
        "HorizontalPodAutoscaler",
        "autoscaling/v2",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 3,
            "metrics": [MEMORY, CPU],
        },
    ),
    "a claim's storage": obj(
        "PersistentVolumeClaim",
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
    ),
    "a claim template": obj(
        "StatefulSet",
        "apps/v1",
        spec={
            **pods(),
            "serviceName": "web",
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
        },
    ),
    "roles without rules": obj("Role", "rbac.authorization.k8s.io/v1", rules=[]),
    "subjects without a group": obj(
        "RoleBinding",
        "rbac.authorization.k8s.io/v1",
        roleRef={"kind": "Role", "name": "web", "apiGroup": "rbac.authorization.k8s.io"},
        subjects=[{"kind": "ServiceAccount", "name": "web", "namespace": NAMESPACE}],
    ),
    "an Ingress with defaults": obj(
        "Ingress",
        "networking.k8s.io/v1",
        spec={
            "rules": [
                {
                    "host": "a.example.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ]
        },
    ),
    "a network policy that allows nothing": obj(
        "NetworkPolicy",
        "networking.k8s.io/v1",
        spec={"podSelector": {}, "ingress": [], "policyTypes": ["Ingress"]},
    ),
    "a CronJob": obj(
        "CronJob",
        "batch/v1",
        spec={
            "schedule": "0 0 * * *",
            "jobTemplate": {
                "spec": {
                    "template": {
                        "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "busybox"}]}
                    }
                }
            },
        },
    ),
    "a service account": obj("ServiceAccount", metadata={"creationTimestamp": None}),
    "a disruption budget": obj(
        "PodDisruptionBudget", "policy/v1", spec={"selector": SELECTOR, "maxUnavailable": "50%"}
    ),
    "webhooks": WEBHOOKS,
    "a definition's status and preserveUnknownFields": custom(
        SCHEMA,
        spec={"preserveUnknownFields": False},
        status={"acceptedNames": {"kind": "", "plural": ""}, "conditions": [], "storedVersions": []},
    ),
}


@pytest.fixture(scope="module")
def server(home):
    cluster = home[0]
    with contextlib.suppress(AlreadyExists):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    return cluster


def seen(server: Any, target: JSON) -> Compared:
    key = ObjectKey.of(target)
    live = server.get(target["apiVersion"], key.kind, key.name, key.namespace or None)
    return compare({key: (target, "")}, {key: live}, lambda t, _: apply(server, t, dry_run=True)).items[0]


@pytest.mark.parametrize("target", PHANTOMS.values(), ids=list(PHANTOMS))
def test_what_was_synced_is_synced(target: JSON, server: Any) -> None:
    target = copy.deepcopy(target)
    apply(server, target)
    try:
        found = seen(server, target)
        told = differences(found.live, found.predicted) if found.live and found.predicted else found.problem
        assert (found.status, told) == ("Synced", [])
    finally:
        server.delete(
            target["apiVersion"],
            target["kind"],
            target["metadata"]["name"],
            target["metadata"].get("namespace"),
        )


def test_a_custom_resource_with_defaults_nulls_and_a_status_is_synced(server: Any) -> None:
    definition = custom(SCHEMA)
    apply(server, definition)
    wanted = obj("Widget", "phantoms.example.com/v1", spec={"mode": "a", "tags": []}, status={"phase": "New"})
    wanted["metadata"]["creationTimestamp"] = None
    try:
        apply(server, wanted)
        found = seen(server, wanted)
        assert (found.status, found.live and found.live["spec"]["size"]) == ("Synced", 3)
    finally:
        server.delete(definition["apiVersion"], definition["kind"], definition["metadata"]["name"])


def test_a_bundle_that_a_controller_puts_into_a_webhook_is_its_own(server: Any) -> None:
    apply(server, WEBHOOKS)
    try:
        bundle = [{"name": "web.example.com", "clientConfig": {"caBundle": "Y2E="}}]
        kind, name = WEBHOOKS["kind"], WEBHOOKS["metadata"]["name"]
        injected = {"apiVersion": WEBHOOKS["apiVersion"], "kind": kind, "metadata": {"name": name}}
        server.apply(injected | {"webhooks": bundle}, field_manager="cert-manager", force=True)
        found = seen(server, WEBHOOKS)
        assert found.status == "Synced"
        assert found.live is not None
        assert found.live["webhooks"][0]["clientConfig"]["caBundle"] == "Y2E="
    finally:
        server.delete(WEBHOOKS["apiVersion"], WEBHOOKS["kind"], WEBHOOKS["metadata"]["name"])


def test_what_cannot_be_compared_is_out_of_sync_with_the_servers_reason(server: Any) -> None:
    apply(server, deployment())
    try:
        other = deployment()
        other["spec"] |= {"selector": {"matchLabels": {"app": "other"}}}
        other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
        twice = deployment(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])
        found = [seen(server, target) for target in (other, twice)]
        assert [item.status for item in found] == ["OutOfSync", "OutOfSync"]
        assert "field is immutable" in found[0].problem
        assert 'duplicate entries for key [name="A"]' in found[1].problem
    finally:
        server.delete("apps/v1", "Deployment", "web", NAMESPACE)
