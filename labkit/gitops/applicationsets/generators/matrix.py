"""``matrix``: every set of one generator with every set of another, which may be filled with the first's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.applicationsets.generators.children import MOST_SETS, parameters
from labkit.gitops.applicationsets.parameters import combined, overridden
from labkit.gitops.applicationsets.spec import listing

if TYPE_CHECKING:
    from labkit.gitops.applicationsets.generators.children import Scene
    from labkit.gitops.applicationsets.parameters import JSON, Params

DEEPEST = 2


def make(spec: JSON, scene: Scene, where: str) -> list[Params]:
    """The product of exactly two generators."""
    children = nested(spec, scene, where)
    if len(children) != 2:
        raise InvalidSpec(
            f"found {len(children)} generators, Matrix support only two",
            where=f"{where}.generators",
            fix="For three, put a matrix into the matrix.",
        )
    found: list[Params] = []
    for first in parameters(children[0], scene.below(), f"{where}.generators[0]"):
        place = f"{where}.generators[1]"
        for second in parameters(children[1], scene.below(), place, first):
            found.append(_together(first, second, where, go=scene.renderer.go))
            if len(found) > MOST_SETS:
                return found
    return found


def nested(spec: JSON, scene: Scene, where: str) -> list[JSON]:
    """The children of a matrix or merge, which may stand in one another, but no deeper than in Argo CD."""
    if scene.depth >= DEEPEST:
        raise InvalidSpec(
            f"matrix and merge stand in one another deeper than {DEEPEST}",
            where=where,
            fix="Write out as a list what the innermost makes.",
        )
    return listing(spec, "generators", where)


def _together(first: Params, second: Params, where: str, *, go: bool) -> Params:
    if go:
        return overridden(second, first)
    try:
        return combined(first, second)
    except ValueError as error:
        raise InvalidSpec(
            str(error), where=where, fix="Give one of them another name (for git: pathParamPrefix)."
        ) from error
