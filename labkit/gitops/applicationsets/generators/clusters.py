"""``clusters``: those that are registered by a Secret, and the lab's own where nothing selects by label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.api.names import IN_CLUSTER, IN_CLUSTER_SERVER, SECRET_TYPE
from labkit.gitops.applicationsets.generators.children import selected_by
from labkit.gitops.applicationsets.parameters import normalised
from labkit.gitops.applicationsets.spec import mapping
from labkit.gitops.credentials import decoded
from labkit.k8s.objects import annotations_of, labels_of, name_of

if TYPE_CHECKING:
    from labkit.gitops.applicationsets.generators.children import Scene
    from labkit.gitops.applicationsets.parameters import JSON, Params
    from labkit.k8s.objects import Object

LOCAL: Params = {"name": IN_CLUSTER, "nameNormalized": IN_CLUSTER, "server": IN_CLUSTER_SERVER, "project": ""}


def make(spec: JSON, scene: Scene, where: str) -> list[Params]:
    """A set for each cluster; with ``flatList`` one set, which has them all."""
    selects = mapping(spec.get("selector"), f"{where}.selector")
    selector = selected_by(selects, f"{where}.selector")
    secrets = [s for s in scene.inputs.clusters() if labels_of(s).get(SECRET_TYPE) == "cluster"]
    chosen = sorted((s for s in secrets if selector.matches(labels_of(s))), key=name_of)
    found = [_parameters(secret, go=scene.renderer.go) for secret in chosen]
    selective = bool(selects.get("matchLabels") or selects.get("matchExpressions"))
    if not selective and not any(params["server"] == IN_CLUSTER_SERVER for params in found):
        found.append(dict(LOCAL))
    values = mapping(spec.get("values"), f"{where}.values")
    found = [scene.renderer.values(values, params) for params in found]
    return [{"clusters": found}] if spec.get("flatList") else found


def _parameters(secret: Object, *, go: bool) -> Params:
    """What templates see of a cluster: never its credential."""
    fields = decoded(secret)
    name = fields.get("name") or name_of(secret)
    made: Params = {
        "name": name,
        "nameNormalized": normalised(name),
        "server": fields.get("server", ""),
        "project": fields.get("project", ""),
    }
    labels, annotations = dict(labels_of(secret)), dict(annotations_of(secret))
    if go:
        parts = {"annotations": annotations, "labels": labels}
        return made | {"metadata": {name: part for name, part in parts.items() if part}}
    made |= {f"metadata.annotations.{key}": value for key, value in annotations.items()}
    return made | {f"metadata.labels.{key}": value for key, value in labels.items()}
