"""Answers that the conformance kit does not ask for: bounds, access, watches that lag, versions of one object."""

import json


def test_a_request_without_a_credential_is_nobodys(api):
    status, body, _ = api.call("GET", "/api/v1/nodes", token="")
    assert (status, body["reason"]) == (403, "Forbidden")


def test_a_wrong_token_is_refused(api):
    assert api.call("GET", "/api/v1/nodes", token="wrong")[0] == 401


def test_a_body_over_three_megabytes_is_refused(api, config_maps):
    status, body, _ = api.call("POST", config_maps, b" " * (3 * 1024 * 1024 + 1))
    assert (status, body["reason"]) == (413, "RequestEntityTooLarge")


def test_a_body_nested_a_thousand_deep_is_refused_and_the_server_lives(api, config_maps):
    for depth in (900, 5_000, 100_000):
        status, body, _ = api.call("POST", config_maps, "[" * depth + "]" * depth)
        assert (status, body["kind"]) == (400, "Status")
        nested = '{"a":' * depth + "1" + "}" * depth
        assert api.call("POST", config_maps, nested)[0] in (201, 400, 422)
    assert api.call("GET", "/readyz")[0] == 200


def test_yaml_that_is_none_is_a_bad_request(api, config_maps):
    status, body, _ = api.call("POST", config_maps, "a: [1", as_type="application/yaml")
    assert (status, body["reason"]) == (400, "BadRequest")


def test_a_watch_from_a_compacted_version_says_that_it_is_gone(fresh):
    import sqlite3

    server = fresh()
    server.stop()
    database = sqlite3.connect(server.folder / "state.db")
    database.execute("UPDATE counter SET compacted = revision")
    database.commit()
    database.close()
    client = server.start().http()
    path = "/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=1"
    client.connection.request("GET", path, headers={"Authorization": f"Bearer {client.token}"})
    event = json.loads(client.connection.getresponse().readline())
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    client.close()


def test_a_service_account_that_was_deleted_takes_its_tokens_with_it(api, namespace):
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert api.call("POST", accounts, {"metadata": {"name": "robot"}})[0] == 201
    token = api.call("POST", f"{accounts}/robot/token", {"spec": {}})[1]["status"]["token"]
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    name = api.call("POST", who, {}, token=token)[1]["status"]["userInfo"]["username"]
    assert name == f"system:serviceaccount:{namespace}:robot"
    api.call("DELETE", f"{accounts}/robot")
    assert api.call("POST", who, {}, token=token)[0] == 401


def test_an_autoscaler_is_one_object_in_two_versions(api, namespace):
    v1, v2 = (f"/apis/autoscaling/{v}/namespaces/{namespace}/horizontalpodautoscalers" for v in ("v1", "v2"))
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "maxReplicas": 5, "targetCPUUtilizationPercentage": 60}
    assert api.call("POST", v1, {"metadata": {"name": "web"}, "spec": spec})[0] == 201
    [metric] = api.call("GET", f"{v2}/web")[1]["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    status, body, _ = api.call(
        "PATCH",
        f"{v1}/web",
        {"spec": {"targetCPUUtilizationPercentage": 70}},
        as_type="application/merge-patch+json",
    )
    assert (status, body["apiVersion"], body["spec"]["targetCPUUtilizationPercentage"]) == (
        200,
        "autoscaling/v1",
        70,
    )


def test_a_quota_is_kept(api, namespace, config_maps):
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"configmaps": "1"}}}
    assert api.call("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)[0] == 201
    assert api.call("POST", config_maps, {"metadata": {"name": "first"}})[0] == 201
    status, body, _ = api.call("POST", config_maps, {"metadata": {"name": "second"}})
    assert status == 403
    assert (
        "exceeded quota: small, requested: configmaps=1, used: configmaps=1, limited: configmaps=1"
        in body["message"]
    )


def test_a_limit_range_gives_containers_their_limits(api, namespace):
    ranges, pods = (f"/api/v1/namespaces/{namespace}/{plural}" for plural in ("limitranges", "pods"))
    item = {"type": "Container", "default": {"cpu": "500m"}, "max": {"cpu": "1"}}
    assert api.call("POST", ranges, {"metadata": {"name": "small"}, "spec": {"limits": [item]}})[0] == 201
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}
    status, body, _ = api.call("POST", pods, pod)
    assert (status, body["spec"]["containers"][0]["resources"]["limits"]) == (201, {"cpu": "500m"})


