import contextlib
import copy
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.errors import ApiError, BadRequest, Invalid, TooLarge
from labkit.k8s.patches import MAX_OPERATIONS, json_patch, merge_patch, strategic_merge_patch
from labkit.k8s.schemas import Node, Schemas

few = settings(max_examples=100, deadline=None)
names = st.sampled_from(["a", "b", "a/b", "m~n", "0", "-", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(names, values, max_size=4)


# ── merge patch ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("obj", "patch", "changed"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ],
)
def test_a_merge_patch_does_what_rfc_7386_says(obj: Any, patch: Any, changed: Any) -> None:
    assert merge_patch(obj, patch) == changed


def _difference(old: Any, new: Any) -> Any:
    """The merge patch that leads from one to the other."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    gone = {key: None for key in old if key not in new}
    return gone | {
        key: _difference(old.get(key), value) for key, value in new.items() if old.get(key) != value
    }


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


@few
@given(objects, objects)
def test_the_difference_of_two_objects_leads_from_one_to_the_other(old: Any, new: Any) -> None:
    old, new = _without_nulls(old), _without_nulls(new)
    assert merge_patch(old, _difference(old, new)) == new


@few
@given(objects, objects)
def test_a_merge_patch_twice_is_a_merge_patch_once(obj: Any, patch: Any) -> None:
    before = copy.deepcopy(obj)
    once = merge_patch(obj, patch)
    assert merge_patch(once, patch) == once
    assert obj == before


# ── JSON patch ────────────────────────────────────────────────────────────────

BOX = {"data": {"a": "1", "x/y": "2", "m~n": "3"}, "list": ["p", "q"]}


def _op(op: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **more}


@pytest.mark.parametrize(
    ("operation", "path", "value"),
    [
        (_op("add", "/data/b", value="new"), ("data", "b"), "new"),
        (_op("replace", "/data/x~1y", value="new"), ("data", "x/y"), "new"),
        (_op("replace", "/data/m~0n", value="new"), ("data", "m~n"), "new"),
        (_op("add", "/list/1", value="new"), ("list",), ["p", "new", "q"]),
        (_op("add", "/list/-", value="new"), ("list",), ["p", "q", "new"]),
        (_op("remove", "/list/0"), ("list",), ["q"]),
        (_op("remove", "/list/-1"), ("list",), ["p"]),
        (_op("move", "/list/-", **{"from": "/data/a"}), ("list",), ["p", "q", "1"]),
        (_op("copy", "/data/b", **{"from": "/list"}), ("data", "b"), ["p", "q"]),
        (_op("test", "/data/a", value="1"), ("data", "a"), "1"),
    ],
)
def test_an_operation_changes_what_it_says(
    operation: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    changed: Any = json_patch(BOX, [operation])
    for step in path:
        changed = changed[step]
    assert changed == value


@pytest.mark.parametrize(
    "operation",
    [
        _op("replace", "/data/none", value=1),
        _op("remove", "/data/none"),
        _op("add", "/none/a", value=1),
        _op("add", "/list/3", value=1),
        _op("add", "/list/01", value=1),
        _op("add", "/list/²", value=1),
        _op("add", f"/list/{'9' * 5000}", value=1),
        _op("add", "data", value=1),
        _op("add", "/data/b"),
        _op("test", "/data/a", value="2"),
        _op("copy", "/data/b", **{"from": "/none"}),
        _op("jump", "/data/a"),
        _op("replace", "", value="no object"),
        {"path": "/data/a"},
        {"op": "remove"},
    ],
)
def test_an_operation_that_cannot_be_carried_out_is_refused_and_none_is(operation: dict[str, Any]) -> None:
    before = copy.deepcopy(BOX)
    with pytest.raises(Invalid, match="the server rejected our request due to an error in our request"):
        json_patch(BOX, [_op("add", "/data/first", value=1), operation])
    assert before == BOX


@pytest.mark.parametrize(("patch", "kind"), [({}, "object"), ("x", "string"), (1, "number"), (True, "bool")])
def test_what_is_no_list_of_operations_is_a_bad_request(patch: Any, kind: str) -> None:
    with pytest.raises(BadRequest, match=f"cannot unmarshal {kind} into Go value"):
        json_patch(BOX, patch)


def test_there_may_be_only_so_many_operations() -> None:
    with pytest.raises(TooLarge, match="10000, got 10001"):
        json_patch(BOX, [_op("test", "/data/a", value="1")] * (MAX_OPERATIONS + 1))


def test_copies_of_copies_do_not_fill_the_memory() -> None:
    doubling = [_op("copy", f"/{number}", **{"from": ""}) for number in range(100)]
    with pytest.raises(Invalid):
        json_patch({"text": "x" * 1000}, doubling)


@few
@given(objects, st.lists(st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])},
    optional={"path": st.lists(names).map(lambda way: "".join(f"/{step}" for step in way)) | values,
              "from": names, "value": values},
), max_size=5))  # fmt: skip
def test_whatever_is_sent_a_json_patch_answers_or_is_refused(obj: Any, operations: Any) -> None:
    try:
        assert isinstance(json_patch(obj, operations), dict)
    except ApiError as error:
        assert error.code == 422  # noqa: PT017


# ── strategic merge patch ─────────────────────────────────────────────────────


def _schema(api_version: str, kind: str) -> Node:
    schema = Schemas.builtin().node(api_version, kind)
    assert schema is not None
    return schema


POD = _schema("v1", "Pod")


def _pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": spec}


def _patched(spec: dict[str, Any], patch: dict[str, Any]) -> Any:
    return strategic_merge_patch(_pod(**spec), {"spec": patch}, POD)["spec"]


TWO = {"containers": [{"name": "a", "image": "a:1", "args": ["x"]}, {"name": "b", "image": "b:1"}]}


def test_elements_with_a_merge_key_are_merged() -> None:
    patched = _patched(TWO, {"containers": [{"name": "b", "image": "b:2"}]})
    assert patched["containers"] == [TWO["containers"][0], {"name": "b", "image": "b:2"}]


def test_lists_without_one_are_replaced() -> None:
    patched = _patched(TWO, {"containers": [{"name": "a", "args": ["y"]}]})
    assert patched["containers"][0] == {"name": "a", "image": "a:1", "args": ["y"]}


def test_an_element_can_be_deleted() -> None:
    patched = _patched(TWO, {"containers": [{"name": "a", "$patch": "delete"}]})
    assert [one["name"] for one in patched["containers"]] == ["b"]


def test_a_list_can_be_replaced() -> None:
    patched = _patched(TWO, {"containers": [{"name": "c"}, {"$patch": "replace"}]})
    assert patched["containers"] == [{"name": "c"}]


def test_an_object_can_be_replaced_or_emptied() -> None:
    spec = {"securityContext": {"runAsUser": 1, "runAsGroup": 2}}
    assert _patched(spec, {"securityContext": {"fsGroup": 3, "$patch": "replace"}}) == {
        "securityContext": {"fsGroup": 3}
    }
    assert _patched(spec, {"securityContext": {"$patch": "delete"}}) == {"securityContext": {}}


def test_plain_values_are_added_and_taken_out() -> None:
    obj = {"metadata": {"name": "p", "finalizers": ["x/a", "x/b"]}}
    patch = {"finalizers": ["x/c"], "$deleteFromPrimitiveList/finalizers": ["x/a"]}
    patched = strategic_merge_patch(obj, {"metadata": patch}, POD)
    assert sorted(patched["metadata"]["finalizers"]) == ["x/b", "x/c"]


def test_the_order_of_elements_can_be_asked_for() -> None:
    order = [{"name": "b"}, {"name": "c"}, {"name": "a"}]
    patched = _patched(TWO, {"containers": [{"name": "c"}], "$setElementOrder/containers": order})
    assert [one["name"] for one in patched["containers"]] == ["b", "c", "a"]


def test_only_the_keys_that_are_to_be_retained_stay() -> None:
    web = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_merge_patch(web, patch, _schema("apps/v1", "Deployment"))["spec"]["strategy"] == {
        "type": "Recreate"
    }


def test_ports_of_a_container_are_told_apart_by_number_only() -> None:
    """Unlike server-side apply, which also looks at the protocol: the reason for many a lost port."""
    ports = [{"containerPort": 53, "protocol": "TCP"}]
    patch = {"containers": [{"name": "a", "ports": [{"containerPort": 53, "protocol": "UDP"}]}]}
    patched = _patched({"containers": [{"name": "a", "ports": ports}]}, patch)
    assert patched["containers"][0]["ports"] == [{"containerPort": 53, "protocol": "UDP"}]


def test_inputs_stay_as_they_are() -> None:
    obj, patch = _pod(**copy.deepcopy(TWO)), {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}
    before = copy.deepcopy((obj, patch))
    strategic_merge_patch(obj, patch, POD)
    assert (obj, patch) == before


@pytest.mark.parametrize(
    ("patch", "code", "problem"),
    [
        (
            {"containers": [{"image": "x"}]},
            500,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        ({"containers": [{"$patch": "delete"}]}, 500, "does not contain declared merge key: name"),
        (
            {"containers": [{"$patch": "what", "name": "a"}]},
            500,
            "unknown patch type: what in map: map[$patch:what name:a]",
        ),
        (
            {"containers": [{"$patch": "merge", "name": "a"}]},
            500,
            "merging lists cannot yet be specified in the patch",
        ),
        ({"containers": ["a"]}, 500, "list element types are not identical"),
        ({"containers": [["a"]]}, 422, "the server rejected our request due to an error in our request"),
        ({"securityContext": {"$patch": 3}}, 500, "unknown patch type: 3 in map: map[$patch:3]"),
        ({"$retainKeys": ["containers"], "hostname": "x"}, 400, "invalid patch format of retainKeys"),
        ({"$deleteFromPrimitiveList/x": "y"}, 400, "invalid patch format of primitive list"),
        ({"$setElementOrder/containers": "a"}, 500, "expected a []interface {}, but received a string"),
        (
            {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b"}]},
            500,
            "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
        ),
    ],
)
def test_what_makes_no_sense_is_an_error_in_the_apis_words(
    patch: dict[str, Any], code: int, problem: str
) -> None:
    spec = {**TWO, "securityContext": {"runAsUser": 1}}
    with pytest.raises(ApiError) as caught:
        _patched(spec, patch)
    assert problem in caught.value.message
    assert caught.value.code == code


def test_long_lists_merge_in_a_moment() -> None:
    many = [{"name": f"v{number}", "value": "x"} for number in range(20_000)]
    turned = [{"name": one["name"], "value": "y"} for one in reversed(many)]
    began = time.monotonic()
    patched = _patched(
        {"containers": [{"name": "a", "env": many}]}, {"containers": [{"name": "a", "env": turned}]}
    )
    assert time.monotonic() - began < 5
    assert len(patched["containers"][0]["env"]) == 20_000


directives = st.sampled_from(
    [
        "name",
        "image",
        "containers",
        "env",
        "$patch",
        "$retainKeys",
        "$setElementOrder/env",
        "$deleteFromPrimitiveList/args",
    ]
)
odd = st.recursive(
    st.none() | st.integers(0, 2) | st.sampled_from(["a", "delete", "replace", "name"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(directives, inner, max_size=4),
    max_leaves=10,
)


@few
@given(st.dictionaries(directives, odd, max_size=4))
def test_whatever_is_sent_a_strategic_patch_answers_or_is_an_error_of_the_api(patch: Any) -> None:
    spec = {"containers": [{"name": "a", "args": ["x"], "env": [{"name": "A", "value": "1"}]}]}
    with contextlib.suppress(ApiError):
        assert isinstance(_patched(spec, patch), dict)
