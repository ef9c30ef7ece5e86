"""``lab.projects``: AppProjects, their roles with tokens, and their sync windows."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from labkit.errors import ApplicationError, Conflict
from labkit.gitops.api import API_VERSION, NAMESPACE
from labkit.lab import project_edits as edits
from labkit.lab.durations import seconds_of
from labkit.lab.facts import Listing
from labkit.lab.tokens import token_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from labkit.lab.service_client import ServiceClient

JSON = dict[str, Any]
TRIES = 5
ROOT = "/api/v1/projects"


class Project:
    """One AppProject. It holds no state; each change is written at once, and refused if it makes no sense."""

    def __init__(self, name: str, service: ServiceClient) -> None:
        self.name = name
        self._service = service
        self._path = f"{ROOT}/{quote(name, safe='')}"

    def __repr__(self) -> str:
        spec = self.spec
        sources, places = spec.get("sourceRepos") or [], spec.get("destinations") or []
        return f"{self.name}  {len(sources)} sources  {len(places)} destinations  {len(self.roles)} roles"

    @property
    def object(self) -> JSON:
        """The AppProject, as it is now."""
        found: JSON = self._service.get(self._path)
        return found

    @property
    def spec(self) -> JSON:
        """Its ``spec``; what you change in it is not written, `change` does that."""
        found: JSON = self.object["spec"]
        return found

    def change(self, change: Callable[[JSON], Any]) -> Project:
        """Change the spec by a function that edits it in place; called again if somebody wrote meanwhile."""
        for _ in range(TRIES):
            obj = self.object
            changed = copy.deepcopy(obj)
            change(changed["spec"])
            try:
                self._service.put(self._path, {"project": changed})
            except Conflict:
                continue
            return self
        raise ApplicationError(f"project {self.name} is written by others all the time", fix="Try again.")

    # -- what its applications may be made of, and where they may go

    def add_source(self, url: str) -> Project:
        """Let its applications be read from a repository; ``*`` and ``!`` as in the file."""
        return self.change(lambda spec: edits.add_to(spec, "sourceRepos", url, f"source repository '{url}'"))

    def remove_source(self, url: str) -> Project:
        """Take a repository away."""
        what = f"source repository '{url}'"
        return self.change(lambda spec: edits.remove_from(spec, "sourceRepos", url, what))

    def add_destination(self, place: str, namespace: str, *, by_name: bool = False) -> Project:
        """Let its applications go to a namespace of a cluster (a server's URL, or a cluster's name)."""
        entry = edits.destination(place, namespace, by_name=by_name)
        what = f"destination '{place}/{namespace}'"
        return self.change(lambda spec: edits.add_to(spec, "destinations", entry, what))

    def remove_destination(self, place: str, namespace: str, *, by_name: bool = False) -> Project:
        """Take a destination away."""
        entry = edits.destination(place, namespace, by_name=by_name)
        what = f"destination '{place}/{namespace}'"
        return self.change(lambda spec: edits.remove_from(spec, "destinations", entry, what))

    def permit_kind(
        self, group: str, kind: str, *, scope: str, allow: bool, by_allowing: bool | None = None
    ) -> Project:
        """Allow or deny a kind, of ``scope`` ``cluster`` or ``namespace``.

        As with ``argocd proj``, that is done in the list of the allowed kinds for a cluster's, in that of the denied
        ones for a namespace's; ``by_allowing`` says which.
        """
        through = scope == "cluster" if by_allowing is None else by_allowing
        return self.change(
            lambda spec: edits.permit_kind(spec, group, kind, scope=scope, allow=allow, by_allowing=through)
        )

    def monitor_orphans(self, *, warn: bool = True, enabled: bool = True) -> Project:
        """Look for objects in its namespaces that belong to no application, and with ``warn`` say so."""

        def change(spec: JSON) -> None:
            if not enabled:
                spec.pop("orphanedResources", None)
            else:
                spec["orphanedResources"] = {**(spec.get("orphanedResources") or {}), "warn": warn}

        return self.change(change)

    # -- roles

    @property
    def roles(self) -> list[JSON]:
        """Its roles: ``name``, ``description``, ``policies``, ``groups``."""
        return list(self.spec.get("roles") or [])

    def create_role(self, name: str, *, description: str = "") -> Project:
        """A role that may nothing yet."""
        return self.change(lambda spec: edits.add_role(spec, name, description))

    def delete_role(self, name: str) -> Project:
        """Delete a role; its tokens open nothing from now on."""
        return self.change(lambda spec: edits.remove_role(spec, name))

    def add_policy(
        self, role: str, action: str, obj: str, *, resource: str = "applications", effect: str = "allow"
    ) -> Project:
        """Let a role do something: ``project.add_policy("ci", "sync", "*")``."""
        line = edits.policy(self.name, role, resource, action, obj, effect)
        return self._in_role(role, lambda found: edits.add_to(found, "policies", line, f"policy '{line}'"))

    def remove_policy(
        self, role: str, action: str, obj: str, *, resource: str = "applications", effect: str = "allow"
    ) -> Project:
        """Take that away."""
        line = edits.policy(self.name, role, resource, action, obj, effect)
        return self._in_role(
            role, lambda found: edits.remove_from(found, "policies", line, f"policy '{line}'")
        )

    def add_group(self, role: str, group: str) -> Project:
        """Give a group of the single sign-on a role."""
        return self._in_role(role, lambda found: edits.add_to(found, "groups", group, f"group '{group}'"))

    def remove_group(self, role: str, group: str) -> Project:
        """Take it from the group."""
        return self._in_role(
            role, lambda found: edits.remove_from(found, "groups", group, f"group '{group}'")
        )

    def create_token(self, role: str, *, expires_in: str = "0s", identity: str = "") -> str:
        """A token for a role, for a program; it is shown once. ``expires_in`` such as ``24h``; ``0s``: never."""
        body = {"expiresIn": seconds_of(expires_in, "expiresIn"), "id": identity}
        return str(self._service.post(f"{self._path}/roles/{quote(role, safe='')}/token", body)["token"])

    def delete_token(self, role: str, token: str | int) -> None:
        """Take a token away, by its id or by the second in which it was issued."""
        issued = int(token) if str(token).isdigit() else 0
        by_id = "" if issued else f"?id={quote(str(token), safe='')}"
        self._service.delete(f"{self._path}/roles/{quote(role, safe='')}/token/{issued}{by_id}")

    def tokens(self, role: str) -> list[JSON]:
        """A role's tokens, without what is secret: ``id``, ``issued``, ``expires``."""
        obj = self.object
        edits.role_of(obj["spec"], role)
        by_role = (obj.get("status") or {}).get("jwtTokensByRole") or {}
        return [token_entry(entry) for entry in (by_role.get(role) or {}).get("items") or []]

    def _in_role(self, role: str, change: Callable[[JSON], Any]) -> Project:
        return self.change(lambda spec: change(edits.role_of(spec, role)))

    # -- sync windows

    @property
    def windows(self) -> list[JSON]:
        """Its sync windows, in their order."""
        return list(self.spec.get("syncWindows") or [])

    def add_window(self, kind: str, schedule: str, duration: str, **more: Any) -> Project:
        """A window: ``project.add_window("deny", "0 22 * * *", "8h", applications=["*"])``.

        ``namespaces``, ``clusters``, ``manual_sync``, ``time_zone``, ``and_operator``, ``sync_overrun`` and
        ``description`` are the others.
        """
        made = edits.window(kind, schedule, duration, **more)
        return self.change(lambda spec: edits.add_to(spec, "syncWindows", made, "the sync window"))

    def delete_window(self, number: int) -> Project:
        """Delete a window by its place in `windows`."""
        return self.change(lambda spec: edits.remove_window(spec, number))


