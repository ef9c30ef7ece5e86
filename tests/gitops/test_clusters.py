"""Several clusters: an application goes where its destination says, and one that is away holds up no other."""

from __future__ import annotations

import base64
import json

import pytest
from manifests import config

from labkit.cluster import provider
from labkit.gitops.api.names import NAMESPACE, SECRET_TYPE
from labkit.service.registry import cluster_secret, connect
from tests.gitops.test_bad_input import condition

AUTOMATED = {"prune": True, "selfHeal": True}


@pytest.fixture
def prod(world, tmp_path):
    """Another sandbox, registered by its Secret; the controller begins anew with a way to connect."""
    sandboxes = provider("sandbox", tmp_path / "others")
    sandboxes.create("prod")
    cluster = sandboxes.connect("prod")
    world.cluster.create(cluster_secret("prod", cluster))
    world.stop()
    world.connect = connect
    world.start()
    yield cluster, sandboxes
    world.clean()
    world.stop()
    world.connect = None
    cluster.close()
    sandboxes.delete("prod")
    world.cluster.delete("v1", "Secret", "cluster-prod", NAMESPACE)


def test_an_application_goes_where_its_destination_says(world, prod):
    cluster, _ = prod
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("far", repo, automated=AUTOMATED, destination={"name": "prod", "namespace": "far"})
    world.settled(app)
    assert cluster.find("v1", "ConfigMap", "a", "far")["data"] == {"v": "1"}
    assert world.find("ConfigMap", "a", "far") is None
    cluster.patch("v1", "ConfigMap", "a", "far", patch={"data": {"v": "by hand"}})
    world.until(lambda: cluster.find("v1", "ConfigMap", "a", "far")["data"], lambda data: data == {"v": "1"})


def test_a_cluster_that_goes_away_is_told_and_comes_back(world, prod):
    _, sandboxes = prod
    repo = world.repository("shop")
    first = repo.push({"a.yaml": config("a", v="1")})
    far = world.app("far", repo, automated=AUTOMATED, destination={"name": "prod", "namespace": "far"})
    near = world.app("near", repo, automated=AUTOMATED)
    world.settled(far, first)
    world.settled(near, first)
    sandboxes.stop("prod")
    assert "prod" in condition(world, far)
    assert world.status(far)["sync"]["status"] == "Unknown"
    second = repo.push({"a.yaml": config("a", v="2")})
    world.settled(near, second)  # whoever is there is not held up
    sandboxes.start("prod")
    world.settled(far, second)
    with sandboxes.connect("prod") as cluster:
        assert cluster.find("v1", "ConfigMap", "a", "far")["data"] == {"v": "2"}


def test_many_applications_of_a_cluster_that_never_answers_hold_up_nobody(world, prod):
    fields = {
        "name": "void",
        "server": "https://127.0.0.1:9",
        "config": json.dumps({"bearerToken": "s3cret-t0ken", "tlsClientConfig": {"insecure": True}}),
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "cluster-void", "namespace": NAMESPACE, "labels": {SECRET_TYPE: "cluster"}},
        "data": {name: base64.b64encode(text.encode()).decode() for name, text in fields.items()},
    }
    world.cluster.create(secret)
    try:
        repo = world.repository("shop")
        head = repo.push({"a.yaml": config("a", v="1")})
        lost = [
            world.app(f"lost-{n}", repo, automated=AUTOMATED, destination={"name": "void", "namespace": "x"})
            for n in range(12)
        ]
        near = world.app("near", repo, automated=AUTOMATED)
        world.settled(near, head)
        message = condition(world, lost[-1])
        assert "void" in message
        assert "s3cret-t0ken" not in str(world.get(lost[-1]))
    finally:
        world.cluster.delete("v1", "Secret", "cluster-void", NAMESPACE)
