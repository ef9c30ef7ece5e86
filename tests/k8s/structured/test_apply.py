import copy

import pytest

from labkit.errors import ApiError, Conflict
from labkit.k8s.structured import reset_fields

from .conftest import Story, custom


def test_who_applies_owns_what_they_say_and_nothing_else(service: Story) -> None:
    service.apply("ann", service.body(spec={"selector": {"app": "x"}, "ports": [{"port": 80}]}))
    assert service.owners == {
        "ann": {
            "f:spec": {
                "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}},
                "f:selector": {},
            }
        }
    }


def test_the_same_again_changes_nothing_at_all(service: Story) -> None:
    body = service.body(spec={"ports": [{"port": 80}]})
    first = copy.deepcopy(service.apply("ann", body))
    assert service.apply("ann", body) == first


def test_inputs_stay_as_they_are(service: Story) -> None:
    service.apply("ann", service.body(spec={"ports": [{"port": 80}]}))
    live, body = service.live, service.body(spec={"ports": [{"port": 81, "name": "b"}]})
    before = copy.deepcopy((live, body))
    service.apply("ann", body)
    assert (live, body) == before


def test_what_its_only_owner_no_longer_says_goes(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1", "b": "2"}))
    assert settings.apply("ann", settings.body(data={"b": "2"}))["data"] == {"b": "2"}


def test_a_map_goes_with_its_last_value(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1"}, metadata={"labels": {"x": "y"}}))
    left = settings.apply("ann", settings.body())
    assert "data" not in left
    assert "labels" not in left["metadata"]
    assert settings.owners == {}


def test_what_another_still_says_stays(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1", "b": "2"}))
    settings.apply("bea", settings.body(data={"b": "2"}))
    assert settings.apply("ann", settings.body(data={"a": "1"}))["data"] == {"a": "1", "b": "2"}
    assert settings.owners == {"ann": {"f:data": {"f:a": {}}}, "bea": {"f:data": {"f:b": {}}}}


def test_what_nobody_owns_stays(web: Story) -> None:
    web.apply("ann", web.body(spec={"replicas": 2, "paused": True}))
    assert web.live is not None
    web.live["spec"]["revisionHistoryLimit"] = 10  # a default
    web.apply("ann", web.body(spec={"paused": True}))
    assert web.live["spec"]["revisionHistoryLimit"] == 10
    assert "replicas" not in web.live["spec"]


def test_an_element_goes_with_the_defaults_that_it_has_got(web: Story) -> None:
    def pod(*containers: dict[str, object]) -> dict[str, object]:
        return web.body(spec={"template": {"spec": {"containers": list(containers)}}})

    web.apply("ann", pod({"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}))
    assert web.live is not None
    for container in web.live["spec"]["template"]["spec"]["containers"]:
        container["imagePullPolicy"] = "Always"
    web.apply("ann", pod({"name": "a", "image": "a:1"}))
    assert web.live["spec"]["template"]["spec"]["containers"] == [
        {"name": "a", "image": "a:1", "imagePullPolicy": "Always"}
    ]


def test_an_element_stays_while_another_owns_something_in_it(web: Story) -> None:
    def pod(**container: object) -> dict[str, object]:
        return web.body(spec={"template": {"spec": {"containers": [{"name": "a", **container}]}}})

    web.apply("ann", pod(image="a:1", tty=True))
    web.apply("bea", pod(stdin=True))
    web.apply("ann", web.body())
    assert web.live is not None
    assert web.live["spec"]["template"]["spec"]["containers"] == [{"name": "a", "stdin": True}]


def test_another_value_is_a_conflict_and_changes_nothing(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1"}))
    before = copy.deepcopy(settings.live)
    with pytest.raises(Conflict) as caught:
        settings.apply("bea", settings.body(data={"a": "2"}))
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "ann": .data.a'
    assert caught.value.details["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "ann"', "field": ".data.a"}
    ]
    assert settings.live == before


def test_conflicts_with_several_are_told_by_manager(service: Story) -> None:
    service.apply("ann", service.body(spec={"ports": [{"port": 80, "name": "web"}]}))
    service.write(
        "carl", {**(service.live or {}), "metadata": {"name": "it", "uid": "1", "labels": {"tier": "front"}}}
    )
    wanted = service.body(
        metadata={"labels": {"tier": "back"}}, spec={"ports": [{"port": 80, "name": "http"}]}
    )
    with pytest.raises(Conflict) as caught:
        service.apply("bea", wanted)
    assert caught.value.message == (
        'Apply failed with 2 conflicts: conflicts with "ann":\n- .spec.ports[port=80,protocol="TCP"].name\n'
        'conflicts with "carl" using v1:\n- .metadata.labels.tier'
    )


def test_force_takes_the_field_over(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1", "b": "1"}))
    assert settings.apply("bea", settings.body(data={"a": "2"}), force=True)["data"] == {"a": "2", "b": "1"}
    assert settings.owners == {"ann": {"f:data": {"f:b": {}}}, "bea": {"f:data": {"f:a": {}}}}


def test_an_atomic_list_has_one_owner_as_a_whole(web: Story) -> None:
    def pod(*arguments: str) -> dict[str, object]:
        return web.body(spec={"template": {"spec": {"containers": [{"name": "a", "args": list(arguments)}]}}})

    web.apply("ann", pod("-v"))
    with pytest.raises(Conflict, match=r'containers\[name="a"\].args'):
        web.apply("bea", pod("-v", "-q"))


def test_a_set_merges_by_value(settings: Story) -> None:
    settings.apply("ann", settings.body(metadata={"finalizers": ["x/a", "x/b"]}))
    settings.apply("bea", settings.body(metadata={"finalizers": ["x/b", "x/c"]}))
    settings.apply("ann", settings.body(metadata={"finalizers": ["x/a"]}))
    assert settings.live is not None
    assert settings.live["metadata"]["finalizers"] == ["x/a", "x/b", "x/c"]


def test_what_was_there_before_the_first_apply_gets_an_owner(settings: Story) -> None:
    settings.live = {"metadata": {"name": "it", "uid": "1"}, "data": {"a": "1"}}
    settings.apply("ann", settings.body(data={"b": "2"}))
    assert settings.owners == {
        "ann": {"f:data": {"f:b": {}}},
        "before-first-apply (update)": {"f:data": {".": {}, "f:a": {}}},
    }
    with pytest.raises(Conflict, match="before-first-apply"):
        settings.apply("ann", settings.body(data={"a": "2"}))


def test_a_new_owner_of_an_unchanged_field_has_no_time_yet(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1"}))
    settings.apply("bea", settings.body(data={"a": "1"}))
    assert settings.time("ann") == "2026-05-01T08:00:01Z"
    assert settings.time("bea") is None


def test_the_same_manager_through_a_subresource_is_another(web: Story) -> None:
    web.apply("ann", web.body(spec={"paused": True}))
    web.apply("ann", web.body(spec={"replicas": 3}), subresource="scale")
    assert web.owners == {"ann": {"f:spec": {"f:paused": {}}}, "ann/scale": {"f:spec": {"f:replicas": {}}}}
    with pytest.raises(Conflict, match='"ann" with subresource "scale"'):
        web.apply("bea", web.body(spec={"replicas": 4}))


def test_fields_that_the_path_does_not_write_are_not_owned_through_it(web: Story) -> None:
    web.apply(
        "ann",
        web.body(spec={"paused": True}, status={"replicas": 1}),
        ignored=reset_fields("apps", "Deployment"),
    )
    assert web.owners == {"ann": {"f:spec": {"f:paused": {}}}}


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            {"ports": [{"port": "80"}]},
            'ports[port="80",protocol="TCP"].port: expected numeric (int or float), got string',
        ),
        ({"ports": {"port": 80}}, "ports: expected list, got &{map[port:80]}"),
        ({"selector": {"app": 1}}, "selector.app: expected string, got &value.valueUnstructured{Value:1}"),
        ({"selector": "app"}, "selector: expected map, got &{app}"),
        ({"publishNotReadyAddresses": "yes"}, "publishNotReadyAddresses: expected boolean, got &{yes}"),
        ({"port": 80}, "port: field not declared in schema"),
        (
            {"ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}]},
            'ports: duplicate entries for key [port=1,protocol="TCP"]',
        ),
    ],
)
def test_what_does_not_fit_the_schema_is_told_in_the_apis_words(
    service: Story, spec: dict[str, object], problem: str
) -> None:
    with pytest.raises(ApiError) as caught:
        service.apply("ann", service.body(spec=spec, metadata={"namespace": "shop"}))
    assert (
        caught.value.message
        == f"failed to create typed patch object (shop/it; /v1, Kind=Service): .spec.{problem}"
    )
    assert (caught.value.code, caught.value.reason) == (500, "")


def test_several_misfits_are_told_together(service: Story) -> None:
    with pytest.raises(ApiError) as caught:
        service.apply("ann", service.body(spec={"clusterIP": 1, "type": []}))
    assert "errors:\n  .spec.clusterIP: expected string" in caught.value.message
    assert "\n  .spec.type: expected string" in caught.value.message


def test_numbers_where_quantities_and_ports_may_stand_fit(web: Story) -> None:
    container = {
        "name": "a",
        "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
        "readinessProbe": {"httpGet": {"port": 80}},
    }
    web.apply("ann", web.body(spec={"template": {"spec": {"containers": [container]}}}))


def test_elements_without_their_key_cannot_be_told_apart() -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}}}
    listed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    story = custom({"young": {"type": "array", "items": item, **listed}})
    with pytest.raises(ApiError, match="omits all key fields") as caught:
        story.apply("ann", story.body(spec={"young": [{"legs": 4}]}))
    assert (
        '.spec.young: element 0: associative list with keys has an element that omits all key fields ["name"]'
        in str(caught.value)
    )