def test_a_service_may_become_one_of_another_type(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]}
    _, before, _ = api.call("POST", path, {"metadata": {"name": "changing"}, "spec": spec})
    assert before["spec"]["healthCheckNodePort"]
    assert before["spec"]["ports"][0]["nodePort"]
    before["spec"]["type"] = "ClusterIP"
    status, after, _ = api.call("PUT", f"{path}/changing", before)
    gone = {"externalTrafficPolicy", "healthCheckNodePort", "allocateLoadBalancerNodePorts"}
    assert (status, gone & set(after["spec"]), "nodePort" in after["spec"]["ports"][0]) == (200, set(), False)


def test_two_services_never_have_one_address(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    spec = {"ports": [{"port": 80}]}
    made = [api.call("POST", path, {"metadata": {"name": f"s{n}"}, "spec": spec})[1] for n in range(5)]
    addresses = [service["spec"]["clusterIP"] for service in made]
    assert len(set(addresses)) == 5
    taken = {"metadata": {"name": "again"}, "spec": {**spec, "clusterIP": addresses[0]}}
    status, body, _ = api.call("POST", path, taken)
    assert (status, "already allocated" in body["message"]) == (422, True)


def test_a_strict_rule_of_a_custom_kind_sees_changes(api):
    group = "rules.example.com"
    rule = {"rule": "self.size >= oldSelf.size", "message": "size may only grow"}
    spec = {"type": "object", "properties": {"size": {"type": "integer"}}, "x-kubernetes-validations": [rule]}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    definition = {
        "metadata": {"name": f"boxes.{group}"},
        "spec": {
            "group": group,
            "scope": "Cluster",
            "names": {"kind": "Box", "plural": "boxes"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
    crds, boxes = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", f"/apis/{group}/v1/boxes"
    assert api.call("POST", crds, definition)[0] == 201
    assert api.call("POST", boxes, {"metadata": {"name": "one"}, "spec": {"size": 3}})[0] == 201
    merge = "application/merge-patch+json"
    assert api.call("PATCH", f"{boxes}/one", {"spec": {"size": 4}}, as_type=merge)[0] == 200
    status, body, _ = api.call("PATCH", f"{boxes}/one", {"spec": {"size": 2}}, as_type=merge)
    assert (status, "size may only grow" in body["message"]) == (422, True)
    assert api.call("DELETE", f"{crds}/boxes.{group}")[0] == 200
    assert api.call("GET", boxes)[0] == 404


def test_patches_that_are_no_objects_are_refused(api, config_maps, namespace):
    """Each of these was once a fault of the server's own."""
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    assert api.call("POST", deployments, {"metadata": {"name": "a"}, "spec": spec})[0] == 201
    for path in (f"{deployments}/a", f"{deployments}/a/scale", f"{deployments}/a/status"):
        for patch in ("[]", "3", "null", '"a"', "true"):
            for kind in ("merge", "strategic-merge"):
                status, body, _ = api.call("PATCH", path, patch, as_type=f"application/{kind}-patch+json")
                assert status in (400, 422), (path, patch, kind)
                assert "cannot unmarshal" in body["message"] or body["message"] == "Invalid JSON Patch"
    whole = [{"op": "replace", "path": "", "value": []}]
    assert api.call("PATCH", f"{deployments}/a", whole, as_type="application/json-patch+json")[0] == 422
    for part in ("metadata", "spec"):
        assert api.call("PUT", f"{deployments}/a/scale", {part: []})[0] == 400


def test_an_owner_and_a_definition_of_the_wrong_shape_are_refused(api, config_maps):
    odd = {"apiVersion": ["v1"], "kind": [], "name": "a", "uid": "u"}
    for body in (
        {"metadata": {"name": "a", "ownerReferences": [odd]}},
        {"apiVersion": [], "kind": {}, "metadata": {}},
    ):
        assert api.call("POST", config_maps, body)[0] in (400, 422)
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names = {"plural": "as", "kind": "A"}
    spec = {"group": "x.example", "scope": "Namespaced", "names": names, "versions": None}
    assert api.call("POST", crds, {"metadata": {"name": "as.x.example"}, "spec": spec})[0] == 422
