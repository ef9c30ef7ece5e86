"""Answers that a client, or a person, reads closely: which words, which code, and what is left as it was."""

import pytest

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
UNNAMED = "the name of the object (box based on URL) was undeterminable: name must be provided"


@pytest.fixture
def box(api, config_maps):
    """The path of a config map."""
    assert api.call("POST", config_maps, {"metadata": {"name": "box"}, "data": {"a": "1"}})[0] == 201
    return f"{config_maps}/box"


@pytest.mark.parametrize(
    ("selector", "problem"),
    [
        ("tier=web=db", "found '=', expected: ',' or 'end of string'"),
        ("tier=web,", "found '', expected: identifier after ','"),
        (",tier", "found ',', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!tier=web", "found '=', expected: ',' or 'end of string'"),
        ("tier in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("tier in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("tier=(", "unable to parse requirement: found '(', expected: identifier"),
    ],
)
def test_a_label_selector_that_is_none_is_refused_in_the_parsers_words(api, config_maps, selector, problem):
    status, body, _ = api.call("GET", f"{config_maps}?labelSelector={selector.replace(' ', '%20')}")
    assert (status, body["message"]) == (400, problem)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/apis/batch/v1/jobs", 'field label "spec.x" not supported for batchv1.Job'),
        ("/apis/apps/v1/statefulsets", "field label not supported for appsv1.StatefulSet: spec.x"),
        ("/api/v1/pods", "field label not supported: spec.x"),
    ],
)
def test_each_kind_has_its_own_words_for_a_field_it_does_not_select_by(api, path, problem):
    status, body, _ = api.call("GET", f"{path}?fieldSelector=spec.x%3D1")
    assert (status, body["message"]) == (400, problem)


def test_a_limit_below_zero_is_none(api, box, config_maps):
    status, page, _ = api.call("GET", f"{config_maps}?limit=-1")
    assert (status, page["metadata"].get("continue"), len(page["items"]) > 0) == (200, None, True)
    assert "box" in {item["metadata"]["name"] for item in page["items"]}


def test_objects_of_all_namespaces_cannot_be_deleted_in_one_request(api, box):
    assert api.call("DELETE", "/api/v1/configmaps?labelSelector=nobody=has")[0] == 405
    assert api.call("GET", box)[0] == 200


def test_version_zero_replaces_whatever_is_there(api, box):
    status, body, _ = api.call(
        "PUT", box, {"metadata": {"name": "box", "resourceVersion": "0"}, "data": {"a": "2"}}
    )
    assert (status, body["data"]) == (200, {"a": "2"})


def test_a_version_that_is_no_number_is_a_fault_in_the_real_words(api, box):
    status, body, _ = api.call("PATCH", box, {"metadata": {"resourceVersion": "new"}}, as_type=MERGE)
    assert (status, body["message"]) == (500, 'strconv.ParseUint: parsing "new": invalid syntax')


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        (MERGE, {"metadata": {"name": None}}),
        (MERGE, {"metadata": None}),
        (JSON_PATCH, [{"op": "remove", "path": "/metadata/name"}]),
    ],
)
def test_a_patch_cannot_take_the_name_away(api, box, kind, patch):
    status, body, _ = api.call("PATCH", box, patch, as_type=kind)
    assert (status, body["message"]) == (400, UNNAMED)


def test_a_patch_to_another_kind_is_invalid(api, box):
    status, body, _ = api.call("PATCH", box, {"kind": "Secret"}, as_type=MERGE)
    assert (status, body["details"]["causes"][0]["field"]) == (422, "patch")
    assert body["message"].endswith("converting (v1.Secret) to (core.ConfigMap): unknown conversion")


@pytest.mark.parametrize(
    ("kind", "patch", "problem"),
    [
        (MERGE, "null", "Invalid JSON Patch"),
        (
            JSON_PATCH,
            '["x"]',
            "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp",
        ),
    ],
)
def test_a_patch_that_is_none_is_refused(api, box, kind, patch, problem):
    status, body, _ = api.call("PATCH", box, patch, as_type=kind)
    assert (status, body["message"]) == (400, problem)


