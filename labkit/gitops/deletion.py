"""The end of an application: what it deployed goes first, last wave first, if its finalizer says so.

Around that its hooks run: PreDelete before, PostDelete after. Each step is done when its finalizer is taken off, so
that a restart goes on where it was.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError, NotFound
from labkit.gitops.api.names import (
    API_VERSION,
    CLEANUP,
    FINALIZERS,
    GROUP,
    NAMESPACE,
    POST_DELETE,
    PRE_DELETE,
)
from labkit.gitops.api.options import sync_option
from labkit.gitops.confirmation import ADVICE, confirmed
from labkit.gitops.delete_hooks import DeleteHooks
from labkit.gitops.sync.carry import Carrier
from labkit.gitops.sync.phases import wave
from labkit.k8s.objects import Object, ObjectKey, metadata, name_of

if TYPE_CHECKING:
    from labkit.gitops.api.application import Application
    from labkit.gitops.live import Server
    from labkit.gitops.observe import Observer

JSON = dict[str, Any]
LOOK_AGAIN = 1.0
_STEPS = (PRE_DELETE, PRE_DELETE + CLEANUP, *FINALIZERS, POST_DELETE, POST_DELETE + CLEANUP)


def plan(app: Application, observer: Observer) -> list[JSON]:
    """What goes with the application, in order, and then what stays, each with the reason for that."""
    found = observer.known_objects(app)[1]
    going = [obj for obj in found if _goes(obj, app)]
    going.sort(key=lambda obj: (-wave(obj), obj.get("kind", ""), name_of(obj)))
    staying = [obj for obj in found if not _goes(obj, app)]
    return [
        {**_named(obj), "wave": wave(obj), "goes": not why, "reason": why}
        for obj in [*going, *staying]
        for why in [_stays(obj, app)]
    ]


def _goes(obj: Object, app: Application) -> bool:
    return not _stays(obj, app)


def _stays(obj: Object, app: Application) -> str:
    """Why an object does not go with its application; empty if it does."""
    key = ObjectKey.of(obj)
    if key.kind == "CustomResourceDefinition":
        return "a definition stays: with it every object of its kind would go, whoever made it"
    if (key.group, key.kind, key.name) == (GROUP, "Application", app.name):
        return "it is the application itself"
    if sync_option(obj, app.sync_policy.options, "Delete") == "false":
        return "sync option Delete=false, or Helm's policy keep"
    return ""


def _named(obj: Object) -> JSON:
    key = ObjectKey.of(obj)
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}


class Deletion:
    """Deletes applications step by step."""

    def __init__(self, observer: Observer, home: Server) -> None:
        self._observer, self._home = observer, home

    def advance(self, app: Application) -> tuple[bool, float | None]:
        """Do what can be done; whether it is over, and else when to look again.

        Raises `LabError` where a hook failed, or where a person has to agree first.
        """
        there = list(metadata(app.obj).get("finalizers") or [])
        ours = [name for name in _STEPS if name in there]
        if not ours:
            return True, None
        if not self._done(app, ours[0]):
            return False, LOOK_AGAIN
        rest = [name for name in there if name != ours[0]]
        with contextlib.suppress(NotFound):
            self._home.patch(
                API_VERSION, "Application", app.name, NAMESPACE, patch={"metadata": {"finalizers": rest}}
            )
        return len(ours) == 1, None

    def _done(self, app: Application, finalizer: str) -> bool:
        if finalizer in FINALIZERS:
            return not self._left(app, FINALIZERS[finalizer] or "Foreground")
        name = finalizer.removesuffix(CLEANUP)
        found = DeleteHooks(app, "PreDelete" if name == PRE_DELETE else "PostDelete", self._observer)
        carrier = Carrier(
            self._observer.destinations.find(app.destination), app.sync_policy.options, "Background"
        )
        if finalizer != name:
            found.clean(carrier)
            return True
        return found.run(carrier)

    def _left(self, app: Application, propagation: str) -> bool:
        """Delete the highest wave that is left; whether anything still is."""
        try:
            live, found = self._observer.known_objects(app)
        except ApplicationError:
            return False  # no such cluster any more: nothing of ours can be there
        options = app.sync_policy.options
        going = [obj for obj in found if _goes(obj, app)]
        if not going:
            return False
        if not confirmed(app, str(metadata(app.obj).get("deletionTimestamp"))):
            held = [obj for obj in going if sync_option(obj, options, "Delete") == "confirm"]
            if held:
                names = ", ".join(f"{ObjectKey.of(obj).kind} {ObjectKey.of(obj).name}" for obj in held)
                raise ApplicationError(
                    f"waiting for deletion confirmation of {names}", where=app.name, fix=ADVICE
                )
        highest = max(wave(obj) for obj in going)
        carrier = Carrier(live, app.sync_policy.options, propagation)
        for obj in going:
            if wave(obj) == highest and not metadata(obj).get("deletionTimestamp"):
                carrier.delete(obj)
        return any(_goes(obj, app) for obj in live.of_application(app.instance_name))
