import copy
from typing import Any

from labkit.k8s.structured import reset_fields

from .conftest import Story, builtin, custom


def _set(path: str, value: Any) -> Any:
    def change(obj: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for step in way:
            obj = obj.setdefault(step, {})
        obj[last] = value

    return change


def test_who_creates_owns_all_that_is_in_it(settings: Story) -> None:
    settings.write("ann", {"metadata": {"name": "it", "labels": {"x": "y"}}, "data": {"a": "1"}})
    assert settings.owners == {
        "ann (update)": {"f:data": {".": {}, "f:a": {}}, "f:metadata": {"f:labels": {".": {}, "f:x": {}}}}
    }


def test_what_every_object_of_the_kind_has_is_nobodys(web: Story) -> None:
    pod = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "a", "resources": {}}]}}
    web.write("ann", {"metadata": {"name": "it"}, "spec": {"strategy": {}, "template": pod}, "status": {}})
    assert web.owners["ann (update)"] == {
        "f:spec": {
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:resources": {}}}},
            }
        }
    }


def test_names_and_what_the_server_counts_are_nobodys(settings: Story) -> None:
    meta = {"name": "it", "namespace": "n", "uid": "1", "resourceVersion": "5", "generation": 1}
    settings.write("ann", {"metadata": {**meta, "creationTimestamp": "2026-01-01T00:00:00Z"}})
    assert settings.owners == {}


def test_a_write_takes_what_it_changes_without_asking(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1", "b": "1"}))
    settings.change("carl", _set("data.a", "2"))
    assert settings.owners == {"ann": {"f:data": {"f:b": {}}}, "carl (update)": {"f:data": {"f:a": {}}}}


def test_a_write_that_changes_nothing_leaves_no_trace(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1"}))
    before = copy.deepcopy(settings.live)
    settings.change("carl", lambda obj: None)
    assert settings.live == before


def test_a_removed_field_is_lost_to_all_its_owners(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1", "b": "1"}))
    settings.apply("bea", settings.body(data={"a": "1"}))
    settings.change("carl", lambda obj: obj["data"].pop("a"))
    assert settings.owners == {"ann": {"f:data": {"f:b": {}}}}


def test_entries_of_the_same_manager_grow_together(settings: Story) -> None:
    settings.write("ann", {"metadata": {"name": "it"}, "data": {"a": "1"}})
    settings.change("ann", _set("data.b", "2"))
    assert settings.owners == {"ann (update)": {"f:data": {".": {}, "f:a": {}, "f:b": {}}}}
    assert settings.time("ann (update)") == "2026-05-01T08:00:02Z"


def test_an_object_that_nobody_was_noted_for_stays_so_until_the_first_apply(settings: Story) -> None:
    settings.live = {"metadata": {"name": "it", "uid": "1"}, "data": {"a": "1"}}
    settings.change("carl", _set("data.a", "2"))
    assert settings.owners == {}


def test_an_empty_entry_makes_the_server_forget(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1"}))
    settings.change("carl", _set("metadata.managedFields", [{}]))
    assert settings.owners == {}
    settings.change("carl", _set("data.b", "2"))
    assert settings.owners == {}


def test_a_writer_may_write_the_entries_themselves(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1"}))

    def rename(obj: dict[str, Any]) -> None:
        obj["metadata"]["managedFields"][0]["manager"] = "bea"

    settings.change("carl", rename)
    assert settings.owners == {"bea": {"f:data": {"f:a": {}}}}


def test_entries_that_make_no_sense_are_not_taken(settings: Story) -> None:
    settings.apply("ann", settings.body(data={"a": "1"}))
    settings.change("carl", _set("metadata.managedFields", [{"manager": "x", "operation": "Steal"}]))
    assert settings.owners == {"ann": {"f:data": {"f:a": {}}}}


def test_through_a_subresource_the_entries_cannot_be_written(web: Story) -> None:
    web.apply("ann", web.body(spec={"replicas": 1}))

    def both(obj: dict[str, Any]) -> None:
        obj["metadata"]["managedFields"] = [{}]
        obj["status"] = {"replicas": 1}

    web.change("carl", both, subresource="status", ignored=reset_fields("apps", "Deployment", "status"))
    assert web.owners == {
        "ann": {"f:spec": {"f:replicas": {}}},
        "carl/status (update)": {"f:status": {"f:replicas": {}}},
    }


def test_an_object_keeps_ten_updaters_and_the_ancient_ones_together(settings: Story) -> None:
    settings.write("first", {"metadata": {"name": "it"}, "data": {"k0": "0"}})
    for number in range(1, 13):
        settings.change(f"writer-{number:02d}", _set(f"data.k{number}", "x"))
    assert len(settings.owners) == 10
    assert settings.owners["ancient-changes (update)"] == {
        "f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}}
    }


def test_elements_that_are_there_twice_are_owned_as_one() -> None:
    web = builtin("apps/v1", "Deployment")

    def pod(*values: str) -> dict[str, Any]:
        env = [{"name": "A", "value": value} for value in values]
        return {
            "metadata": {"name": "it"},
            "spec": {"template": {"spec": {"containers": [{"name": "a", "env": env}]}}},
        }

    def env_of(label: str) -> Any:
        spec = web.owners[label]["f:spec"]["f:template"]["f:spec"]
        return spec["f:containers"]['k:{"name":"a"}']["f:env"]

    web.write("ann", pod("1", "2"))
    assert env_of("ann (update)") == {".": {}, 'k:{"name":"A"}': {}}
    web.write("carl", pod("3"))
    assert env_of("carl (update)") == {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}}


def test_an_object_that_its_schema_does_not_describe_keeps_its_entries() -> None:
    story = custom({"names": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}})
    story.apply("ann", story.body(spec={"names": ["a"]}))
    before = story.owners
    story.change("carl", _set("spec.names", [{"no": "text"}]))
    assert story.owners == before
