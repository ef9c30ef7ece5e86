"""CustomResourceDefinitions as large operators bring them: half a megabyte, recursive, with rules, in two versions."""

from __future__ import annotations

import json
import uuid

import pytest

TEXT = (
    "Says what the field is for, in as many words as a generator of definitions copies out of the source. "
    * 6
)


def schema(breadth, *, rules=True):
    """Something like a pod's spec, many times over, with a part that may hold itself."""
    fields = {
        f"field{number:03}": {
            "type": "object",
            "description": TEXT,
            "properties": {
                "name": {"type": "string", "description": TEXT, "maxLength": 63},
                "value": {
                    "x-kubernetes-int-or-string": True,
                    "anyOf": [{"type": "integer"}, {"type": "string"}],
                },
                "mode": {"type": "string", "enum": ["on", "off"], "default": "on"},
            },
        }
        for number in range(breadth)
    }
    generator = {
        "type": "object",
        "properties": {
            "kind": {"type": "string"},
            "within": {"x-kubernetes-preserve-unknown-fields": True, "type": "object"},
        },
    }
    spec = {
        "type": "object",
        "description": "What is wanted.",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "description": "How many."},
            "most": {"type": "integer"},
            "generators": {"type": "array", "items": generator},
            **fields,
        },
    }
    if rules:
        rule = "!has(self.most) || self.size <= self.most"
        spec["x-kubernetes-validations"] = [{"rule": rule, "message": "size is at most most"}]
    return {"type": "object", "properties": {"spec": spec}}


@pytest.fixture(scope="module")
def definition():
    group = f"c{uuid.uuid4().hex[:8]}.example.com"
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]
    versions = [
        {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema(150)},
         "additionalPrinterColumns": columns},
        {"name": "v1beta1", "served": True, "storage": False, "deprecated": True,
         "schema": {"openAPIV3Schema": schema(150, rules=False)}},
    ]  # fmt: skip
    names = {"plural": "machines", "singular": "machine", "kind": "Machine", "listKind": "MachineList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"machines.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


@pytest.fixture(params=["create", "server-side"])
def machines(request, definition, kubectl):
    """The definition in the cluster, as one of both ways brings it; hands back its group."""
    text = json.dumps(definition)
    assert len(text) > 256 * 1024  # more than the annotation of a client-side apply may hold
    how = ("create",) if request.param == "create" else ("apply", "--server-side")
    kubectl(*how, "-f", "-", stdin=text)
    kubectl("wait", "--for=condition=Established", f"crd/{definition['metadata']['name']}", "--timeout=20s")
    yield definition["spec"]["group"]
    kubectl("delete", "crd", definition["metadata"]["name"])


def machine(group, version="v1", **spec):
    return json.dumps(
        {"apiVersion": f"{group}/{version}", "kind": "Machine", "metadata": {"name": "one"}, "spec": spec}
    )


def test_it_serves_explains_validates_and_prints(machines, kubectl):
    nested = {
        "kind": "matrix",
        "within": {"generators": [{"kind": "list", "within": {"any": [1, {"thing": True}]}}]},
    }
    kubectl("apply", "-f", "-", stdin=machine(machines, size=3, generators=[nested], field007={"value": 8}))
    made = json.loads(kubectl("get", "machine", "one", "-o", "json"))
    assert made["spec"]["generators"] == [nested]
    assert made["spec"]["field007"] == {"value": 8, "mode": "on"}
    assert kubectl("get", "machines").splitlines()[1].split() == ["one", "3"]
    assert "How many." in kubectl("explain", "machine.spec.size")
    assert "generators\t<[]Object>" in kubectl("explain", "machine.spec")
    assert "size is at most most" in kubectl(
        "apply", "-f", "-", stdin=machine(machines, size=3, most=2), fails=True
    )
    wrong = kubectl(
        "apply", "-f", "-", stdin=machine(machines, size=0, field001={"mode": "maybe"}), fails=True
    )
    assert "spec.size in body should be greater than or equal to 1" in wrong
    assert 'Unsupported value: "maybe": supported values: "on", "off"' in wrong
    assert 'unknown field "spec.sise"' in kubectl(
        "apply", "-f", "-", stdin=machine(machines, size=1, sise=1), fails=True
    )


def test_each_version_has_its_own_rules(machines, kubectl):
    kubectl("apply", "--server-side", "-f", "-", stdin=machine(machines, "v1beta1", size=3, most=2))
    found = json.loads(kubectl("get", f"machines.v1beta1.{machines}", "one", "-o", "json"))
    assert found["apiVersion"] == f"{machines}/v1beta1"
    assert "size is at most most" in kubectl(
        "patch", f"machines.v1.{machines}", "one", "--type=merge", "-p", '{"spec":{"size":4}}', fails=True
    )


def test_applying_it_again_changes_nothing(definition, kubectl):
    text = json.dumps(definition)
    name = definition["metadata"]["name"]
    version = ("get", "crd", name, "-o", "jsonpath={.metadata.resourceVersion}")
    kubectl("apply", "--server-side", "-f", "-", stdin=text)
    kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=20s")
    before = kubectl(*version)
    kubectl("apply", "--server-side", "-f", "-", stdin=text)
    assert kubectl(*version) == before
    assert "metadata.annotations: Too long" in kubectl("apply", "-f", "-", stdin=text, fails=True)
    kubectl("delete", "crd", name)
