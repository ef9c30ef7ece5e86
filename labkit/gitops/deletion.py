"""The end of an application: what it deployed goes first, last wave first, if its finalizer says so."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError, NotFound
from labkit.gitops.api.names import API_VERSION, FINALIZERS, NAMESPACE
from labkit.gitops.api.options import sync_option
from labkit.gitops.sync.carry import Carrier
from labkit.gitops.sync.phases import wave
from labkit.k8s.objects import Object, ObjectKey, metadata, name_of

if TYPE_CHECKING:
    from labkit.gitops.api.application import Application
    from labkit.gitops.live import Server
    from labkit.gitops.observe import Observer

JSON = dict[str, Any]
LOOK_AGAIN = 1.0


def plan(app: Application, observer: Observer) -> list[JSON]:
    """What goes with the application, in order, and then what stays, each with the reason for that."""
    found = observer.known_objects(app)[1]
    going = [obj for obj in found if _goes(obj, app)]
    going.sort(key=lambda obj: (-wave(obj), obj.get("kind", ""), name_of(obj)))
    staying = [obj for obj in found if not _goes(obj, app)]
    return [
        {**_named(obj), "wave": wave(obj), "goes": _goes(obj, app), "reason": reason}
        for objects, reason in ((going, ""), (staying, "sync option Delete=false, or Helm's policy keep"))
        for obj in objects
    ]


def _goes(obj: Object, app: Application) -> bool:
    return sync_option(obj, app.sync_policy.options, "Delete") != "false"


def _named(obj: Object) -> JSON:
    key = ObjectKey.of(obj)
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}


class Deletion:
    """Deletes applications step by step."""

    def __init__(self, observer: Observer, home: Server) -> None:
        self._observer, self._home = observer, home

    def advance(self, app: Application) -> tuple[bool, float | None]:
        """Do what can be done; whether it is over, and else when to look again."""
        finalizers = list(metadata(app.obj).get("finalizers") or [])
        ours = next((name for name in finalizers if name in FINALIZERS), None)
        if ours is None:
            return True, None
        if self._left(app, FINALIZERS[ours] or "Foreground"):
            return False, LOOK_AGAIN
        rest = [name for name in finalizers if name not in FINALIZERS]
        with contextlib.suppress(NotFound):
            self._home.patch(
                API_VERSION, "Application", app.name, NAMESPACE, patch={"metadata": {"finalizers": rest}}
            )
        return True, None

    def _left(self, app: Application, propagation: str) -> bool:
        """Delete the highest wave that is left; whether anything still is."""
        try:
            live, found = self._observer.known_objects(app)
        except ApplicationError:
            return False  # no such cluster any more: nothing of ours can be there
        going = [obj for obj in found if _goes(obj, app)]
        if not going:
            return False
        highest = max(wave(obj) for obj in going)
        carrier = Carrier(live, app.sync_policy.options, propagation)
        for obj in going:
            if wave(obj) == highest and not metadata(obj).get("deletionTimestamp"):
                carrier.delete(obj)
        return any(_goes(obj, app) for obj in live.of_application(app.instance_name))
