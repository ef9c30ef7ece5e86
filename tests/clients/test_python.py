"""Python clients, as they come: the official one, typed and dynamic, and one that nobody here chose."""

from __future__ import annotations

import kubernetes
import lightkube
import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from lightkube.core.exceptions import ApiError
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace, Pod

LABELS = {"app": "web"}


def deployment(image="nginx:1.27"):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


@pytest.fixture
def official(kubeconfig):
    with kubernetes.config.new_client_from_config(str(kubeconfig)) as client:
        yield client


def test_the_official_client_typed(official, namespace):
    core, apps = kubernetes.client.CoreV1Api(official), kubernetes.client.AppsV1Api(official)
    core.create_namespace({"metadata": {"name": namespace}})
    apps.create_namespaced_deployment(namespace, deployment())
    watch = kubernetes.watch.Watch()
    for event in watch.stream(apps.list_namespaced_deployment, namespace, timeout_seconds=60):
        if event["object"].status.available_replicas == 2:
            watch.stop()
    assert apps.read_namespaced_deployment("web", namespace).status.available_replicas == 2
    pods = core.list_namespaced_pod(namespace, label_selector="app=web").items
    assert {pod.status.phase for pod in pods} == {"Running"}
    with pytest.raises(ApiException) as missing:
        apps.read_namespaced_deployment("nothing", namespace)
    assert missing.value.status == 404
    with pytest.raises(ApiException) as wrong:
        apps.patch_namespaced_deployment(
            "web", namespace, {"spec": {"selector": {"matchLabels": {"a": "b"}}}}
        )
    assert wrong.value.status == 422
    core.delete_namespace(namespace)


def test_the_official_client_dynamic(official, namespace):
    dynamic = DynamicClient(official)
    dynamic.resources.get(api_version="v1", kind="Namespace").create(body={"metadata": {"name": namespace}})
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(body={"metadata": {"name": "a"}, "data": {"k": "v"}}, namespace=namespace)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "w"}}
    maps.server_side_apply(body=body, namespace=namespace, field_manager="me", force_conflicts=True)
    assert maps.get(name="a", namespace=namespace).data.k == "w"
    dynamic.resources.get(api_version="v1", kind="Namespace").delete(name=namespace)


def test_lightkube(kubeconfig, namespace):
    config = lightkube.KubeConfig.from_file(kubeconfig)
    client = lightkube.Client(config=config, namespace=namespace, field_manager="lightkube")
    client.create(Namespace(metadata=ObjectMeta(name=namespace)))
    client.create(Deployment.from_dict(deployment()))
    for _, found in client.watch(Deployment, server_timeout=60):
        if found.status and found.status.availableReplicas == 2:
            break
    client.apply(ConfigMap(metadata=ObjectMeta(name="a"), data={"k": "v"}))
    client.patch(ConfigMap, "a", {"data": {"more": "1"}})
    assert client.get(ConfigMap, "a").data == {"k": "v", "more": "1"}
    assert len(list(client.list(Pod, labels=LABELS))) == 2
    with pytest.raises(ApiError) as missing:
        client.get(ConfigMap, "nothing")
    assert missing.value.status.reason == "NotFound"
    client.delete(Namespace, namespace)
    client._client.close()
