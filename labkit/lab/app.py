"""One application, as a notebook and a command see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from labkit.errors import ApplicationError, LabError
from labkit.lab.facts import AppStatus, Difference, Entry, Event, Leaving, Listing, Resource
from labkit.lab.plan import SyncPlan
from labkit.lab.reading import differences_of, pods, tree_of
from labkit.lab.repos import address
from labkit.lab.spec import Wishes, changed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labkit.cluster import ProxyResponse
    from labkit.lab.applications import Applications
    from labkit.lab.service_client import ServiceClient
    from labkit.lab.watch import Watched
    from labkit.views import View
    from labkit.views.tree import TreeNode
    from labkit.widgets import Picture

WAIT_SECONDS = 120.0


class App:
    """An application. It holds no state: each question is asked of the cluster when you ask it."""

    def __init__(self, name: str, applications: Applications, service: ServiceClient) -> None:
        self.name = name
        self._applications = applications
        self._service = service

    def __repr__(self) -> str:
        status = self.status
        return f"{self.name}  {status.sync}  {status.health}"

    def _repr_html_(self) -> str:
        from labkit.lab.watch import picture

        return picture(self, self.object)._repr_html_()

    # -- how it stands

    @property
    def object(self) -> dict[str, Any]:
        """The Application object, as it is in the cluster now."""
        return self._applications.get(self.name)

    @property
    def status(self) -> AppStatus:
        """Sync, health and the last operation."""
        return AppStatus.of(self.object)

    @property
    def namespace(self) -> str:
        """Where it deploys to."""
        return str(self.object["spec"].get("destination", {}).get("namespace") or "default")

    @property
    def resources(self) -> Listing[Resource]:
        """What the application asks for, each with sync and health."""
        found = (self.object.get("status") or {}).get("resources") or []
        return Listing([Resource.of(item) for item in found], empty="(no resources)")

    @property
    def orphaned(self) -> Listing[Resource]:
        """What lies in its namespace and belongs to no application; its project has to ask for that."""
        found = self._ask("resource-tree").get("orphanedNodes") or []
        return Listing([Resource.of(item) for item in found], empty="(no orphaned resources)")

    @property
    def tree(self) -> TreeNode:
        """What it asks for, and what the cluster's controllers made of that."""
        nodes = self._ask("resource-tree")["nodes"]
        return tree_of(self.object, nodes)

    @property
    def commit(self) -> str:
        """The commit that it was last compared with, as people quote it: ``1a2b3c4 the message's first line``."""
        message = str(self._ask("revision-metadata").get("message", "")).partition("\n")[0]
        return f"{self.status.revision[:7]} {message}".strip()

    @property
    def commit_metadata(self) -> dict[str, Any]:
        """Author, date and message of that commit; empty where Git does not say."""
        try:
            found: dict[str, Any] = self._ask("revision-metadata")
        except LabError:
            return {}
        return found

    @property
    def loop(self) -> View:
        """The loop of late, stage by stage, with what each looked at, how long it took, and which gate held."""
        from labkit.lab.pictures import loop

        return loop(self._ask("loop"), self.object)

    @property
    def network(self) -> View:
        """Who reaches whom: Ingress → Service → Pods."""
        from labkit.gitops import tree
        from labkit.views.network import network

        return network(tree.network(self._ask("resource-tree")["nodes"], self._applications.cluster))

    def live(self) -> Picture:
        """The loop and the tree, alive in the notebook after the cell has ended, with buttons; ``stop()`` ends that."""
        from labkit.lab.doing import actions
        from labkit.lab.pictures import application
        from labkit.widgets import Buttons, Picture

        return Picture(lambda: application(self), below=lambda: Buttons(actions(self)))

    @property
    def history(self) -> Listing[Entry]:
        """What was deployed, oldest first."""
        found = (self.object.get("status") or {}).get("history") or []
        return Listing([Entry.of(item) for item in found], empty="(nothing deployed yet)")

    @property
    def events(self) -> Listing[Event]:
        """What the cluster's controllers reported about its objects, oldest first."""
        wanted = {node.get("uid") for node in self._ask("resource-tree")["nodes"]}
        own = self.object["metadata"]["uid"]
        items = self._applications.events(self.name, self.namespace)
        about = [i for i in items if (i.get("involvedObject") or {}).get("uid") in wanted | {own}]
        found = sorted((Event.of(item) for item in about), key=lambda event: event.last_seen)
        return Listing(found, empty="(no events)")

    def diff(self) -> Listing[Difference]:
        """What is not as the repository says; a sync would change just this."""
        return Listing(differences_of(self._ask("managed-resources")["items"]), empty="(no difference)")

    def plan(self, *, prune: bool | None = None, entry: int | Entry | None = None) -> SyncPlan:
        """What a sync would do now, in order, and why; nothing is done. ``prune`` is as the policy says.

        ``app.sync(plan=…)`` does just this, or nothing. With an ``entry`` of the history it is the plan of the
        rollback to that.
        """
        number = entry.id if isinstance(entry, Entry) else entry
        obj = self.object
        automated = (obj["spec"].get("syncPolicy") or {}).get("automated") or {}
        wanted = bool(automated.get("prune")) if prune is None else prune
        revision = ((obj.get("status") or {}).get("sync") or {}).get("revision") or ""
        of = "" if number is None else f"&id={number}"
        records = self._ask(f"plan?prune={str(wanted).lower()}{of}")["tasks"]
        return SyncPlan(self.name, records, revision=revision, prune=wanted)

    @property
    def deletion(self) -> Listing[Leaving]:
        """What would go with it if it were deleted with what it deployed, in order; and what would stay, and why."""
        found = self._ask("deletion")["items"]
        return Listing(
            [Leaving.of(item) for item in found], empty="(it has deployed nothing that is still there)"
        )

    def manifests(self, source: str = "git") -> Listing[dict[str, Any]]:
        """The objects as Git says (``git``), or as the cluster has them (``live``)."""
        if source == "git":
            return Listing(self._ask("manifests")["manifests"], empty="(no manifests)")
        items = self._ask("managed-resources")["items"]
        return Listing([i["liveState"] for i in items if i.get("liveState")], empty="(nothing is live)")

    def logs(
        self,
        *,
        kind: str = "",
        name: str = "",
        container: str = "",
        tail: int | None = None,
        previous: bool = False,
    ) -> dict[str, str]:
        """The logs of its pods, by pod; ``kind`` and ``name`` take only those below one resource."""
        found = {}
        for pod in pods(self.tree, kind=kind, name=name):
            found[pod.name] = self._applications.log(
                self.name,
                pod.namespace or self.namespace,
                pod.name,
                container=container,
                tail=tail,
                previous=previous,
            )
        return found

    def request(self, path: str = "/", *, service: str = "", port: int | str | None = None) -> ProxyResponse:
        """Ask the running application over HTTP, through the cluster's API server.

        ``service`` is one of its Services; by default the only, or first, one.
        """
        name = service or next((r.name for r in self.resources if r.kind == "Service"), "")
        if not name:
            raise ApplicationError(
                f"application {self.name!r} has no Service to ask",
                where=self.name,
                fix="Add one to its chart.",
            )
        return self._applications.cluster.proxy(self.namespace, name, path, port=port)

    # -- what can be done with it

    def refresh(self, *, hard: bool = False) -> App:
        """Compare with Git now; ``hard`` also renders again what is remembered. Returns when it is done."""
        self._applications.refresh(self.name, hard=hard)
        return self

    def sync(
        self,
        *,
        revision: str = "",
        prune: bool = False,
        dry_run: bool = False,
        resources: Sequence[str] = (),
        force: bool = False,
        plan: SyncPlan | None = None,
        wait: bool = True,
        timeout: float | None = WAIT_SECONDS,
    ) -> App:
        """Bring the cluster to what Git says. `SyncFailed` if that fails, `WaitTimeout` if it takes too long.

        With a ``plan``, it does what the plan says, at its revision; or nothing, if that is no longer what a sync
        would do.
        """
        if plan is not None and plan.application != self.name:
            raise LabError(
                f"the plan is one of {plan.application!r}", where=self.name, fix="Make one: app.plan()"
            )
        self._applications.sync(
            self.name,
            revision=plan.revision if plan else revision,
            prune=plan.prune if plan else prune,
            plan=plan.records if plan else None,
            dry_run=dry_run,
            resources=resources,
            force=force,
        )
        if wait:
            self._applications.wait_for_operation(self.name, timeout=timeout)
        return self

    def wait(
        self,
        *,
        sync: bool = True,
        health: bool = True,
        operation: bool = True,
        suspended: bool = False,
        resources: Sequence[str] = (),
        timeout: float | None = WAIT_SECONDS,
        progress: Callable[[AppStatus], None] | None = None,
    ) -> App:
        """Return when it is synced and healthy and nothing runs; `WaitTimeout` says what was missing.

        ``resources`` (``GROUP:KIND:NAME``, with ``*`` and ``!``) waits for those only. ``progress`` is told each
        status that is seen until then.
        """
        self._applications.wait(
            self.name,
            sync=sync,
            health=health,
            operation=operation,
            suspended=suspended,
            resources=resources,
            timeout=timeout,
            progress=None if progress is None else lambda obj: progress(AppStatus.of(obj)),
        )
        return self

    def watch(
        self, *, timeout: float = WAIT_SECONDS, until: Callable[[AppStatus], bool] | None = None
    ) -> Watched:
        """Show it live until it is Synced and Healthy, or cannot get there by itself, or ``timeout`` seconds passed.

        ``until`` waits for something else: ``app.watch(until=lambda status: status.health == "Degraded")``.
        """
        from labkit.lab.watch import watch

        return watch(self, timeout=timeout, until=until)

    def rollback(
        self, entry: int | Entry | None = None, *, prune: bool = False, timeout: float | None = WAIT_SECONDS
    ) -> App:
        """Deploy an entry of the history again (by default the last but one); `RollbackRefused` under automation."""
        number = entry.id if isinstance(entry, Entry) else entry
        self._applications.rollback(self.name, number, prune=prune)
        self._applications.wait_for_operation(self.name, timeout=timeout)
        return self

    def confirm_deletion(self) -> App:
        """Agree to what waits for it: resources with ``Prune=confirm`` or ``Delete=confirm``, as of now."""
        self._applications.confirm_deletion(self.name)
        return self

    def terminate(self) -> App:
        """Stop the operation that is running."""
        self._applications.terminate(self.name)
        return self

    def set(self, **wishes: Any) -> App:
        """Change what it is to be, in the words of ``lab.apps.create``: ``app.set(automated=True)``."""
        return self.set_wished(Wishes(**wishes))

    def set_wished(self, wishes: Wishes) -> App:
        """The same, from the command's flags."""
        meant = wishes.meaning(lambda said: address(said, self._service))
        self._applications.update(self.name, lambda application: changed(application, meant))
        return self

    def delete(
        self,
        *,
        cascade: bool = True,
        propagation_policy: str = "foreground",
        wait: bool = True,
        timeout: float | None = WAIT_SECONDS,
    ) -> None:
        """Delete it and, with ``cascade``, what it deployed; returns when it is gone."""
        self._applications.delete(
            self.name,
            cascade=cascade,
            propagation_policy=propagation_policy,
            wait=wait,
            timeout=timeout,
        )

    def _ask(self, part: str) -> Any:
        return self._service.get(f"/api/v1/applications/{quote(self.name, safe='')}/{part}")
