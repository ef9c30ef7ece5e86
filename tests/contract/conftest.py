"""One suite, two worlds: the sandbox always; a real cluster where ``LABKIT_TEST_CONTEXT`` names one.

::

    pytest tests/contract                                          the sandbox
    LABKIT_TEST_CONTEXT=kind-lab pytest tests/contract -m real_cluster    that cluster, in namespaces of its own
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from labkit.cluster import Cluster, provider
from labkit.errors import NotFound

REAL = os.environ.get("LABKIT_TEST_CONTEXT", "")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """A sandbox cluster for the whole run."""
    sandboxes = provider("sandbox", tmp_path_factory.mktemp("clusters"))
    sandboxes.create("contract")
    with sandboxes.connect("contract") as cluster:
        yield cluster
    sandboxes.delete("contract")


@pytest.fixture(scope="session")
def real():
    files = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    with Cluster.from_kubeconfig(files.split(os.pathsep), REAL, own=True) as cluster:
        yield cluster


@pytest.fixture(params=["sandbox", *([pytest.param("real", marks=pytest.mark.real_cluster)] if REAL else [])])
def cluster(request):
    """The cluster that the contract is held against."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def namespace(cluster):
    """A namespace of the test's own."""
    name = f"contract-{uuid.uuid4().hex[:8]}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    try:
        cluster.delete("v1", "Namespace", name)
    except NotFound:
        return


@pytest.fixture
def config(namespace):
    """A ConfigMap to begin with."""

    def build(name="settings", **data):
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    return build


@pytest.fixture
def reaches(cluster, namespace, request):
    """Wait until an object satisfies a condition (None: until it is gone); hands it back."""
    seconds = 20 if request.node.callspec.params["cluster"] == "sandbox" else 100  # a real one pulls images

    def wait(api_version, kind, name, condition, *, where=namespace):
        found = cluster.list(api_version, kind, where, field_selector=f"metadata.name={name}")
        current = found.items[0] if found.items else None
        if _holds(current, condition):
            return current
        with cluster.watch(
            api_version, kind, where, resource_version=found.resource_version, timeout=seconds
        ) as changes:
            for event in changes:
                if event.type == "BOOKMARK" or event.object["metadata"]["name"] != name:
                    continue
                current = None if event.type == "DELETED" else event.object
                if _holds(current, condition):
                    return current
        raise AssertionError(f"{kind} {name} did not get there in {seconds} s: {current}")

    return wait


def _holds(obj, condition):
    return obj is None if condition is None else obj is not None and condition(obj)
