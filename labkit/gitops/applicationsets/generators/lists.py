"""``list``: the elements as they are written, or as a text of YAML (which a matrix may fill)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import ManifestError
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.applicationsets.spec import listing, text
from labkit.k8s.yaml import load

if TYPE_CHECKING:
    from labkit.gitops.applicationsets.generators.children import Scene
    from labkit.gitops.applicationsets.parameters import JSON, Params


def make(spec: JSON, scene: Scene, where: str) -> list[Params]:
    """A set of parameters for each element."""
    elements = listing(spec, "elements", where)
    if not scene.renderer.go:
        elements = [_flat(element, f"{where}.elements[{i}]") for i, element in enumerate(elements)]
    return elements + _from_yaml(text(spec, "elementsYaml", where), f"{where}.elementsYaml")


def _flat(element: JSON, where: str) -> Params:
    made: Params = {}
    for key, value in element.items():
        if key == "values" and isinstance(value, dict):
            made |= {
                f"values.{name}": _text(inner, f"{where}.values.{name}") for name, inner in value.items()
            }
        else:
            made[key] = _text(value, f"{where}.{key}")
    return made


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidSpec(
            f"a text is wanted, not {value!r}"[:300], where=where, fix="Quote it, or use `goTemplate: true`."
        )
    return value


def _from_yaml(written: str, where: str) -> list[Params]:
    if not written:
        return []
    try:
        found = load(written, file=where)
    except ManifestError as error:
        raise InvalidSpec(error.problem, where=error.where or where, fix=error.fix) from error
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(element, dict) for element in found):
        raise InvalidSpec("a list of mappings is wanted", where=where, fix="- name: a")
    return found
