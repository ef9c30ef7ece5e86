"""Requests that make no sense, each of which once ended in a fault: they are the client's mistake, and say which."""

import pytest

POD = {"metadata": {"name": "odd"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


@pytest.fixture
def pods(api, namespace):
    """The path of a namespace's pods; there is one, ``odd``, on a node."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    assert api.call("POST", path, POD | {"spec": POD["spec"] | {"nodeName": "n"}})[0] == 201
    return path


def test_a_null_in_a_list_is_an_empty_element(api, pods):
    status, answer, _ = api.call(
        "POST", f"{pods}?dryRun=All", {"metadata": {"name": "n"}, "spec": {"containers": [None]}}
    )
    assert (status, "spec.containers[0].name: Required value" in answer["message"]) == (422, True)


@pytest.mark.parametrize("body", [b"'text'", b"[1]", b"7"])
def test_yaml_that_is_no_object_is_refused(api, pods, body):
    status, answer, _ = api.call("POST", pods, body, as_type="application/yaml")
    assert (status, "json: cannot unmarshal" in answer["message"]) == (400, True)


@pytest.mark.parametrize("spec", [{}, {"spec": None}])
def test_a_definition_without_a_spec_is_invalid(api, spec):
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert api.call("POST", path, {"metadata": {"name": "a.example"}} | spec)[0] == 422


@pytest.mark.parametrize(
    "wrong", [{"required": [{"a": 1}]}, {"properties": {"a": 1}}, {"properties": []}, {"type": ["object"]}]
)
def test_a_definition_whose_schema_is_none_is_invalid(api, wrong):
    schema = {"type": "object", "properties": {"spec": {"type": "object", **wrong}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Odd", "plural": "odds"}
    spec = {"group": "odd.example", "scope": "Namespaced", "names": names, "versions": [version]}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert api.call("POST", path, {"metadata": {"name": "odds.odd.example"}, "spec": spec})[0] in (400, 422)


@pytest.mark.parametrize(
    ("kind", "patch", "status", "words"),
    [
        (MERGE, b"[1]", 400, "error decoding patch: json: cannot unmarshal array into Go value"),
        (STRATEGIC, b"true", 400, "error decoding patch: json: cannot unmarshal bool into Go value"),
    ],
)
def test_a_patch_that_is_no_object_is_refused(api, pods, kind, patch, status, words):
    found, answer, _ = api.call("PATCH", f"{pods}/odd", patch, as_type=kind)
    assert (found, words in answer["message"]) == (status, True)


def test_a_scale_of_another_shape_is_refused(api, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}
    spec = {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    assert api.call("POST", path, {"metadata": {"name": "odd"}, "spec": spec})[0] == 201
    for patch in ({"spec": [1]}, {"metadata": "x"}, {"spec": {"replicas": "1"}}):
        assert api.call("PATCH", f"{path}/odd/scale", patch, as_type=MERGE)[0] == 400


@pytest.mark.parametrize("containers", [None, []])
def test_a_pod_does_not_lose_its_containers(api, pods, containers):
    pod = api.call("GET", f"{pods}/odd")[1]
    pod["spec"]["containers"] = containers
    assert api.call("PUT", f"{pods}/odd", pod)[0] == 422


@pytest.mark.parametrize("time", ["a", "2026-01-01", "2026-01-01T00:00:00"])
def test_a_log_since_no_time_is_refused(api, pods, time):
    status, answer, _ = api.call("GET", f"{pods}/odd/log?sinceTime={time}")
    assert (status, answer["reason"]) == (400, "BadRequest")
