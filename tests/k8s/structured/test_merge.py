"""What merging makes of lists, and laws that hold for all objects."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.k8s.structured import FieldSet, apply
from labkit.k8s.structured.compare import compare
from labkit.k8s.structured.types import Type, type_of
from labkit.k8s.structured.walk import fields_of, merge, remove

from .conftest import custom

ITEM = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}
KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
STORY = custom(
    {
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "parts": {"type": "array", "items": ITEM, **KEYED},
        "args": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "size": {"type": "integer"},
        "nested": {"type": "object", "properties": {"size": {"type": "integer"}, "on": {"type": "boolean"}}},
    }
)
KIND: Type = type_of(STORY.schema)

names = st.sampled_from("abcd")
numbers = st.integers(0, 2)
parts = st.dictionaries(names, st.fixed_dictionaries({}, optional={"size": numbers})).map(
    lambda items: [{"name": name, **item} for name, item in items.items()]
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "tags": st.lists(names, unique=True, max_size=4),
        "parts": parts,
        "args": st.lists(names, max_size=3),
        "labels": st.dictionaries(names, names, max_size=3),
        "size": numbers,
        "nested": st.fixed_dictionaries({}, optional={"size": numbers, "on": st.booleans()}),
    },
)
objects = specs.map(lambda spec: {"spec": spec})
# An empty list or map is there or not without anybody's owning it: laws about owners are about full ones.
full = objects.filter(lambda obj: obj["spec"] and all(item not in ([], {}) for item in obj["spec"].values()))
few = settings(max_examples=60, deadline=None)


def _tags(left: str, right: str) -> str:
    merged = merge({"spec": {"tags": list(left)}}, {"spec": {"tags": list(right)}}, KIND)
    return "".join(merged["spec"]["tags"])


@pytest.mark.parametrize(
    ("left", "right", "merged"),
    [
        ("abc", "", "abc"),
        ("", "abc", "abc"),
        ("abc", "abc", "abc"),
        ("abc", "cb", "acb"),
        ("abc", "dc", "abdc"),
        ("abcd", "dcba", "dcba"),
        ("ab", "cd", "abcd"),
        ("abc", "xbya", "xbcya"),
    ],
)
def test_lists_take_the_order_of_what_is_applied_and_keep_what_only_the_object_has(
    left: str, right: str, merged: str
) -> None:
    assert _tags(left, right) == merged


@few
@given(objects, objects)
def test_a_merge_has_the_fields_of_both_sides_and_the_values_of_the_applied_one(
    left: Any, right: Any
) -> None:
    merged = merge(left, right, KIND)
    assert merge(merged, right, KIND) == merged
    changes = compare(merged, merge(merged, right, KIND), KIND)
    assert not changes
    missing = fields_of(right, KIND) - fields_of(merged, KIND)
    assert not missing or all(_is_empty_container(right, path) for path in missing)


def _is_empty_container(obj: Any, path: tuple[str, ...]) -> bool:
    for step in path:
        obj = obj[step[2:]]
    return obj in ({}, [])


@few
@given(objects)
def test_an_object_does_not_differ_from_itself(obj: Any) -> None:
    assert not compare(obj, copy.deepcopy(obj), KIND)


@few
@given(objects, objects)
def test_a_comparison_the_other_way_round_swaps_what_came_and_went(old: Any, new: Any) -> None:
    there, back = compare(old, new, KIND), compare(new, old, KIND)
    assert there.added == back.removed
    assert there.removed == back.added
    assert there.modified == back.modified


@few
@given(objects, objects)
def test_no_field_is_in_two_of_removed_modified_and_added(old: Any, new: Any) -> None:
    changes = compare(old, new, KIND)
    assert not changes.removed & changes.added
    assert not changes.modified & (changes.added | changes.removed)


@few
@given(objects)
def test_nothing_is_left_when_all_fields_are_removed(obj: Any) -> None:
    rest = remove(obj, fields_of(obj, KIND).with_structs(KIND), KIND)
    assert not fields_of(rest or {}, KIND)


@few
@given(objects)
def test_removing_nothing_changes_nothing_that_has_a_field(obj: Any) -> None:
    assert fields_of(remove(obj, FieldSet(), KIND) or {}, KIND) == fields_of(obj, KIND)


def _apply(live: Any, config: Any, manager: str, *, force: bool = True) -> Any:
    body = {"apiVersion": STORY.api_version, "kind": STORY.kind, "metadata": {"name": "it"}, **config}
    now = "2026-01-01T00:00:00Z"
    return apply(
        live, body, schema=STORY.schema, manager=manager, api_version=STORY.api_version, now=now, force=force
    )


@few
@given(objects, objects)
def test_applying_twice_is_applying_once(first: Any, second: Any) -> None:
    live = _apply(_apply(None, first, "ann"), second, "bea")
    assert _apply(live, second, "bea") == live


@few
@given(full, full)
def test_a_manager_who_is_alone_gets_what_they_say(first: Any, second: Any) -> None:
    live = _apply(_apply(None, first, "ann"), second, "ann", force=False)
    assert fields_of({"spec": live.get("spec") or {}}, KIND) == fields_of({"spec": second["spec"]}, KIND)


@few
@given(full, full)
def test_what_two_managers_say_is_gone_when_both_say_nothing(first: Any, second: Any) -> None:
    live = _apply(_apply(None, first, "ann"), second, "bea")
    live = _apply(_apply(live, {}, "ann"), {}, "bea")
    assert "managedFields" not in live["metadata"]
    assert not live.get("spec")
