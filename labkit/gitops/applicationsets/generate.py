"""From an ApplicationSet to Applications. Nothing is written: a preview shows it, the controller carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.errors import ApiError, LabError, ManifestError
from labkit.gitops.api.application import Application, InvalidSpec
from labkit.gitops.api.names import API_VERSION, FINALIZER
from labkit.gitops.applicationsets.generators import MOST_SETS, Scene, parameters
from labkit.gitops.applicationsets.parameters import filled
from labkit.gitops.applicationsets.spec import mapping
from labkit.k8s.patches import strategic_merge_patch
from labkit.k8s.yaml import load

if TYPE_CHECKING:
    from labkit.gitops.applicationsets.inputs import Inputs
    from labkit.gitops.applicationsets.parameters import JSON, Params
    from labkit.gitops.applicationsets.spec import ApplicationSet
    from labkit.k8s.objects import Object


@dataclass(frozen=True)
class Generated:
    """An Application that a set makes, the parameters that it was made with, and what is wrong with it, if anything."""

    application: Object
    params: Params = field(default_factory=dict)
    problem: str = ""

    @property
    def name(self) -> str:
        """``metadata.name``; empty where the template gave none."""
        return str((self.application.get("metadata") or {}).get("name") or "")


def generate(made: ApplicationSet, inputs: Inputs) -> list[Generated]:
    """Every Application of the set, in the order of its generators.

    `LabError` where a generator or the template fails: then nothing is known of what is to be, and nothing may be
    deleted. What is wrong with one Application alone stands in its ``problem``.
    """
    scene = Scene(made.renderer, inputs)
    found: list[Generated] = []
    for number, generator in enumerate(made.generators):
        where = f"spec.generators[{number}]"
        sets = parameters(generator, scene, where)
        template = filled(_template_of(generator), made.template)
        found += [Generated(_application(made, template, params), params) for params in sets]
        if len(found) > MOST_SETS:
            raise InvalidSpec(
                f"it makes more than {MOST_SETS} Applications", where=where, fix="Split the ApplicationSet."
            )
    return _checked(made, found)


def _template_of(generator: JSON) -> JSON:
    """A generator's own template, which wins over the set's where it says something."""
    for kind, spec in generator.items():
        if kind != "selector" and isinstance(spec, dict):
            return mapping(spec.get("template"), f"{kind}.template")
    return {}


def _application(made: ApplicationSet, template: JSON, params: Params) -> Object:
    """One Application. A set without parameters leaves the template as it is, as in Argo CD."""
    whole: JSON = {"metadata": dict(template.get("metadata") or {}), "spec": dict(template.get("spec") or {})}
    if params:
        whole = made.renderer.render(whole, params)
        if not made.preserve and not whole["metadata"].get("finalizers"):
            whole["metadata"]["finalizers"] = [FINALIZER]
    if made.patch:
        whole = patched(whole, made.renderer.replace(made.patch, params))
    meta = {
        k: whole["metadata"][k]
        for k in ("name", "labels", "annotations", "finalizers")
        if whole["metadata"].get(k)
    }
    obj: Object = {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": meta | {"namespace": made.namespace},  # nowhere else, whatever a template says
        "spec": whole["spec"],
    }
    return obj | ({"operation": whole["operation"]} if whole.get("operation") else {})


def patched(application: JSON, patch: str) -> JSON:
    """An Application with a ``templatePatch`` applied. The project stays: a patch may not leave it.

    A list in the patch replaces the list that was there; finalizers are added to.
    """
    where = "spec.templatePatch"
    try:
        said = load(patch, file=where)
    except ManifestError as error:
        raise InvalidSpec(
            f"it is no YAML: {error.problem}", where=error.where or where, fix=error.fix
        ) from error
    if said is None:
        return application
    changes = mapping(said, where)
    before = list((application.get("metadata") or {}).get("finalizers") or [])
    try:
        found = strategic_merge_patch(application, changes, None)
    except ApiError as error:
        raise InvalidSpec(error.problem, where=where, fix="Write it as a part of an Application.") from error
    for part in ("metadata", "spec"):
        found[part] = mapping(found.get(part), f"{where}.{part}")
    added = mapping(changes.get("metadata"), f"{where}.metadata").get("finalizers") or []
    if before and added:
        found["metadata"]["finalizers"] = list(dict.fromkeys([*before, *added]))
    project = (application.get("spec") or {}).get("project")
    found["spec"] = {k: v for k, v in found["spec"].items() if k != "project"} | (
        {"project": project} if project is not None else {}
    )
    return found


def _checked(made: ApplicationSet, found: list[Generated]) -> list[Generated]:
    seen: set[str] = set()
    checked = []
    for one in found:
        problem = _problem(made, one, seen)
        seen.add(one.name)
        checked.append(Generated(one.application, one.params, problem) if problem else one)
    return checked


def _problem(made: ApplicationSet, one: Generated, seen: set[str]) -> str:
    if not one.name:
        return (
            f"ApplicationSet {made.name} contains an application with no name; a name must be set in the template's "
            "metadata.name or via a templatePatch (generateName is not supported)"
        )
    if one.name in seen:
        return f"ApplicationSet {made.name} contains applications with duplicate name: {one.name}"
    try:
        Application.from_object(one.application)
    except LabError as error:
        return f"{one.name}: {error.where}: {error.problem}"
    return ""