def test_a_deletion_with_a_body_that_is_no_json_deletes_nothing(api, box):
    status, body, _ = api.call("DELETE", box, "{no")
    expected = (
        "couldn't get version/kind; json parse error: "
        "invalid character 'n' looking for beginning of object key string"
    )
    assert (status, body["message"]) == (500, expected)
    assert api.call("GET", box)[0] == 200


def test_metadata_is_asked_for_as_what_is_there(api, box, config_maps):
    one, many = (
        f"application/json;as={form};v=v1;g=meta.k8s.io"
        for form in ("PartialObjectMetadata", "PartialObjectMetadataList")
    )
    status, body, _ = api.call("GET", box, Accept=many)
    assert (status, body["message"]) == (
        406,
        "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
    )
    status, body, _ = api.call("GET", config_maps, Accept=one)
    assert (status, body["message"]) == (
        406,
        "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
    )


def test_a_table_includes_what_it_can(api, config_maps):
    status, body, _ = api.call("GET", f"{config_maps}?includeObject=All", Accept=TABLE)
    problem = "Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty"
    expected = f'TableOptions.meta.k8s.io "" is invalid: includeObject: {problem}'
    assert (status, body["message"]) == (422, expected)


def test_health_is_told_check_by_check(api):
    status, text, _ = api.call("GET", "/readyz?verbose&exclude=etcd&exclude=moon")
    assert (status, text.splitlines()) == (
        200,
        [
            "[+]ping ok",
            "[+]etcd excluded: ok",
            "[+]shutdown ok",
            'warn: some health checks cannot be excluded: no matches for "moon"',
            "readyz check passed",
        ],
    )
    assert api.call("GET", "/livez")[:2] == (200, "ok")
    assert api.call("GET", "/livez/etcd")[:2] == (200, "ok")
    assert api.call("GET", "/livez/moon")[0] == 404


@pytest.mark.parametrize(
    ("kind", "status", "problem"),
    [
        ("Pod", 404, 'pods "gone" not found'),
        ("ConfigMap", 400, "cannot bind token to object of type /v1, Kind=ConfigMap"),
    ],
)
def test_a_token_is_bound_to_what_is_there(api, namespace, kind, status, problem):
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert api.call("POST", accounts, {"metadata": {"name": "robot"}})[0] == 201
    reference = {"apiVersion": "v1", "kind": kind, "name": "gone"}
    found, body, _ = api.call("POST", f"{accounts}/robot/token", {"spec": {"boundObjectRef": reference}})
    assert (found, body["message"]) == (status, problem)


def test_a_token_review_needs_a_token(api):
    status, body, _ = api.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {}})
    assert (status, body["message"]) == (400, "token is required for TokenReview in authentication")


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("PUT", "/apis/apps/v1/namespaces/{}/deployments/web/scale", "autoscaling.Scale"),
        ("POST", "/api/v1/namespaces/{}/pods/web/eviction", "policy.Eviction"),
        ("POST", "/api/v1/namespaces/{}/pods/web/binding", "core.Binding"),
    ],
)
def test_what_is_no_scale_eviction_or_binding_is_none(api, namespace, method, path, wanted):
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web"},
        "target": {"name": "node-1"},
    }
    status, said, _ = api.call(method, path.format(namespace), body)
    kind = wanted.partition(".")[2]
    problem = f"converting (v1.ConfigMap) to ({wanted}): unknown conversion"
    expected = f'ConfigMap in version "v1" cannot be handled as a {kind}: {problem}'
    assert (status, said["message"]) == (400, expected)
    status, said, _ = api.call(method, path.format(namespace), body | {"kind": "Nothing"})
    assert (status, 'no kind "Nothing" is registered for version "v1"' in said["message"]) == (400, True)
