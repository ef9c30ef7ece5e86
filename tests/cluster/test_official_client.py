"""The official library: for those who want it, and for credentials that a program hands out."""

import sys

import pytest

from labkit.errors import ClusterError

PLUGIN = """
import json, sys
print(json.dumps({
    "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
    "status": {"token": "from-the-plugin"},
}))
"""


def exec_user(*arguments):
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": list(arguments),
            "interactiveMode": "Never",
        }
    }


def test_a_program_is_asked_for_the_credential(server, connect):
    server.on("GET /version", 200, {"gitVersion": "v1.36.0"})
    cluster = connect(user=exec_user("-c", PLUGIN))
    assert cluster.version() == "v1.36.0"
    assert server.requests[-1][2]["Authorization"] == "Bearer from-the-plugin"
    assert "from-the-plugin" not in repr(vars(cluster))


def test_a_program_that_fails_is_told_without_what_it_said(connect):
    with pytest.raises(ClusterError, match="no credential could be had") as caught:
        connect(user=exec_user("-c", "import sys; sys.exit('s3cret')"))
    assert sys.executable in caught.value.problem
    assert "s3cret" not in str(caught.value)
    assert "kubectl --context test" in caught.value.fix


def test_the_official_client_speaks_to_the_same_server(server, connect):
    from kubernetes import client

    body = {"kind": "NamespaceList", "items": [{"metadata": {"name": "shop"}}], "metadata": {}}
    server.on("GET /api/v1/namespaces", 200, body)
    with connect(user={"token": "t"}).api_client() as official:
        found = client.CoreV1Api(official).list_namespace()
    assert [item.metadata.name for item in found.items] == ["shop"]
    assert server.requests[-1][2].get("authorization") == "Bearer t"
