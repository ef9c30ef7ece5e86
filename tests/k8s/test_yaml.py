from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.errors import ManifestError
from labkit.k8s.yaml import dump, load, load_documents

words = st.text(max_size=12) | st.sampled_from(
    ["y", "No", "off", "1e3", "0o17", "08", "1_0", "~", "", " a", "a: b", "#"]
)
words = words.filter(lambda text: text.isprintable() or text in {"", "\n"})
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(words, values, max_size=5))
def test_what_is_dumped_is_loaded_again(value: dict[str, Any]) -> None:
    assert load(dump(value)) == value


@pytest.mark.parametrize("text", ["y", "n", "on", "1e3", "0o17", "08", ".5", "0_8", "1_000", "null", "~"])
def test_texts_that_others_would_read_as_something_else_are_quoted(text: str) -> None:
    assert dump({"k": text}) == f"k: '{text}'\n"


def test_texts_that_only_look_a_little_like_numbers_are_not_quoted() -> None:
    assert dump({"image": "nginx:1.25", "version": "1.2.3", "cpu": "250m"}) == (
        "image: nginx:1.25\nversion: 1.2.3\ncpu: 250m\n"
    )


def test_texts_of_several_lines_are_blocks() -> None:
    assert dump({"k": "one\ntwo\n"}) == "k: |\n  one\n  two\n"


STREAM = """\
# the first
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---

---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: b}}
- {apiVersion: v1, kind: Secret, metadata: {name: c}}
"""


def test_a_stream_gives_its_objects_with_their_lines_and_lists_are_taken_apart() -> None:
    found = load_documents(STREAM, file="all.yaml")
    assert [one.obj["metadata"]["name"] for one in found] == ["a", "b", "c"]
    assert [one.where for one in found] == ["all.yaml:2", "all.yaml:8", "all.yaml:8"]


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\na: 2\n", 'key "a" already set in map', 2),
        ("---\na: [1\n", "not valid YAML", 3),
        ("- 1\n", "this is a list, not a Kubernetes object", 1),
        ("kind: Pod\n", "the object has no apiVersion", 1),
        ("apiVersion: v1\n---\nkind: 3\n", "the object has no kind", 1),
    ],
)
def test_what_is_no_manifest_is_an_error_with_file_line_and_fix(text: str, problem: str, line: int) -> None:
    with pytest.raises(ManifestError, match=problem) as caught:
        load_documents(text, file="bad.yaml")
    assert caught.value.where == f"bad.yaml:{line}"
    assert caught.value.fix


def test_aliases_that_multiply_are_an_error() -> None:
    levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    levels += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(ManifestError, match="values once its aliases are followed"):
        load("\n".join(levels))


def test_an_alias_to_itself_is_an_error() -> None:
    with pytest.raises(ManifestError, match="part of"):
        load("a: &a [*a]")


def test_keys_become_text_and_dates_stay_text() -> None:
    assert load("1: a\ntrue: b\nday: 2026-01-01\n") == {"1": "a", "true": "b", "day": "2026-01-01"}