class Projects:
    """``lab.projects``: create, find by name, go through them all, delete."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    def create(
        self,
        name: str,
        *,
        description: str = "",
        sources: Sequence[str] = (),
        destinations: Sequence[tuple[str, str]] = (),
        cluster_kinds: Sequence[tuple[str, str]] = (),
        upsert: bool = False,
    ) -> Project:
        """A project: repositories, pairs of cluster and namespace, pairs of group and kind of cluster-wide objects."""
        spec: JSON = {"sourceRepos": list(sources)}
        spec["destinations"] = [edits.destination(place, namespace) for place, namespace in destinations]
        if description:
            spec["description"] = description
        if cluster_kinds:
            spec["clusterResourceWhitelist"] = [{"group": g, "kind": k} for g, k in cluster_kinds]
        return self.create_from({"metadata": {"name": name}, "spec": spec}, upsert=upsert)

    def create_from(self, manifest: JSON, *, upsert: bool = False) -> Project:
        """From an AppProject manifest."""
        whole = {"apiVersion": API_VERSION, "kind": "AppProject", **manifest}
        whole["metadata"] = {"namespace": NAMESPACE, **manifest.get("metadata", {})}
        made = self._service.post(ROOT, {"project": whole, "upsert": upsert})
        return Project(made["metadata"]["name"], self._service)

    def delete(self, name: str) -> None:
        """Delete a project that no application is in."""
        self._service.delete(f"{ROOT}/{quote(name, safe='')}")

    @property
    def objects(self) -> list[JSON]:
        """The AppProjects that you may see."""
        found: list[JSON] = self._service.get(ROOT)["items"]
        return found

    def __getitem__(self, name: str) -> Project:
        found = Project(name, self._service)
        _ = found.object  # says so, if there is none
        return found

    def __contains__(self, name: object) -> bool:
        return any(obj["metadata"]["name"] == name for obj in self.objects)

    def __iter__(self) -> Iterator[Project]:
        return iter([Project(obj["metadata"]["name"], self._service) for obj in self.objects])

    def __len__(self) -> int:
        return len(self.objects)

    def __repr__(self) -> str:
        return repr(Listing(list(self)))
