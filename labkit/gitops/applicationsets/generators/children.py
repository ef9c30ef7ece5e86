"""One generator of whatever kind: which it is, what it makes, and which of that its selector keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labkit.gitops.api.application import MOST_SECONDS, InvalidSpec
from labkit.gitops.applicationsets.parameters import flat
from labkit.gitops.applicationsets.spec import mapping
from labkit.k8s.selectors import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.gitops.applicationsets.inputs import Inputs
    from labkit.gitops.applicationsets.parameters import JSON, Params
    from labkit.gitops.applicationsets.templates import Renderer

MOST_SETS = 5000
"""Sets of parameters that one generator may make: a matrix of lists multiplies."""
ELSEWHERE = ("scmProvider", "clusterDecisionResource", "plugin")


@dataclass(frozen=True)
class Scene:
    """What a generator is run with: how templates are filled, whom to ask, and how deep it stands in others."""

    renderer: Renderer
    inputs: Inputs
    depth: int = 0

    def below(self) -> Scene:
        """The scene for the children of a matrix or merge."""
        return replace(self, depth=self.depth + 1)


def parameters(generator: JSON, scene: Scene, where: str, given: Params | None = None) -> list[Params]:
    """The sets of parameters of one generator; ``given`` are those of the one before it in a matrix.

    Raises `LabError`; `InvalidSpec` names the field.
    """
    kind = kind_of(generator, where)
    filled = scene.renderer.generator(generator, given or {})
    place = f"{where}.{kind}"
    found = _makers()[kind](mapping(filled.get(kind), place), scene, place)
    if len(found) > MOST_SETS:
        raise InvalidSpec(
            f"it makes {len(found)} sets of parameters, and {MOST_SETS} are the most",
            where=place,
            fix="Select fewer, or split the ApplicationSet.",
        )
    if generator.get("selector") is None:
        return found
    selector = selected_by(generator["selector"], f"{where}.selector")
    return [params for params in found if selector.matches(flat(params))]


def kind_of(generator: JSON, where: str) -> str:
    """Which generator it is."""
    kinds = [name for name, spec in generator.items() if name != "selector" and spec is not None]
    known = _makers()
    if len(kinds) != 1 or kinds[0] not in known:
        listed = ", ".join(sorted(known))
        problem = f"one generator is wanted here, not {', '.join(kinds) or 'none'}"
        if len(kinds) == 1:
            problem = f"there is no generator {kinds[0]!r}"
            if kinds[0] in ELSEWHERE:
                problem = f"the generator {kinds[0]} is Argo CD's, but not carried out here"
        raise InvalidSpec(problem, where=where, fix=f"The lab has: {listed}.")
    return kinds[0]


def requeue_seconds(generator: JSON) -> float | None:
    """After how many seconds the generator is to be asked again; None if its answer comes by itself."""
    found = []
    for kind, spec in generator.items():
        if not isinstance(spec, dict):
            continue
        if kind in ("matrix", "merge"):
            found += [
                requeue_seconds(child) for child in spec.get("generators") or [] if isinstance(child, dict)
            ]
        elif kind in _ASKED_EVERY:
            said = spec.get("requeueAfterSeconds")
            found.append(
                float(min(said, MOST_SECONDS)) if isinstance(said, int) and said > 0 else _ASKED_EVERY[kind]
            )
    return min((seconds for seconds in found if seconds is not None), default=None)


_ASKED_EVERY = {"git": 180.0, "pullRequest": 1800.0}


def selected_by(raw: object, where: str) -> LabelSelector:
    """A label selector; `InvalidSpec` where it is none."""
    spec = mapping(raw, where)
    try:
        return LabelSelector.from_object(spec)
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidSpec(
            "it is no label selector", where=where, fix="selector: {matchLabels: {env: prod}}"
        ) from error


def _makers() -> dict[str, Callable[[JSON, Scene, str], list[Params]]]:
    from labkit.gitops.applicationsets.generators import clusters, git, lists, matrix, merge, pulls

    return {
        "list": lists.make,
        "clusters": clusters.make,
        "git": git.make,
        "matrix": matrix.make,
        "merge": merge.make,
        "pullRequest": pulls.make,
    }
