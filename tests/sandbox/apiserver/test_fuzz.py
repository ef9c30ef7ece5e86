# ruff: noqa: E501 - objects of one line each are read as a table
"""Requests that nobody would write: made of the served OpenAPI, of good objects with something wrong, and of bytes.

Whatever comes, the answer is an answer: never a fault of the server's own, errors are a ``Status`` that says its code,
and the server goes on. The search is short here; ``LABKIT_FUZZ=5000`` makes it long, and different each time.
"""

from __future__ import annotations

import json
import os
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.sandbox.conftest import Server

LONG = int(os.environ.get("LABKIT_FUZZ", "0"))
SEARCH = settings(
    max_examples=LONG or 40,
    deadline=None,
    derandomize=not LONG,
    database=None,
    phases=(Phase.generate,),  # a server remembers: what failed once need not fail when it is asked again
    suppress_health_check=list(HealthCheck),
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["a", "b", "kubernetes", "default", "A_", "..", "x" * 300, "a:80", "é", " "])
VALUES = st.sampled_from(
    ["", "0", "1", "-1", "true", "All", "99999999999999999999", "a=b", "a in (b,", "!", "metadata.name=a", "a\u0000", "%",
     "Background", "Strict", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0"]
)  # fmt: skip
PATCHES = ("json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
MEDIA = st.sampled_from(
    [
        *(f"application/{kind}" for kind in (*PATCHES, "json", "yaml", "vnd.kubernetes.protobuf", "cbor")),
        "",
        "text/plain",
    ]
)
ACCEPT = st.sampled_from(
    ["", "*/*", "application/json;as=Table;g=meta.k8s.io;v=v1", "application/yaml", "a;;=", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"]
)  # fmt: skip

POD = {
    "metadata": {"name": "a"},
    "spec": {"containers": [{"name": "main", "image": "nginx", "ports": [{"containerPort": 80}]}]},
}
TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": POD["spec"]}
GOOD = {
    "/api/v1/namespaces/default/pods": POD,
    "/api/v1/namespaces/default/services": {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80, "targetPort": "http"}], "selector": {"app": "a"}}},
    "/api/v1/namespaces/default/resourcequotas": {"metadata": {"name": "a"}, "spec": {"hard": {"pods": "3"}}},
    "/apis/apps/v1/namespaces/default/deployments": {"metadata": {"name": "a", "labels": {"a": "b"}}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}},
    "/apis/batch/v1/namespaces/default/cronjobs": {"metadata": {"name": "a"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {**POD["spec"], "restartPolicy": "Never"}}}}}},
    "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers": {"metadata": {"name": "a"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"}, "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 5}}}], "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 5}]}}}},
    "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers": {"metadata": {"name": "a", "annotations": {"autoscaling.alpha.kubernetes.io/metrics": "[{}]"}}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "a"}, "maxReplicas": 3}},
    "/apis/networking.k8s.io/v1/namespaces/default/ingresses": {"metadata": {"name": "a"}, "spec": {"rules": [{"host": "a.b", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "a", "port": {"number": 80}}}}]}}]}},
    "/apis/rbac.authorization.k8s.io/v1/clusterroles": {"metadata": {"name": "a"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "/apis/authorization.k8s.io/v1/subjectaccessreviews": {"spec": {"user": "a", "resourceAttributes": {"verb": "get", "resource": "pods"}}},
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": {"metadata": {"name": "as.x.example"}, "spec": {"group": "x.example", "scope": "Namespaced", "names": {"plural": "as", "kind": "A"}, "versions": [{"name": "v1", "served": True, "storage": True, "additionalPrinterColumns": [{"name": "X", "type": "string", "jsonPath": ".spec.x"}], "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-validations": [{"rule": "self.x > 1"}], "properties": {"x": {"type": "integer", "default": 3}}}}}}}]}},
}  # fmt: skip


@pytest.fixture(scope="module")
def fuzzed(fresh_module):
    client = fresh_module.http()
    yield client
    client.close()


@pytest.fixture(scope="module")
def fresh_module(tmp_path_factory):
    """A server of its own: what is written here is nobody else's trouble."""
    folder = tmp_path_factory.mktemp("fuzz") / "cluster"
    folder.mkdir()
    server = Server(folder, "--without-controllers").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def operations(fuzzed):
    """(method, path, query parameters, definition of the body or "") of everything that is served."""
    document = fuzzed.call("GET", "/openapi/v2")[1]
    found = [
        (method.upper(), path, [p["name"] for p in said["parameters"] if p["in"] == "query"], _body(said))
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]
    assert len(found) > 300
    return found, document["definitions"]


def _body(said):
    schema = next((p["schema"] for p in said["parameters"] if p["in"] == "body"), {})
    return schema.get("$ref", "").rpartition("/")[2]


def ask(client, method, path, body=None, media="application/json", accept="*/*"):
    """One request; the body is JSON, or bytes as they are."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = {"Authorization": f"Bearer {client.token}", "Accept": accept}
    if method not in ("GET", "HEAD"):
        said["Content-Type"] = media
    client.connection.request(method, path, text if method not in ("GET", "HEAD") else None, said)
    answer = client.connection.getresponse()
    return answer.status, answer.read().decode("utf-8", "replace"), answer.headers.get("Content-Type", "")


def fine(answer):
    """Whether an answer is one: no fault of the server's own, and an error says which it is."""
    status, text, media = answer
    assert "fault of its own" not in text
    assert 200 <= status < 600
    if status >= 400 and text and media == "application/json":
        body = json.loads(text)
        assert (body["kind"], body["code"]) == ("Status", status)
    return status


def built(draw, definitions, name, depth=0):
    """An object of a definition; now and then some of it is something else."""
    schema = definitions.get(name, {})
    fields = schema.get("properties") or {}
    if depth > 5 or not fields:
        return draw(JSON)
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), max_size=6, unique=True))
    chosen += [one for one in schema.get("required", ()) if one not in chosen]
    return {one: value(draw, definitions, fields[one], depth + 1) for one in chosen if one in fields}


