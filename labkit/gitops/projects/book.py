"""The projects of the cluster, and what they say about one application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.api.names import IN_CLUSTER, IN_CLUSTER_SERVER, NAMESPACE
from labkit.gitops.projects.project import Project
from labkit.gitops.projects.windows import can_go_on
from labkit.k8s.objects import Object, gvk, name_of, namespace_of

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.gitops.api.application import Application, Destination
    from labkit.gitops.credentials import Secrets
    from labkit.gitops.live import LiveCluster
    from labkit.runtime.informer import Informer

Permits = Callable[[Object], str]
"""Why an object of an application is not permitted; empty if it is."""


class Projects:
    """Reads AppProject objects as they are now."""

    def __init__(self, informer: Informer, secrets: Secrets) -> None:
        self._informer, self._secrets = informer, secrets

    def of(self, app: Application) -> Project:
        """The application's project; `InvalidSpec` where there is none of that name."""
        obj = self._informer.get(NAMESPACE, app.project)
        if obj is None:
            known = ", ".join(sorted(name_of(one) for one in self._informer.list(NAMESPACE))) or "none"
            raise InvalidSpec(
                f"application refers to project {app.project!r}, which does not exist",
                where="spec.project",
                fix=f"There are: {known}.",
            )
        return Project.from_object(obj)

    def check(self, app: Application) -> None:
        """`InvalidSpec` where the project does not permit the application's sources or destination.

        Of a cluster that nobody knows it says nothing: that is another's to tell.
        """
        project, to = self.of(app), self.whole(app.destination)
        scoped = self._secrets.clusters_of(project.name) if project.only_own_clusters else ()
        if refusal := project.refusal(app, to, scoped):
            raise InvalidSpec(
                refusal,
                where="spec",
                fix=f"Use what AppProject {project.name} permits, or have that changed.",
            )

    def permits(self, app: Application, live: LiveCluster) -> Permits:
        """What to ask about each object of an application before it is touched."""
        project = self.of(app)

        def permits(obj: Object) -> str:
            kind = gvk(obj)
            try:
                namespaced = bool(live.server.resource(kind.api_version, kind.kind).namespaced)
            except LabError:
                namespaced = bool(namespace_of(obj))
            if project.permits_kind(kind.group, kind.kind, name_of(obj), namespaced=namespaced):
                return ""
            return f"resource {kind.group}:{kind.kind} is not permitted in project {project.name}"

        return permits

    def held(self, app: Application, now: datetime, *, manual: bool, began: datetime | None = None) -> str:
        """Which sync window holds a sync now, one that is to begin or one that ``began``; empty if none does."""
        to = self.whole(app.destination)
        about = [window for window in self.of(app).windows if window.matches(app.name, to)]
        if can_go_on(about, now, began or now, manual=manual):
            return ""
        found = [(window, window.is_active(now)) for window in about]
        holding = [w for w, active in found if active and w.kind == "deny"] or [w for w, _ in found]
        return f"sync is blocked by a sync window ({'; '.join(map(str, holding))})"

    def whole(self, to: Destination) -> Destination:
        """A destination with the server and the name of its cluster, whichever was said."""
        if to.in_cluster:
            return replace(to, server=IN_CLUSTER_SERVER, name=IN_CLUSTER)
        fields: dict[str, Any] = self._secrets.cluster(server=to.server, name=to.name) or {}
        return replace(
            to, server=to.server or fields.get("server", ""), name=to.name or fields.get("name", "")
        )
