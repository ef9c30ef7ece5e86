"""What a commit would make of the applications that follow a branch: rendered, not applied.

A change of one value in a chart may be a change of ten objects in three environments. The difference of the sources
shows the one, this shows the ten. Secrets' values are masked; nothing is asked of the cluster but which kinds it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops.diff.secrets import masked
from labkit.k8s.objects import ObjectKey
from labkit.k8s.yaml import dump

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.gitops.api.application import Application, Source
    from labkit.gitops.observe import Observer
    from labkit.k8s.objects import Object

JSON = dict[str, Any]


def preview(
    app: Application, observer: Observer, follows: Callable[[Source], bool], before: str, after: str
) -> JSON:
    """``{application, namespace, problem, objects: [{group, kind, namespace, name, change, before, after}]}``.

    ``follows`` says which of its sources the commits are of; the others stay at what they mean now. ``change`` is
    ``create``, ``update`` or ``delete``; ``before`` and ``after`` are YAML. ``problem`` says why ``after`` cannot
    be rendered, with file and line.
    """
    found: JSON = {
        "application": app.name,
        "namespace": app.destination.namespace,
        "problem": "",
        "objects": [],
    }
    try:
        new = _rendered(app, observer, follows, after)
    except LabError as error:
        return found | {"problem": str(error)}
    try:
        old = _rendered(app, observer, follows, before)
    except LabError:
        old = {}  # it was broken before: everything is new
    keys = [*old, *(key for key in new if key not in old)]
    changes = (_change(key, old.get(key), new.get(key)) for key in keys)
    return found | {"objects": [change for change in changes if change["before"] != change["after"]]}


def _rendered(
    app: Application, observer: Observer, follows: Callable[[Source], bool], revision: str
) -> dict[ObjectKey, Object]:
    sources = app.sources
    revisions = [
        revision if follows(each) else observer.sources.resolve(each, max_age=60) for each in sources
    ]
    return {ObjectKey.of(item.obj): item.obj for item in observer.rendered(app, sources, revisions)}


def _change(key: ObjectKey, before: Object | None, after: Object | None) -> JSON:
    shown = [dump(obj) if obj is not None else "" for obj in masked(before, after)]
    change = "create" if before is None else "delete" if after is None else "update"
    about = {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}
    return about | {"change": change, "before": shown[0], "after": shown[1]}
