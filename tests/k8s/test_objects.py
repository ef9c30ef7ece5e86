import pytest

from labkit.k8s import objects
from labkit.k8s.objects import GroupVersionKind, ObjectKey

WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "7",
        "ownerReferences": [{"name": "a"}, {"name": "b", "controller": True}],
    },
    "spec": {"list": [{"a": 1}], "nothing": None},
}


def test_an_object_has_one_key_in_all_its_versions() -> None:
    other = {**WEB, "apiVersion": "apps/v1beta1"}
    assert ObjectKey.of(WEB) == ObjectKey.of(other) == ("apps", "Deployment", "shop", "web")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (ObjectKey("apps", "Deployment", "shop", "web"), "apps/Deployment shop/web"),
        (ObjectKey("", "Node", "", "n1"), "Node n1"),
    ],
)
def test_a_key_reads_well(key: ObjectKey, text: str) -> None:
    assert str(key) == text


def test_the_core_group_has_no_name() -> None:
    assert objects.gvk({"apiVersion": "v1", "kind": "Pod"}) == GroupVersionKind("", "v1", "Pod")
    assert objects.gvk(WEB).api_version == "apps/v1"
    assert GroupVersionKind("", "v1", "Pod").api_version == "v1"


def test_what_is_missing_or_null_reads_as_empty() -> None:
    bare = {"metadata": None}
    assert objects.name_of(bare) == objects.namespace_of(bare) == objects.uid_of(bare) == ""
    assert objects.labels_of(bare) == objects.annotations_of(bare) == {}
    assert objects.owner_references(bare) == []
    assert objects.controller_of(bare) is None


def test_the_controller_is_the_owner_that_says_so() -> None:
    assert objects.controller_of(WEB) == {"name": "b", "controller": True}


def test_a_path_may_lead_through_lists_and_nowhere() -> None:
    assert objects.get_path(WEB, "spec", "list", 0, "a") == 1
    assert objects.get_path(WEB, "spec", "list", 3, "a", default="-") == "-"
    assert objects.get_path(WEB, "spec", "nothing", "deeper", default=0) == 0
