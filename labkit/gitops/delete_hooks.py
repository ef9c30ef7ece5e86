"""PreDelete and PostDelete: hooks that run when an Application is deleted, before and after what it deployed goes.

While there are such hooks in Git, a finalizer on the Application says so: else nobody would be left to run them.
Source: controller/hook.go and appcontroller.go of Argo CD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import ApplicationError, NoSuchKind
from labkit.gitops import health
from labkit.gitops.api.names import CLEANUP, POST_DELETE, PRE_DELETE
from labkit.gitops.applying import apply
from labkit.gitops.desired import targets
from labkit.gitops.status import moment
from labkit.gitops.sync import hooks
from labkit.gitops.sync.hooks import Attempt
from labkit.gitops.sync.phases import wave
from labkit.k8s.objects import Object, ObjectKey, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.gitops.api.application import Application
    from labkit.gitops.live import LiveCluster
    from labkit.gitops.observe import Observer
    from labkit.gitops.sources import Manifests
    from labkit.gitops.sync.carry import Carrier

FINALIZERS = {"PreDelete": PRE_DELETE, "PostDelete": POST_DELETE}


def finalizers(known: Iterable[str], manifests: Manifests) -> list[str]:
    """An Application's finalizers as they are to be, by the hooks that its manifests have now."""
    phases = {phase for item in manifests for phase in hooks.delete_phases(item.obj)}
    ours = {name + end for name in FINALIZERS.values() for end in ("", CLEANUP)}
    wanted = [FINALIZERS[phase] + end for phase in sorted(phases) for end in ("", CLEANUP)]
    kept = [name for name in known if name not in ours or name in wanted]
    return kept + [name for name in wanted if name not in kept]


class DeleteHooks:
    """The hooks of one phase of one Application that is being deleted."""

    def __init__(self, app: Application, phase: str, observer: Observer) -> None:
        self._phase = phase
        self._live: LiveCluster = observer.destinations.find(app.destination)
        sync = app.status.get("sync") or {}
        revisions = sync.get("revisions") or [sync.get("revision") or ""]
        if len(revisions) != len(app.sources) or not all(revisions):
            revisions = [observer.sources.resolve(source) for source in app.sources]
        manifests = observer.sources.manifests(
            app, app.sources, revisions, kube_version=self._live.kube_version
        )
        began = moment(str(metadata(app.obj)["deletionTimestamp"]))
        self._attempt = Attempt(app.instance_name, began, revisions[0])
        wanted = targets(app, manifests, self._live).values()
        self._targets = [obj for obj, _ in wanted if phase in hooks.delete_phases(obj)]

    def run(self, carrier: Carrier) -> bool:
        """Begin what can be begun, wave by wave; whether all are done. `ApplicationError` if one failed."""
        for number in sorted({wave(obj) for obj in self._targets}):
            now = [self._attempt.hook(obj, self._phase) for obj in self._targets if wave(obj) == number]
            done = [self._one(obj, carrier) for obj in now]  # all are begun before one is waited for
            if not all(done):
                return False
        return True

    def clean(self, carrier: Carrier) -> None:
        """Delete those whose policy says so, and let go of the others."""
        for target in self._targets:
            live = self._find(self._attempt.hook(target, self._phase))
            if live is None:
                continue
            if hooks.HOOK_SUCCEEDED in hooks.delete_policies(target):
                carrier.delete(live)
            elif hooks.held(live):
                carrier.release(live)

    def _one(self, obj: Object, carrier: Carrier) -> bool:
        live = self._find(obj)
        if live is not None and (metadata(live).get("deletionTimestamp") or not self._attempt.made(live)):
            carrier.delete(live)  # an earlier one of that name, or one that somebody wants to run again
            return False
        if live is None:
            self._live.observe(apply(self._live.server, obj))
            return False
        state = health.assess(live)
        if state is not None and state.status == health.DEGRADED:
            name = f"{obj.get('kind')} {ObjectKey.of(obj).name}"
            raise ApplicationError(
                f"{self._phase} hook {name} failed: {state.message or 'it is Degraded'}",
                where=metadata(obj).get("namespace", ""),
                fix=f"Delete the {name} to run it again, or take the finalizer "
                f"{FINALIZERS[self._phase]} off the Application to go on without it.",
            )
        return state is None or state.status in {health.HEALTHY, health.SUSPENDED}

    def _find(self, obj: Object) -> Object | None:
        key = ObjectKey.of(obj)
        try:
            return self._live.get(str(obj.get("apiVersion")), key.kind, key.namespace, key.name)
        except NoSuchKind:
            return None
