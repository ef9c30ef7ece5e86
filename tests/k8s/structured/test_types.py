"""How the schema says that lists and maps merge, and what happens where it says nothing."""

from typing import Any

import pytest

from labkit.errors import Conflict
from labkit.k8s.schemas import Node, Schemas

from .conftest import Story, builtin, custom

TEXT = {"type": "string"}
COAT = {"type": "object", "properties": {"colour": TEXT, "length": {"type": "integer"}}}


def test_an_object_of_a_custom_kind_is_granular_unless_it_is_called_atomic() -> None:
    story = custom({"coat": COAT, "summer": {**COAT, "x-kubernetes-map-type": "atomic"}})
    both = {"colour": "red", "length": 3}
    story.apply("ann", story.body(spec={"coat": both, "summer": both}))
    assert story.owners["ann"] == {"f:spec": {"f:coat": {"f:colour": {}, "f:length": {}}, "f:summer": {}}}
    with pytest.raises(Conflict) as caught:
        story.apply("bea", story.body(spec={"coat": {"colour": "red"}, "summer": {"colour": "red"}}))
    assert [cause["field"] for cause in caught.value.details["causes"]] == [".spec.summer"]


def test_a_created_custom_object_owns_its_spec_too() -> None:
    story = custom({"coat": COAT})
    story.write("ann", {"metadata": {"name": "it"}, "spec": {"coat": {"colour": "red"}}})
    assert story.owners["ann (update)"] == {"f:spec": {".": {}, "f:coat": {".": {}, "f:colour": {}}}}


def test_unknown_fields_that_are_kept_merge_field_by_field_and_their_lists_as_a_whole() -> None:
    story = custom({"notes": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}})
    story.apply("ann", story.body(spec={"notes": {"deep": {"a": 1, "list": [1, 2]}}}))
    story.apply("bea", story.body(spec={"notes": {"deep": {"b": None}}}))
    assert story.owners == {
        "ann": {"f:spec": {"f:notes": {"f:deep": {".": {}, "f:a": {}, "f:list": {}}, }}},
        "bea": {"f:spec": {"f:notes": {"f:deep": {".": {}, "f:b": {}}}}},
    }  # fmt: skip
    with pytest.raises(Conflict, match=r"\.spec\.notes\.deep\.list"):
        story.apply("bea", story.body(spec={"notes": {"deep": {"list": [1]}}}))


def test_a_value_that_turns_into_another_kind_of_value_changes_hands() -> None:
    story = custom({"notes": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}})
    story.apply("ann", story.body(spec={"notes": {"a": {"deep": "x"}}}))
    story.apply("bea", story.body(spec={"notes": {"a": "flat"}}), force=True)
    assert story.live is not None
    assert story.live["spec"]["notes"] == {"a": "flat"}
    assert story.owners == {"bea": {"f:spec": {"f:notes": {"f:a": {}}}}}


def test_an_object_inside_an_object_has_the_metadata_of_one() -> None:
    template = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": COAT}}
    story = custom({"template": template})
    inner = {"metadata": {"finalizers": ["x/a"]}, "spec": {"colour": "red"}}
    story.apply("ann", story.body(spec={"template": inner}))
    assert story.owners["ann"]["f:spec"]["f:template"]["f:metadata"] == {"f:finalizers": {'v:"x/a"': {}}}


def test_a_key_field_that_is_left_out_has_its_default() -> None:
    item = {"type": "object", "properties": {"host": TEXT, "zone": {**TEXT, "default": "here"}}}
    keys = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host", "zone"]}
    story = custom({"homes": {"type": "array", "items": item, **keys}})
    story.apply("ann", story.body(spec={"homes": [{"host": "a"}]}))
    story.apply(
        "bea", story.body(spec={"homes": [{"host": "a", "zone": "here"}, {"host": "a", "zone": "there"}]})
    )
    homes = ['k:{"host":"a","zone":"here"}', 'k:{"host":"a","zone":"there"}']
    assert list(story.owners["bea"]["f:spec"]["f:homes"]) == homes
    assert list(story.owners["ann"]["f:spec"]["f:homes"]) == homes[:1]


def test_lists_that_only_have_a_merge_key_for_patches_merge_by_it() -> None:
    node = builtin("v1", "Node")
    node.apply(
        "ann",
        node.body(metadata={"ownerReferences": [{"uid": "7", "name": "x", "kind": "K", "apiVersion": "v1"}]}),
    )
    assert list(node.owners["ann"]["f:metadata"]["f:ownerReferences"]) == ['k:{"uid":"7"}']


def test_every_builtin_kind_has_a_type_all_the_way_down() -> None:
    from labkit.k8s.structured.types import Type, type_of

    def visit(kind: Type, depth: int) -> int:
        if depth == 0:
            return 1
        inner: list[Any] = [kind.map.field(name) for name in kind.map._fields] if kind.map else []
        if kind.list:
            inner.append(kind.list.items)
        return 1 + sum(visit(one, depth - 1) for one in inner if one is not None)

    schemas = Schemas.builtin()
    for kind in schemas.kinds:
        node = schemas.node(kind.api_version, kind.kind)
        assert node is not None, kind
        assert visit(type_of(node), 3) > 1


def test_what_has_become_atomic_since_has_its_owners_as_a_whole() -> None:
    story = custom({"coat": COAT})
    story.apply("ann", story.body(spec={"coat": {"colour": "red"}}))
    story.apply("bea", story.body(spec={"coat": {"length": 3}}))
    story.schema = custom(
        {"coat": {**COAT, "x-kubernetes-map-type": "atomic"}, "age": {"type": "integer"}}
    ).schema
    story.apply("carl", story.body(spec={"age": 1}))
    assert story.owners == {
        "ann": {"f:spec": {"f:coat": {}}},
        "bea": {"f:spec": {"f:coat": {}}},
        "carl": {"f:spec": {"f:age": {}}},
    }


def _in_two_versions(other: Node | None) -> Story:
    story = custom({"coat": COAT})
    story.apply("ann", story.body(spec={"coat": {"colour": "red"}}))
    story.api_version = "zoo.example.com/v2"
    story.schema_of = lambda version: other if version == "zoo.example.com/v1" else None
    return story


def test_owners_in_another_version_keep_their_fields() -> None:
    story = _in_two_versions(custom({"coat": COAT}).schema)
    story.apply("bea", story.body(spec={"coat": {"length": 3}}))
    assert set(story.owners) == {"ann", "bea"}
    with pytest.raises(Conflict, match='conflict with "ann"'):
        story.apply("bea", story.body(spec={"coat": {"colour": "blue"}}))


def test_owners_in_a_version_that_is_gone_are_forgotten() -> None:
    story = _in_two_versions(None)
    story.apply("bea", story.body(spec={"coat": {"length": 3}}))
    assert set(story.owners) == {"bea"}
