"""A kind that is added while the cluster runs."""

import uuid

import pytest

from labkit.cluster.leftovers import delete_custom_kind
from labkit.errors import Invalid, NoSuchKind


@pytest.fixture
def gadget(cluster, reaches):
    """A CustomResourceDefinition of the test's own; hands back its api version."""
    group = f"c{uuid.uuid4().hex[:8]}.example.com"
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "integer", "minimum": 1},
                    "colour": {"type": "string", "default": "blue"},
                },
            },
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    cluster.create(definition)
    reaches(definition["apiVersion"], definition["kind"], f"gadgets.{group}", _established, where=None)
    yield f"{group}/v1"
    delete_custom_kind(cluster, f"gadgets.{group}")


def _established(definition):
    conditions = definition.get("status", {}).get("conditions", [])
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def build(api_version, namespace, **spec):
    metadata = {"name": "one", "namespace": namespace}
    return {"apiVersion": api_version, "kind": "Gadget", "metadata": metadata, "spec": spec}


def test_a_new_kind_is_found_at_once_and_has_defaults(cluster, namespace, gadget):
    created = cluster.create(build(gadget, namespace, size=3))
    assert created["spec"] == {"size": 3, "colour": "blue"}
    assert len(cluster.list(gadget, "Gadget", namespace)) == 1


def test_its_schema_is_kept_to(cluster, namespace, gadget):
    with pytest.raises(Invalid) as caught:
        cluster.create(build(gadget, namespace, size=0))
    assert caught.value.details["causes"][0]["field"] == "spec.size"


def test_its_status_is_written_apart(cluster, namespace, gadget):
    created = cluster.create(build(gadget, namespace, size=3))
    written = cluster.replace_status(created | {"status": {"ready": True}, "spec": {"size": 9}})
    assert written["status"] == {"ready": True}
    assert written["spec"]["size"] == 3


def test_it_is_applied_and_patched_like_any_other(cluster, namespace, gadget):
    cluster.apply(build(gadget, namespace, size=3), field_manager="gitops")
    patched = cluster.patch(gadget, "Gadget", "one", namespace, patch={"spec": {"colour": "red"}})
    assert patched["spec"] == {"size": 3, "colour": "red"}
    assert patched["metadata"]["generation"] == 2


def test_a_kind_without_a_definition_is_not_there(cluster, namespace):
    with pytest.raises(NoSuchKind):
        cluster.create(build("nothing.example.com/v1", namespace, size=1))


def test_a_definition_that_is_going_can_still_be_changed(cluster, namespace, gadget):
    held = build(gadget, namespace, size=3)
    cluster.create(held | {"metadata": held["metadata"] | {"finalizers": ["example.com/hold"]}})
    definition = (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        f"gadgets.{gadget.partition('/')[0]}",
    )
    assert "deletionTimestamp" in cluster.delete(*definition)["metadata"]
    changed = cluster.patch(*definition, patch={"metadata": {"labels": {"going": "yes"}}})
    assert changed["metadata"]["labels"] == {"going": "yes"}
    delete_custom_kind(cluster, definition[2])
    assert cluster.find(*definition) is None
