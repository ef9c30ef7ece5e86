"""Watching several applications react to one event: what each did by itself, once it has done it.

A trial is honest only if "nothing happened" means that the controller has looked and decided so. `look` asks each
application's controller to look, and waits for what it began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LessonError
from labkit.gitops import operations
from labkit.k8s.objects import get_path
from labkit.runtime.clock import SystemClock
from labkit.views.table import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labkit.k8s.objects import Object
    from labkit.lessons.workbench import Workbench
    from labkit.runtime.clock import Clock
    from labkit.views import View

SECONDS = 60.0
_PAUSE = 0.2


def look(bench: Workbench, apps: Mapping[str, Any]) -> View:
    """How each application stands once it has done all that it does by itself; of lesson 10's objects."""
    rows = []
    for name, app in apps.items():
        settle(app)
        apples = bench.cluster.find("apps/v1", "Deployment", "apples", app.namespace)
        bananas = bench.cluster.find("apps/v1", "Deployment", "bananas", app.namespace)
        service = bench.cluster.find("v1", "Service", "apples", app.namespace)
        replicas = get_path(apples, "spec", "replicas", default="-")
        rows.append((name, app.status.sync, replicas, _there(bananas), _there(service)))
    return table(["APPLICATION", "SYNC", "REPLICAS", "BANANAS", "SERVICE"], rows)


def settle(app: Any, clock: Clock | None = None, seconds: float = SECONDS) -> None:
    """Return when the controller has looked at the application, and has done what it does by itself."""
    clock = clock or SystemClock()
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        app.refresh()
        if not unsettled(app.object):
            return
        clock.sleep(_PAUSE)
    raise LessonError(
        f"it did not come to rest in {seconds:g} s", where=app.name, fix="Look at it: labkit app get"
    )


def unsettled(application: dict[str, Any]) -> bool:
    """Whether an application that was just compared is still going to change without being asked."""
    status = application.get("status") or {}
    if not operations.idle(application) or get_path(status, "health", "status") == "Progressing":
        return True
    if get_path(status, "operationState", "phase") != "Succeeded":
        return False
    policy = get_path(application, "spec", "syncPolicy", "automated", default={})
    return any(
        _comes(policy, each) for each in status.get("resources") or [] if each["status"] == "OutOfSync"
    )


def _comes(policy: dict[str, Any], resource: dict[str, Any]) -> bool:
    """Whether a resource that is out of sync is on its way: out, or healed, which waits a little between two times."""
    return bool(policy.get("prune" if resource.get("requiresPruning") else "selfHeal"))


def _there(obj: Object | None) -> str:
    """What is on its way out counts as gone: it leaves once its Pods have."""
    return "gone" if obj is None or "deletionTimestamp" in obj["metadata"] else "there"
