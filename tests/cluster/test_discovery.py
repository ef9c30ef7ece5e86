"""Which kinds a server has: asked as late and as seldom as can be, in both ways that servers answer."""

import pytest

from labkit.errors import NoSuchKind, NotFound

from .server import RESOURCES

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def group(name, version, *kinds):
    resources = [
        {"resource": k.lower() + "s", "responseKind": {"kind": k}, "scope": "Namespaced", "verbs": ["get"]}
        for k in kinds
    ]
    return {"metadata": {"name": name}, "versions": [{"version": version, "resources": resources}]}


def aggregated(server, path, *groups, etag="1"):
    body = {"kind": "APIGroupDiscoveryList", "items": list(groups)}
    server.on(f"GET {path}", 200, body, {"Content-Type": AGGREGATED, "ETag": f'"{etag}"'})


def test_nothing_is_asked_before_it_is_needed(server, connect):
    connect()
    assert server.requests == []


def test_old_servers_are_asked_group_by_group(server, connect):
    groups = [{"name": "apps", "versions": [{"groupVersion": "apps/v1"}]}]
    server.on("GET /apis", 200, {"kind": "APIGroupList", "groups": groups})
    deployments = {"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": ["get"]}
    server.on("GET /apis/apps/v1", 200, {"groupVersion": "apps/v1", "resources": [deployments]})
    cluster = connect()
    assert (
        cluster.resource("apps/v1", "Deployment").path("a", "b") == "/apis/apps/v1/namespaces/a/deployments/b"
    )
    assert cluster.resource("v1", "Pod").subresources == ("log",)
    assert cluster.resource("v1", "Namespace").path("ignored", "b") == "/api/v1/namespaces/b"


def test_new_servers_answer_at_once(server, connect):
    aggregated(server, "/api", group("", "v1", "Pod"))
    aggregated(server, "/apis", group("apps", "v1", "Deployment"), group("batch", "v1", "Job"))
    found = [(r.api_version, r.kind, r.plural) for r in connect().resources()]
    assert found == [
        ("v1", "Pod", "pods"),
        ("apps/v1", "Deployment", "deployments"),
        ("batch/v1", "Job", "jobs"),
    ]
    assert len(server.requests) == 2


def test_kinds_are_kept(server, connect):
    cluster = connect()
    cluster.resource("v1", "Pod")
    asked = len(server.requests)
    cluster.resource("v1", "ConfigMap")
    assert len(server.requests) == asked


def test_a_kind_that_was_added_since_is_found(server, connect):
    aggregated(server, "/apis", group("apps", "v1", "Deployment"))
    cluster = connect()
    cluster.resource("apps/v1", "Deployment")
    aggregated(server, "/apis", group("apps", "v1", "Deployment"), group("example.com", "v1", "Widget"))
    assert cluster.resource("example.com/v1", "Widget").plural == "widgets"


def test_an_answer_that_has_not_changed_is_not_sent_again(server, connect):
    aggregated(server, "/apis", group("apps", "v1", "Deployment"))
    cluster = connect()
    cluster.resources()
    server.on("GET /apis", 304, b"")
    assert "Deployment" in [r.kind for r in cluster.resources(refresh=True)]
    tags = [headers.get("If-None-Match") for _, path, headers, _ in server.requests if path == "/apis"]
    assert tags == [None, '"1"']


def test_a_group_whose_server_is_down_hides_nobody_else(server, connect):
    groups = [{"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1"}]}]
    server.on("GET /apis", 200, {"kind": "APIGroupList", "groups": groups})
    server.on("GET /apis/metrics.k8s.io/v1beta1", 503, b"down")
    assert connect().resource("v1", "Pod")


@pytest.mark.parametrize(
    ("api_version", "kind", "near"),
    [
        ("v1", "Pods", "v1 Pod"),
        ("v1", "pod", "v1 Pod"),
        ("v1", "cm", "v1 ConfigMap"),
        ("v1", "ConfgMap", "v1 ConfigMap"),
        ("v2", "Pod", "v1 Pod"),
        ("example.com/v1", "Gizmo", "CustomResourceDefinition"),
    ],
)
def test_an_unknown_kind_is_told_with_near_ones(server, connect, api_version, kind, near):
    server.on("GET /api/v1", 200, RESOURCES)
    with pytest.raises(NoSuchKind) as caught:
        connect().get(api_version, kind, "x")
    assert f'no matches for kind "{kind}" in version "{api_version}"' in caught.value.message
    assert near in caught.value.fix


def test_an_object_of_an_unknown_kind_is_not_there(connect):
    assert connect().find("example.com/v1", "Gizmo", "x") is None


def test_a_kind_that_went_away_is_asked_for_again(server, connect):
    aggregated(server, "/apis", group("example.com", "v1", "Widget"))
    cluster = connect()
    server.on("GET /apis/example.com/v1/namespaces/default/widgets/x", 404, b"404 page not found")
    with pytest.raises(NotFound):
        cluster.get("example.com/v1", "Widget", "x")
    aggregated(server, "/apis", group("apps", "v1", "Deployment"), etag="2")
    with pytest.raises(NoSuchKind):
        cluster.get("example.com/v1", "Widget", "x")
