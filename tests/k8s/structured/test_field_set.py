from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.k8s.structured import elements
from labkit.k8s.structured.elements import field, key, value
from labkit.k8s.structured.field_set import FieldSet

steps = st.sampled_from(
    [
        field("a"),
        field("b"),
        key({"name": "web"}),
        key({"port": 80, "protocol": "TCP"}),
        value("x"),
        value(3),
        "i:0",
    ]
)
sets = st.lists(st.lists(steps, min_size=1, max_size=4).map(tuple), max_size=12).map(
    lambda paths: FieldSet.of(*paths)
)
few = settings(max_examples=60, deadline=None)


def test_a_container_that_is_owned_itself_has_a_dot_on_the_wire() -> None:
    both = FieldSet.of((field("data"),), (field("data"), field("a")))
    assert both.encode() == {"f:data": {".": {}, "f:a": {}}}
    assert FieldSet.of((field("data"), field("a"))).encode() == {"f:data": {"f:a": {}}}


def test_the_whole_object_is_nobodys() -> None:
    assert not FieldSet.of(())


def test_fields_come_before_keys_values_and_indexes_and_numbers_are_in_their_own_order() -> None:
    steps = [
        "i:1",
        value("a"),
        value(10),
        value(9),
        key({"name": "b"}),
        key({"name": "a"}),
        field("z"),
        field("b"),
    ]
    assert list(FieldSet(steps).encode()) == [
        "f:b", "f:z", 'k:{"name":"a"}', 'k:{"name":"b"}', "v:9", "v:10", 'v:"a"', "i:1",
    ]  # fmt: skip


def test_a_key_that_another_program_wrote_differently_is_the_same_key() -> None:
    fields: dict[str, Any] = {"f:ports": {'k:{"protocol": "TCP", "containerPort": 80}': {}}}
    assert FieldSet.decode(fields).encode() == {"f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {}}}


def test_steps_of_a_kind_from_the_future_are_left_out() -> None:
    assert FieldSet.decode({"q:what": {}, "f:a": {}}).encode() == {"f:a": {}}


@pytest.mark.parametrize("text", ["", "f", "name", "k:[1]", "k:{", "v:", "i:one"])
def test_what_is_no_step_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # Python's own words
        FieldSet.decode({text: {}})


def test_steps_are_shown_as_the_api_shows_them() -> None:
    path = (field("spec"), key({"port": 80, "protocol": "TCP"}), value("example.com/a"), "i:3")
    assert "".join(map(elements.words, path)) == '.spec[port=80,protocol="TCP"][="example.com/a"][3]'


def test_json_in_steps_is_escaped_as_go_does_it() -> None:
    assert value("<a&b>") == 'v:"\\u003ca\\u0026b\\u003e"'


def test_difference_keeps_what_lies_below_and_without_does_not() -> None:
    both = FieldSet.of((field("a"),), (field("a"), field("b")))
    top = FieldSet.of((field("a"),))
    assert (both - top).encode() == {"f:a": {"f:b": {}}}
    assert not both.without(top)


@few
@given(sets)
def test_what_is_encoded_is_decoded_again(fields: FieldSet) -> None:
    assert FieldSet.decode(fields.encode()) == fields


@few
@given(sets)
def test_a_set_contains_the_paths_that_it_lists(fields: FieldSet) -> None:
    assert all(path in fields for path in fields)
    assert FieldSet.of(*fields) == fields
    assert bool(fields) == bool(fields.paths())


@few
@given(sets, sets)
def test_operations_are_those_of_sets_of_paths(left: FieldSet, right: FieldSet) -> None:
    mine, theirs = set(left), set(right)
    assert set(left | right) == mine | theirs
    assert set(left & right) == mine & theirs
    assert set(left - right) == mine - theirs
    kept = {path for path in mine if not any(path[: len(other)] == other for other in theirs)}
    assert set(left.without(right)) == kept


@few
@given(sets, sets)
def test_operations_leave_their_operands_alone(left: FieldSet, right: FieldSet) -> None:
    before = left.encode(), right.encode()
    _ = (left | right, left & right, left - right, left.without(right))
    assert (left.encode(), right.encode()) == before
