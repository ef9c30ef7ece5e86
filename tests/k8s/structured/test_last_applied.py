"""The way from client-side to server-side apply, and back."""

import json
from typing import Any

import pytest

from labkit.errors import Conflict
from labkit.k8s.structured.last_applied import ANNOTATION

from .conftest import Story


def _client_side(settings: Story, **data: str) -> None:
    """What ``kubectl apply`` without ``--server-side`` writes."""
    config = settings.body(data=data)
    meta = {"name": "it", "annotations": {ANNOTATION: json.dumps(config)}}
    settings.write("kubectl-client-side-apply", {"metadata": meta, "data": data})


def test_what_the_annotation_accounts_for_is_no_conflict_for_kubectl(settings: Story) -> None:
    _client_side(settings, a="1", b="1")
    assert settings.apply("kubectl", settings.body(data={"a": "2", "b": "1"}))["data"] == {"a": "2", "b": "1"}


def test_it_is_one_for_everybody_else(settings: Story) -> None:
    _client_side(settings, a="1")
    with pytest.raises(Conflict, match='"kubectl-client-side-apply" using v1'):
        settings.apply("argo", settings.body(data={"a": "2"}))


def test_what_somebody_else_has_changed_since_stays_a_conflict(settings: Story) -> None:
    _client_side(settings, a="1", b="1")

    def change(obj: dict[str, Any]) -> None:
        obj["data"]["a"] = "elsewhere"

    settings.change("carl", change)
    with pytest.raises(Conflict) as caught:
        settings.apply("kubectl", settings.body(data={"a": "2", "b": "2"}))
    assert [cause["field"] for cause in caught.value.details["causes"]] == [".data.a"]


def test_the_annotation_is_kept_in_step(settings: Story) -> None:
    _client_side(settings, a="1")
    settings.apply("kubectl", settings.body(data={"a": "<2>"}))
    assert settings.live is not None
    text = settings.live["metadata"]["annotations"][ANNOTATION]
    assert json.loads(text) == settings.body(data={"a": "<2>"})
    assert text.endswith("}\n")
    assert "\\u003c2\\u003e" in text


def test_an_object_without_it_gets_none(settings: Story) -> None:
    settings.apply("kubectl", settings.body(data={"a": "1"}))
    assert settings.live is not None
    assert "annotations" not in settings.live["metadata"]


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"apiVersion": "v2"}'])
def test_an_annotation_that_makes_no_sense_accounts_for_nothing(settings: Story, text: str) -> None:
    settings.write(
        "carl", {"metadata": {"name": "it", "annotations": {ANNOTATION: text}}, "data": {"a": "1"}}
    )
    with pytest.raises(Conflict):
        settings.apply("kubectl", settings.body(data={"a": "2"}))
