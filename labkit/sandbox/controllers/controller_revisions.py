"""ControllerRevisions: the templates that a StatefulSet or DaemonSet had, numbered, so that it can go back to one.

A Deployment keeps its history in ReplicaSets; these two have none, so each template is kept as an object of its own.
``kubectl rollout history`` lists them, ``rollout undo`` applies one's ``data`` to the set as a patch.

Source: pkg/controller/history/controller_history.go in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import AlreadyExists, NotFound
from labkit.k8s.objects import Object, annotations_of, labels_of, metadata, name_of, namespace_of, uid_of
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.controllers import ownership, pods, templates

if TYPE_CHECKING:
    from collections.abc import Collection

    from labkit.runtime.informer import Informer
    from labkit.sandbox.client import LocalClient

API_VERSION, KIND = "apps/v1", "ControllerRevision"
LABEL = "controller-revision-hash"
"""On a pod: which revision it was made from."""
_HASH = "controller.kubernetes.io/hash"


class Revisions:
    """The history of one set."""

    def __init__(self, client: LocalClient, informer: Informer, owner: Object) -> None:
        self._client, self._owner = client, owner
        selector = LabelSelector.from_object(owner["spec"]["selector"])
        self.all = sorted(ownership.claimed(client, owner, selector, informer), key=_place)

    def named(self, name: str) -> Object | None:
        """The revision of that name."""
        return next((one for one in self.all if name_of(one) == name), None)

    def latest(self) -> Object:
        """The revision of the template of now: a new one, or one of the past, which becomes the newest again."""
        data = {"spec": {"template": {**self._owner["spec"]["template"], "$patch": "replace"}}}
        number = max((one["revision"] for one in self.all), default=0) + 1
        same = [one for one in self.all if one.get("data") == data]
        if not same:
            return self._create(data, number)
        found = same[-1]
        if found is self.all[-1]:
            return found
        found = self._client.replace({**found, "revision": number})
        self.all = sorted([*(one for one in self.all if uid_of(one) != uid_of(found)), found], key=_place)
        return found

    def truncate(self, live: Collection[str], limit: int) -> None:
        """Delete the oldest beyond ``limit``, but none that a pod or the status still names."""
        idle = [one for one in self.all if name_of(one) not in live and not pods.is_deleting(one)]
        for one in idle[: max(0, len(idle) - limit)]:
            try:
                self._client.delete(API_VERSION, KIND, name_of(one), namespace_of(one), uid=uid_of(one))
            except NotFound:
                continue

    def _create(self, data: Object, number: int) -> Object:
        collisions = (self._owner.get("status") or {}).get("collisionCount") or 0
        while True:
            short = templates.short_hash(data, collisions)
            revision = {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "metadata": {
                    "name": f"{name_of(self._owner)}-{short}",
                    "namespace": namespace_of(self._owner),
                    "labels": {**labels_of(self._owner["spec"]["template"]), _HASH: short},
                    "annotations": dict(annotations_of(self._owner)),
                    "ownerReferences": [ownership.controller_reference(self._owner)],
                },
                "data": data,
                "revision": number,
            }
            try:
                made = self._client.create(revision)
            except AlreadyExists:
                collisions += 1
                continue
            self.all.append(made)
            return made


def template_of(revision: Object) -> Object:
    """The pod template that a revision keeps."""
    kept: Object = revision["data"]["spec"]["template"]
    return {name: value for name, value in kept.items() if name != "$patch"}


def revision_of(pod: Object) -> str:
    """The value of a pod's revision label."""
    return labels_of(pod).get(LABEL, "")


def _place(revision: Object) -> tuple[int, str, str]:
    return revision["revision"], str(metadata(revision).get("creationTimestamp")), name_of(revision)
