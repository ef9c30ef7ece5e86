"""The controller of ApplicationSets: one pass generates, compares with what is there, and carries out the difference.

It has no memory. What a pass cannot find out (a repository that does not answer, a template that fails) leaves every
Application as it is, and stands in the set's conditions.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from labkit.errors import AlreadyExists, LabError, NotFound, RenderError
from labkit.gitops.api.application import Application, InvalidSpec
from labkit.gitops.api.names import API_VERSION, FINALIZER, NAMESPACE
from labkit.gitops.applicationsets import conditions, plan
from labkit.gitops.applicationsets.generate import Generated, generate
from labkit.gitops.applicationsets.generators import requeue_seconds
from labkit.gitops.applicationsets.spec import ApplicationSet
from labkit.gitops.status import difference
from labkit.k8s.objects import Object, annotations_of, controller_of, metadata, name_of, uid_of
from labkit.runtime.controller import Controller as Loop
from labkit.runtime.controller import Result
from labkit.runtime.informer import Feed, Informer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labkit.gitops.applicationsets.inputs import Inputs
    from labkit.gitops.applicationsets.parameters import JSON
    from labkit.gitops.applicationsets.plan import Change
    from labkit.gitops.live import Server
    from labkit.runtime.clock import Clock
    from labkit.runtime.recorder import EventRecorder

log = logging.getLogger(__name__)

KIND = "ApplicationSet"
REFRESH_SET = "argocd.argoproj.io/application-set-refresh"
RETRY_SECONDS = 15.0
"""After an error that may go by itself: Argo CD waits three minutes."""


class ApplicationSets:
    """Keeps the Applications of every ApplicationSet.

    ``applications`` is the informer of all Applications; ``check`` says why an Application may not be, by its project
    and destination (`LabError`), as for one that a person wrote; ``acting``, whether this controller is the one to act.
    """

    def __init__(
        self,
        home: Server,
        applications: Informer,
        inputs: Inputs,
        clock: Clock,
        *,
        check: Callable[[Application], None],
        recorder: EventRecorder,
        acting: Callable[[], bool] = lambda: True,
    ) -> None:
        self._home, self._applications, self._inputs, self._clock = home, applications, inputs, clock
        self._check, self._recorder, self._acting = check, recorder, acting
        self._feed = Feed(Informer(API_VERSION, KIND), home, clock, namespace=NAMESPACE)
        self._loop: Loop[str] = Loop("applicationsets", self._reconcile, clock)

    def start(self) -> None:
        """Begin to watch and to reconcile; `LabError` if the cluster cannot be read."""
        self._feed.start()
        if not self._feed.informer.wait(30):
            raise self._feed.problem or LabError("the cluster's ApplicationSets could not be listed")
        self._feed.informer.on_change(self._set_changed)
        self._applications.on_change(self._application_changed)
        self._loop.start()

    def stop(self) -> None:
        """End everything; a pass that is at work is waited for."""
        self._loop.stop()
        self._feed.stop()

    def look_again(self, kinds: tuple[str, ...] = ()) -> None:
        """What generators of these kinds (by default, of all) ask about has changed: a push, a cluster."""
        for obj in self._feed.informer.list(NAMESPACE):
            if not kinds or any(kind in kinds for kind in _kinds((obj.get("spec") or {}).get("generators"))):
                self._loop.enqueue(name_of(obj))

    def preview(self, obj: Object) -> list[Change]:
        """What a set would change now if it were as in ``obj``. Nothing is written. Raises `LabError`."""
        there = self._feed.informer.get(NAMESPACE, name_of(obj))
        uid = uid_of(there) if there is not None else ""
        meta = {**metadata(obj), "namespace": NAMESPACE} | ({"uid": uid} if uid else {})
        made = ApplicationSet.from_object({**obj, "metadata": meta})
        return plan.changes(made, self._generated(made), self._live())

    # -- one pass

    def _reconcile(self, name: str) -> Result:
        obj = self._feed.informer.get(NAMESPACE, name)
        if obj is None or not self._acting():
            return Result()
        if metadata(obj).get("deletionTimestamp"):
            self._end(obj)
            return Result()
        generated, failed, reason = False, "", ""
        again: float | None = None
        try:
            made = ApplicationSet.from_object(obj)
            again = self._poll(made)
            found = self._generated(made)
            generated = True
            failed, reason = self._carry_out(made, plan.changes(made, found, self._live()))
        except LabError as error:
            failed, reason = str(error), _reason(error)
        self._write(obj, failed, reason, generated=generated)
        if failed:
            return Result(min(again or RETRY_SECONDS, RETRY_SECONDS))
        return Result(again)

    def _generated(self, made: ApplicationSet) -> list[Generated]:
        return [self._checked(one) for one in generate(made, self._inputs)]

    def _checked(self, one: Generated) -> Generated:
        """With what its project and destination have against it."""
        if one.problem:
            return one
        try:
            self._check(Application.from_object(one.application))
        except LabError as error:
            return Generated(one.application, one.params, f"{one.name}: {error.where}: {error.problem}")
        return one

    def _live(self) -> dict[str, Object]:
        return {name_of(obj): obj for obj in self._applications.list(NAMESPACE)}

    def _poll(self, made: ApplicationSet) -> float | None:
        return min(filter(None, map(requeue_seconds, made.generators)), default=None)

    # -- act

    def _carry_out(self, made: ApplicationSet, changes: list[Change]) -> tuple[str, str]:
        """Do what the plan says; the first problem and its kind. One that fails does not keep the others."""
        problems = [
            (change.reason, "ApplicationValidationError")
            for change in changes
            if change.action == plan.REFUSED
        ]
        for change in changes:
            try:
                self._apply(made, change)
            except LabError as error:
                problems.append(
                    (f"{change.name}: {error.problem}", f"{change.action.title()}ApplicationError")
                )
        if not problems:
            return "", ""
        (message, reason), others = problems[0], len(problems) - 1
        return (f"{message} (and {others} more)" if others else message), reason

    def _apply(self, made: ApplicationSet, change: Change) -> None:
        done = {plan.CREATE: self._create, plan.UPDATE: self._update, plan.DELETE: self._delete}.get(
            change.action
        )
        if done is not None and done(change):
            past = {plan.CREATE: "Created", plan.UPDATE: "Updated", plan.DELETE: "Deleted"}[change.action]
            self._recorder.normal(made.obj, past, f'{past} Application "{change.name}"')

    def _create(self, change: Change) -> bool:
        try:
            self._applications.answered("ADDED", self._home.create(change.application))
        except AlreadyExists:  # the watch had not told of it; the next pass sees it
            return False
        return True

    def _update(self, change: Change) -> bool:
        """Only over what the plan was made from: a `Conflict` means a new pass."""
        meta = {
            **change.patch.get("metadata", {}),
            "resourceVersion": metadata(change.application)["resourceVersion"],
        }
        written = self._home.patch(
            API_VERSION, "Application", change.name, NAMESPACE, patch={**change.patch, "metadata": meta}
        )
        self._applications.answered("MODIFIED", written)
        return True

    def _delete(self, change: Change) -> bool:
        if metadata(change.application).get("deletionTimestamp"):
            return False
        with contextlib.suppress(NotFound):
            self._home.delete(
                API_VERSION, "Application", change.name, NAMESPACE, uid=uid_of(change.application)
            )
        return True

    def _end(self, obj: Object) -> None:
        """The set goes. Its Applications go with it, unless its policy is to delete none: then they are let free."""
        policy = ((obj.get("spec") or {}).get("syncPolicy") or {}).get("applicationsSync") or "sync"
        if policy in ("create-only", "create-update"):
            for app in self._owned(obj):
                rest = [o for o in metadata(app).get("ownerReferences") or [] if o.get("uid") != uid_of(obj)]
                patch = {"metadata": {"ownerReferences": rest}}
                with contextlib.suppress(NotFound):
                    self._home.patch(API_VERSION, "Application", name_of(app), NAMESPACE, patch=patch)
        finalizers = list(metadata(obj).get("finalizers") or [])
        if FINALIZER in finalizers:
            rest = [name for name in finalizers if name != FINALIZER]
            with contextlib.suppress(NotFound):
                self._home.patch(
                    API_VERSION, KIND, name_of(obj), NAMESPACE, patch={"metadata": {"finalizers": rest}}
                )

    # -- write

    def _write(self, obj: Object, failed: str, reason: str, *, generated: bool) -> None:
        before = obj.get("status") or {}
        listed = conditions.resources(self._owned(obj))
        status = {
            **before,
            "conditions": conditions.conditions(
                before.get("conditions") or [],
                self._clock.now(),
                error=failed,
                reason=reason,
                generated=generated,
            ),
            "resources": listed,
            "resourcesCount": len(listed),
        }
        patch: JSON = {"status": changed} if (changed := difference(before, status)) else {}
        if REFRESH_SET in annotations_of(obj):
            patch["metadata"] = {"annotations": {REFRESH_SET: None}}
        if patch:
            with contextlib.suppress(NotFound):
                self._feed.informer.answered(
                    "MODIFIED", self._home.patch(API_VERSION, KIND, name_of(obj), NAMESPACE, patch=patch)
                )

    def _owned(self, obj: Object) -> list[Object]:
        found = self._applications.list(NAMESPACE)
        return [app for app in found if (controller_of(app) or {}).get("uid") == uid_of(obj)]

    # -- what happened

    def _set_changed(self, _event: str, obj: Object, old: Object | None) -> None:
        if old is None or _matters(obj) != _matters(old):
            self._loop.enqueue(name_of(obj))

    def _application_changed(self, event: str, obj: Object, old: Object | None) -> None:
        if event != "DELETED" and old is not None and _shown(obj) == _shown(old):
            return
        owner = controller_of(obj) or {}
        if owner.get("kind") == KIND:
            self._loop.enqueue(str(owner.get("name")))


def _kinds(generators: object) -> Iterator[str]:
    """The kinds of generators, those in a matrix or merge too."""
    for generator in generators if isinstance(generators, list) else ():
        for kind, spec in generator.items() if isinstance(generator, dict) else ():
            yield kind
            if isinstance(spec, dict):
                yield from _kinds(spec.get("generators"))


def _matters(obj: Object) -> tuple[object, ...]:
    """What of a set is worth a pass: not its status, which is our own writing."""
    meta = metadata(obj)
    return obj.get("spec"), annotations_of(obj), meta.get("deletionTimestamp"), meta.get("finalizers")


def _shown(obj: Object) -> tuple[object, ...]:
    """What of an Application its set makes, or shows."""
    meta, (listed,) = metadata(obj), conditions.resources([obj])
    return obj.get("spec"), meta.get("labels"), meta.get("annotations"), meta.get("ownerReferences"), listed


def _reason(error: LabError) -> str:
    if isinstance(error, RenderError):
        return "RenderTemplateParamsError"
    return (
        "ApplicationValidationError" if isinstance(error, InvalidSpec) else "ApplicationParamsGenerationError"
    )
