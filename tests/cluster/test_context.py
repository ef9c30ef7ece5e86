"""A cluster of the user's own: the lab uses it, and neither makes nor ends it."""

import pytest

from labkit.cluster import provider
from labkit.errors import ClusterError, ConfirmationRequired


@pytest.fixture
def context(tmp_path, server, write_kubeconfig):
    server.on("GET /version", 200, {"gitVersion": "v1.36.0"})
    write_kubeconfig(server.url, context="prod")
    return provider("context", tmp_path, kubeconfigs=[tmp_path / "config"])


def test_the_contexts_are_listed_without_asking_their_servers(context, server):
    assert [(state.name, state.server, state.state) for state in context.list()] == [
        ("prod", server.url, "unknown")
    ]
    assert server.requests == []


def test_its_state_is_whether_it_answers(context, server):
    assert context.status("prod").state == "running"
    server.on("GET /version", 500, b"ill")
    assert context.status("prod").state == "unknown"


def test_it_is_not_the_labs_own(context):
    with context.connect("prod") as cluster, pytest.raises(ConfirmationRequired):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})


@pytest.mark.parametrize("verb", ["create", "delete", "stop"])
def test_the_lab_does_not_make_or_end_it(context, verb):
    with pytest.raises(ClusterError, match="did not make"):
        getattr(context, verb)("prod")


def test_its_kubeconfig_is_the_file_that_has_it(context, tmp_path):
    assert context.kubeconfig("prod") == tmp_path / "config"


def test_a_kind_of_cluster_that_does_not_exist_is_told_with_those_that_do(tmp_path):
    with pytest.raises(ClusterError, match="no kind of cluster") as caught:
        provider("minikube", tmp_path)
    assert "sandbox" in caught.value.fix


@pytest.mark.parametrize("name", ["", "-a", "A", "a/b", "..", "a" * 41])
def test_a_name_that_cannot_be_a_folder_is_refused(tmp_path, name):
    with pytest.raises(ClusterError, match="cannot be called"):
        provider("sandbox", tmp_path).create(name)
