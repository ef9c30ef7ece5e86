"""The end of an application: what it deployed goes first, last wave first, if its finalizer says so."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from labkit.errors import ApplicationError, NotFound
from labkit.gitops.api.names import API_VERSION, FINALIZERS, NAMESPACE
from labkit.gitops.api.options import sync_option
from labkit.gitops.sync.carry import Carrier
from labkit.gitops.sync.phases import wave
from labkit.k8s.objects import metadata

if TYPE_CHECKING:
    from labkit.gitops.api.application import Application
    from labkit.gitops.live import Server
    from labkit.gitops.observe import Observer

LOOK_AGAIN = 1.0


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
        options = app.sync_policy.options
        going = [obj for obj in found if sync_option(obj, options, "Delete") != "false"]
        if not going:
            return False
        highest = max(wave(obj) for obj in going)
        carrier = Carrier(live, options, propagation)
        for obj in going:
            if wave(obj) == highest and not metadata(obj).get("deletionTimestamp"):
                carrier.delete(obj)
        return any(
            sync_option(o, options, "Delete") != "false" for o in live.of_application(app.instance_name)
        )
