import pytest

from labkit.errors import BadRequest
from labkit.k8s.selectors import NOTHING, FieldSelector, LabelSelector

WEB = {"app": "web", "tier": "front", "replica": "3"}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=front", True),
        ("app!=web", False),
        ("missing!=x", True),
        ("app in (api, web)", True),
        ("app notin (api,web)", False),
        ("missing notin (a)", True),
        ("app", True),
        ("!app", False),
        ("!missing", True),
        ("replica>2", True),
        ("replica<3", False),
        ("tier=front,!app", False),
        ("app=", False),
    ],
)
def test_a_label_selector_selects(text: str, selected: bool) -> None:
    assert LabelSelector.parse(text).matches(WEB) is selected


@pytest.mark.parametrize(
    "text", ["app=web", "app in (api,web)", "app notin (a)", "!app", "app,tier=front", "replica>2"]
)
def test_a_selector_is_written_as_it_can_be_read(text: str) -> None:
    assert str(LabelSelector.parse(text)) == text
    assert LabelSelector.parse(str(LabelSelector.parse(text))) == LabelSelector.parse(text)


@pytest.mark.parametrize(
    "text", ["=", "a b", "a in", "a in (b", "a=b,", "a=b=c", "-a=b", "a=-b", "a>x", "a!b", "(", ","]
)
def test_what_is_no_selector_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        LabelSelector.parse(text)


def test_an_objects_selector_needs_labels_and_expressions_both() -> None:
    selector = LabelSelector.from_object(
        {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    )
    assert selector.matches(WEB)
    assert not selector.matches({"app": "web"})


def test_no_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert not LabelSelector.from_object(None).matches(WEB)
    assert LabelSelector.from_object({}).matches({})
    assert LabelSelector.from_labels({}) == NOTHING


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("metadata.name=a", True),
        ("metadata.name!=a", False),
        ("spec.on=true", True),
        ("spec.missing=", True),
        ("metadata.name=a,spec.on=false", False),
        (r"spec.text=a\,b", True),
    ],
)
def test_a_field_selector_selects(text: str, selected: bool) -> None:
    obj = {"metadata": {"name": "a"}, "spec": {"on": True, "text": "a,b"}}
    assert FieldSelector.parse(text).matches(obj) is selected


def test_a_field_selector_that_says_nothing_is_a_bad_request() -> None:
    with pytest.raises(BadRequest, match="can't understand 'spec'"):
        FieldSelector.parse("metadata.name=a,spec")
