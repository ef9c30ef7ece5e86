"""Applications: seen, changed, synced and deleted by whoever may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError, ApplicationNotFound, BadRequest
from labkit.gitops import operations
from labkit.gitops.api.application import Application, InvalidSpec
from labkit.gitops.api.names import NAMESPACE
from labkit.gitops.server import live
from labkit.gitops.server.objects import (
    ROLLBACK_APART,
    hidden,
    over,
    project_of,
    received,
    same_version,
)
from labkit.k8s.objects import Object, metadata, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labkit.gitops.controller import Controller
    from labkit.gitops.live import Server
    from labkit.gitops.rbac import Caller, Callers

JSON = dict[str, Any]
Found = list[JSON]
Names = list[str]
KIND = "Application"
REFRESH_SECONDS = 50.0


def rbac_name(application: Object) -> str:
    """How a policy names an application: ``PROJECT/NAME``."""
    return f"{project_of(application)}/{name_of(application)}"


class Applications:
    """Every way to an Application but the controller's own."""

    def __init__(self, home: Server, controller: Controller, callers: Callers) -> None:
        self._home, self._controller, self._seen = home, controller, controller.seen
        self._callers = callers

    # -- look

    def list(self, caller: Caller, *, selector: str = "", projects: Sequence[str] = ()) -> list[Object]:
        """Those that the caller may see, by name."""
        found = operations.list_(self._home, label_selector=selector)
        return [
            obj
            for obj in found
            if caller.may("applications", "get", rbac_name(obj))
            and (not projects or project_of(obj) in projects)
        ]

    def get(self, caller: Caller, name: str, *, project: str = "") -> Object:
        """One Application. Where there is none, or the caller may not see it, the answer is the same `Forbidden`.

        Only who may see whatever has that name, in ``project`` or in every project, hears that there is none.
        """
        if project:
            caller.demand("applications", "get", f"{project}/{name}")
        found: Object | None
        try:
            found = operations.get(self._home, name)
        except ApplicationNotFound:
            found = None
        seen = found is not None and caller.may("applications", "get", rbac_name(found))
        if found is None or not seen or (project and project_of(found) != project):
            raise (
                _absent(name)
                if project or self._sees_all(caller, name)
                else hidden(caller, "applications", name)
            )
        return found

    def demand(self, caller: Caller, action: str, name: str, *, resource: str = "applications") -> Object:
        """The Application, if the caller may see it and do this with it."""
        found = self.get(caller, name)
        caller.demand(resource, action, rbac_name(found))
        return found

    def names(self, caller: Caller) -> Names:
        """The applications that the caller may see, as the controller last saw them."""
        found = self._seen.applications.list(NAMESPACE)
        return sorted(name_of(obj) for obj in found if caller.may("applications", "get", rbac_name(obj)))

    def seen(self, caller: Caller, name: str) -> Object | None:
        """An Application as the controller last saw it; None where there is none that the caller may see."""
        found = self._seen.applications.get(NAMESPACE, name)
        if found is None or not caller.may("applications", "get", rbac_name(found)):
            return None
        return found

    def part(self, caller: Caller, name: str, part: str, options: Mapping[str, str]) -> Any:
        """``manifests``, ``managed-resources``, ``plan`` … of an application, as Argo CD's API names them."""
        self.get(caller, name)
        ask = self._controller
        match part:
            case "manifests":
                return {"manifests": ask.manifests(name)}
            case "managed-resources":
                return {"items": ask.managed_resources(name)}
            case "plan":
                prune, entry = (
                    {"true": True, "false": False}.get(options.get("prune", "")),
                    options.get("id", ""),
                )
                if entry and not entry.isdigit():
                    raise BadRequest("it is no number", where="id", fix="Choose one of the history.")
                return {"tasks": ask.plan(name, prune=prune, entry=int(entry) if entry else None)}
            case "deletion":
                return {"items": ask.deletion(name)}
            case "loop":
                return ask.loop(name)
            case "resource-tree":
                return {"nodes": ask.resource_tree(name), "orphanedNodes": ask.orphaned_resources(name)}
            case "revision-metadata":
                return ask.revision_metadata(name)
        raise BadRequest(
            f"there is no {part!r} of an application",
            where=f"/api/v1/applications/{name}/{part}",
            fix="One of deletion, loop, manifests, managed-resources, plan, resource-tree, revision-metadata.",
        )

    def logs(self, caller: Caller, name: str, **wanted: Any) -> Found:
        """The logs of its pods, as `labkit.gitops.server.live.logs`; that needs ``logs, get``."""
        self.demand(caller, "get", name, resource="logs")
        return live.logs(self._controller, name, **wanted)

    def events(self, caller: Caller, name: str) -> Found:
        """The Events about it and what belongs to it."""
        return live.events(self._home, self._controller, self.get(caller, name))

    # -- change

    def create(self, caller: Caller, body: Any, *, upsert: bool = False, validate: bool = True) -> Object:
        """A new Application, or with ``upsert`` another spec for one that is there.

        ``validate``: its sources must give manifests, else it is not made.
        """
        sent = received(body, KIND)
        caller.demand("applications", "create", rbac_name(sent))
        self._check(caller, sent, validate=validate)
        there = self._home.find(sent["apiVersion"], KIND, name_of(sent), NAMESPACE)
        if there is not None:
            if not caller.may("applications", "get", rbac_name(there)):
                raise ApplicationError(
                    f"the name {name_of(sent)!r} is taken", where=name_of(sent), fix="Choose another name."
                )
            if upsert and there.get("spec") != sent["spec"]:
                whole = {**sent, "metadata": metadata(there)}
                return self.update(caller, name_of(sent), whole, validate=validate)
        return operations.create(self._home, sent)

    def update(self, caller: Caller, name: str, body: Any, *, validate: bool = True) -> Object:
        """Replace spec, labels, annotations and finalizers. Into another project only who may create there, too."""
        sent = received(body, KIND)
        if name_of(sent) != name:
            raise BadRequest(
                f"the name cannot be changed to {name_of(sent)!r}", where="metadata.name", fix=name
            )
        self.demand(caller, "update", name)

        def change(there: Object) -> Object:
            caller.demand("applications", "update", rbac_name(there))
            if project_of(there) != project_of(sent):
                caller.demand("applications", "create", rbac_name(sent))
                caller.demand("applications", "update", rbac_name(sent))
            same_version(body, there)
            self._check(caller, sent, validate=validate)
            return over(there, sent)

        return operations.update(self._home, name, change)

    def delete(
        self, caller: Caller, name: str, *, cascade: bool = True, propagation_policy: str = "foreground"
    ) -> None:
        """Delete it and, with ``cascade``, what it deployed; does not wait until that is done."""
        self.demand(caller, "delete", name)
        operations.delete(
            self._home, name, cascade=cascade, propagation_policy=propagation_policy, wait=False
        )

    # -- operate

    def refresh(self, caller: Caller, name: str, *, hard: bool = False) -> Object:
        """Compare with Git now. Whoever may see an application may look again."""
        self.get(caller, name)
        return operations.refresh(self._home, name, hard=hard, timeout=REFRESH_SECONDS)

    def sync(
        self,
        caller: Caller,
        name: str,
        *,
        revision: str = "",
        prune: bool = False,
        dry_run: bool = False,
        resources: Sequence[str] = (),
        force: bool = False,
        options: Sequence[str] | None = None,
        plan: Sequence[JSON] | None = None,
    ) -> Object:
        """Ask for a sync. Another revision than what is followed needs ``override``, where the settings say so."""
        found = self.demand(caller, "sync", name)
        if revision and self._callers.is_set("application.sync.requireOverridePrivilegeForRevisionSync"):
            followed = [source.target_revision or "HEAD" for source in Application.from_object(found).sources]
            if [revision] != followed:
                caller.demand("applications", "override", rbac_name(found))
        return operations.sync(
            self._home,
            name,
            revision=revision,
            prune=prune,
            dry_run=dry_run,
            resources=resources,
            force=force,
            options=options,
            plan=plan,
            username=caller.name,
        )

    def rollback(self, caller: Caller, name: str, entry: int | None = None, *, prune: bool = False) -> Object:
        """Ask for an entry of the history. It needs ``sync``; ``rollback`` where the settings tell the two apart."""
        apart = self._callers.is_set(ROLLBACK_APART)
        self.demand(caller, "rollback" if apart else "sync", name)
        return operations.rollback(self._home, name, entry, prune=prune, username=caller.name)

    def terminate(self, caller: Caller, name: str) -> Object:
        """Stop the operation that runs; who may sync may stop it."""
        self.demand(caller, "sync", name)
        return operations.terminate(self._home, name)

    def confirm_deletion(self, caller: Caller, name: str) -> Object:
        """Agree to what waits for a confirmation."""
        self.demand(caller, "update", name)
        return operations.confirm_deletion(self._home, name)

    def _check(self, caller: Caller, sent: Object, *, validate: bool) -> None:
        """Whether its project and destination allow it; projects that the caller may not see are not named."""
        app = Application.from_object(sent)
        if self._seen.projects.get(NAMESPACE, app.project) is None:
            visible = [name_of(obj) for obj in self._seen.projects.list(NAMESPACE)]
            known = ", ".join(name for name in sorted(visible) if caller.may("projects", "get", name))
            raise InvalidSpec(
                f"application refers to project {app.project!r}, which does not exist",
                where="spec.project",
                fix=f"There are: {known or 'none that you may see'}.",
            )
        self._controller.check(app, manifests=validate)

    def _sees_all(self, caller: Caller, name: str) -> bool:
        projects = self._seen.projects.list(NAMESPACE)
        return all(caller.may("applications", "get", f"{name_of(obj)}/{name}") for obj in projects)


def _absent(name: str) -> ApplicationNotFound:
    return ApplicationNotFound(
        f"there is no application {name!r}", where=name, fix="`labkit app list` shows them."
    )