def value(draw, definitions, schema, depth):
    if draw(st.integers(0, 19)) == 0:
        return draw(JSON)
    if "$ref" in schema:
        return built(draw, definitions, schema["$ref"].rpartition("/")[2], depth)
    match schema.get("type"):
        case "array":
            count = draw(st.integers(0, 2))
            return [value(draw, definitions, schema.get("items", {}), depth + 1) for _ in range(count)]
        case "object":
            inner = schema.get("additionalProperties", {})
            keys = draw(st.lists(st.sampled_from(["a", "cpu", "A/b", ""]), max_size=2, unique=True))
            return {key: value(draw, definitions, inner, depth + 1) for key in keys}
        case "integer":
            return draw(st.sampled_from([0, 1, -1, 80, 2**31, 2**64]))
        case "boolean":
            return draw(st.booleans())
    return draw(
        st.sampled_from(
            ["", "a", "1Gi", "10m", "2030-01-01T00:00:00Z", "Always", "é", "a.b/c", "50%", "[", "*"]
        )
    )


@SEARCH
@given(data=st.data())
def test_requests_of_the_served_openapi(fuzzed, operations, data):
    found, definitions = operations
    method, path, parameters, kind = data.draw(st.sampled_from(found))
    path = path.replace("{namespace}", "default").replace("{name}", quote(data.draw(NAMES), safe=""))
    parameters = [one for one in parameters if one not in ("watch", "follow")]
    chosen = data.draw(st.lists(st.sampled_from(parameters), max_size=3)) if parameters else []
    query = urlencode([(name, data.draw(VALUES)) for name in chosen])
    body, media = None, "application/json"
    if method in ("POST", "PUT"):
        body = built(data.draw, definitions, kind)
        if isinstance(body, dict) and data.draw(st.integers(0, 4)):
            body["metadata"] = {"name": data.draw(NAMES)}
    elif method == "PATCH":
        media = "application/" + data.draw(st.sampled_from(PATCHES))
        body = data.draw(JSON)
    fine(ask(fuzzed, method, f"{path}?{query}", body, media, data.draw(ACCEPT)))


