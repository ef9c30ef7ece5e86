"""Templates and values of ApplicationSets, held against what Argo CD's own tests expect."""

from __future__ import annotations

from typing import Any

import pytest
from argocd_cases import cases

from labkit.errors import LabError
from labkit.gitops.applicationsets import ApplicationSet, Inputs, generate
from labkit.gitops.applicationsets.templates import Renderer

Case = dict[str, Any]


def path_of(field: str, params: dict[str, Any], *, go: bool, options: list[str]) -> str:
    """What a template's ``spec.source.path`` becomes with one set of parameters."""
    spec = {
        "goTemplate": go,
        "goTemplateOptions": options,
        "generators": [{"list": {"elements": [params]}}],
        "template": {
            "metadata": {"name": "web"},
            "spec": {
                "project": "default",
                "source": {"repoURL": "https://git.example.com/shop", "path": field},
                "destination": {"name": "in-cluster"},
            },
        },
    }
    (found,) = generate(ApplicationSet.from_object({"metadata": {"name": "set"}, "spec": spec}), Inputs())
    return str(found.application["spec"]["source"]["path"])


@cases("appset.render_fasttemplate", "appset.render_gotemplate")
def test_a_template_is_filled(case: Case) -> None:
    given, go = case["input"], case["category"] == "appset.render_gotemplate"
    options = given.get("templateOptions") or []
    if message := case["expected"].get("errorMessage"):
        with pytest.raises(LabError) as error:
            path_of(given["fieldVal"], given["params"], go=go, options=options)
        assert error.value.problem == message
        return
    assert (
        path_of(given["fieldVal"], given["params"], go=go, options=options) == case["expected"]["expectedVal"]
    )


@cases("appset.render_values_interpolation")
def test_a_generators_values_are_filled_by_the_generator_before_it(case: Case) -> None:
    given = case["input"]
    renderer = Renderer.parse(
        {"goTemplate": given.get("useGoTemplate"), "goTemplateOptions": given.get("goTemplateOptions")}
    )
    generator = {"clusters": {"values": given["gen"]["Clusters"]["Values"]}}
    if message := given.get("expectErr"):
        with pytest.raises(LabError, match=message.replace("(", r"\(")):
            renderer.generator(generator, given["params"])
        return
    found = renderer.generator(generator, given["params"])
    assert found["clusters"]["values"] == case["expected"]["expectedClusterValues"]


@cases("appset.value_interpolation", "appset.value_interpolation_gotemplate")
def test_values_are_added_to_the_parameters(case: Case) -> None:
    given = case["input"]
    renderer = Renderer(go=case["category"].endswith("gotemplate"))
    assert renderer.values(given["values"], given["params"]) == case["expected"]["expected"]