@SEARCH
@given(data=st.data())
def test_good_objects_with_something_wrong(fuzzed, data):
    path = data.draw(st.sampled_from(sorted(GOOD)))
    obj = json.loads(json.dumps(GOOD[path]))
    spoil(data.draw, obj)
    name = GOOD[path].get("metadata", {}).get("name", "a")
    fine(
        ask(
            fuzzed,
            "POST",
            f"{path}?fieldValidation={data.draw(VALUES.filter(str.isalpha) | st.just('Warn'))}",
            obj,
        )
    )
    fine(ask(fuzzed, "PUT", f"{path}/{name}", obj))
    manager = "?fieldManager=fuzz&force=true"
    whole = {
        "apiVersion": "/".join(path.split("/")[2 : -3 if "namespaces" in path else -1]),
        "kind": "X",
        **obj,
    }
    fine(ask(fuzzed, "PATCH", f"{path}/{name}{manager}", whole, media="application/apply-patch+yaml"))
    for kind in PATCHES[1:3]:
        fine(ask(fuzzed, "PATCH", f"{path}/{name}", obj, media=f"application/{kind}"))
    fine(ask(fuzzed, "GET", path, accept=data.draw(ACCEPT)))
    fine(ask(fuzzed, "DELETE", f"{path}/{name}", data.draw(st.none() | JSON)))


def spoil(draw, obj):
    """Put something else in the place of one of an object's values."""
    node = obj
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        place = draw(st.sampled_from(places))
        below = node[place]
        if isinstance(below, (dict, list)) and below and draw(st.integers(0, 3)):
            node = below
            continue
        node[place] = draw(JSON | VALUES)
        return


@SEARCH
@given(data=st.data())
def test_patches_of_what_is_there(fuzzed, data):
    path = "/apis/apps/v1/namespaces/default/deployments"
    ask(fuzzed, "POST", path, GOOD[path])
    pointer = st.sampled_from(["", "/", "/spec", "/spec/replicas", "/metadata/name", "/spec/template/spec/containers/-", "/metadata/labels/a~1b", "/x/0", "~"])  # fmt: skip
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]), "path": pointer},
        optional={"value": JSON, "from": pointer},
    )
    patch = data.draw(st.lists(operation, max_size=4) | JSON)
    fine(ask(fuzzed, "PATCH", f"{path}/a", patch, media="application/json-patch+json"))
    fine(ask(fuzzed, "PATCH", f"{path}/a/{data.draw(st.sampled_from(['scale', 'status', 'nothing']))}", data.draw(JSON),
                     media="application/" + data.draw(st.sampled_from(PATCHES))))  # fmt: skip


@SEARCH
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "X"]),
    parts=st.lists(st.sampled_from(["api", "apis", "v1", "namespaces", "default", "pods", "a", "", "log", "proxy", "watch", "..", "%00", "%ff", "x" * 500]), max_size=8),
    query=st.text("abc=&%;+-!\u00e9", max_size=20),
    body=st.binary(max_size=200) | st.binary(max_size=60).map(b"k8s\x00".__add__),
    media=MEDIA,
    accept=ACCEPT,
)  # fmt: skip
def test_bytes(fuzzed, method, parts, query, body, media, accept):
    if "watch" in parts and method == "GET":
        query = "timeoutSeconds=1"
    path = "/" + "/".join(parts) + "?" + quote(query, safe="=&%;+-!")
    fine(ask(fuzzed, method, path, body, media, accept))


def test_watches_of_anything_end_when_their_time_is_over(fuzzed):
    for path in ("/api/v1/watch/namespaces/default/pods",):
        for query in (
            "",
            "&resourceVersion=1",
            "&resourceVersion=x",
            "&sendInitialEvents=true",
            "&labelSelector=!",
            "&allowWatchBookmarks=1",
        ):
            status, _, _ = ask(fuzzed, "GET", f"{path}?watch=true&timeoutSeconds=1{query}")
            assert status in (200, 400, 410, 422, 500)


def test_after_all_that_the_server_goes_on(fuzzed):
    assert ask(fuzzed, "GET", "/readyz")[0] == 200
    assert fine(ask(fuzzed, "GET", "/api/v1/pods")) == 200
