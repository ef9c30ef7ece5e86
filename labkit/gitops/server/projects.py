"""AppProjects: seen and changed by whoever may, and the tokens of their roles."""

from __future__ import annotations

import copy
import threading
import uuid
from typing import TYPE_CHECKING, Any

from labkit.errors import AlreadyExists, ApplicationError, BadRequest, NotFound
from labkit.gitops.api.application import Application, InvalidSpec
from labkit.gitops.api.names import API_VERSION, NAMESPACE
from labkit.gitops.projects import Project, check
from labkit.gitops.rbac import tokens
from labkit.gitops.server.objects import hidden, over, project_of, received, rewrite, same_version
from labkit.k8s.objects import Object, metadata, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labkit.gitops.controller import Controller
    from labkit.gitops.live import Server
    from labkit.gitops.rbac import Caller
    from labkit.runtime.clock import Clock

JSON = dict[str, Any]
KIND = "AppProject"
KINDS = (
    "clusterResourceWhitelist",
    "clusterResourceBlacklist",
    "namespaceResourceWhitelist",
    "namespaceResourceBlacklist",
)


class ProjectDesk:
    """Every way to an AppProject but ``kubectl``. ``signing`` gives the key that tokens are signed with."""

    def __init__(
        self, home: Server, controller: Controller, signing: Callable[[], bytes], clock: Clock
    ) -> None:
        self._home, self._controller, self._signing, self._clock = home, controller, signing, clock
        self._seen = controller.seen
        self._lock = threading.Lock()

    def list(self, caller: Caller) -> list[Object]:
        """Those that the caller may see, by name."""
        found = sorted(self._home.list(API_VERSION, KIND, NAMESPACE).items, key=name_of)
        return [obj for obj in found if caller.may("projects", "get", name_of(obj))]

    def get(self, caller: Caller, name: str) -> Object:
        """One project; what the caller may not see is `Forbidden`, whether it is there or not."""
        caller.demand("projects", "get", name)
        return self._get(name)

    def create(self, caller: Caller, body: Any, *, upsert: bool = False) -> Object:
        """A new project; with ``upsert`` one that is there is changed."""
        sent = received(body, KIND)
        name = name_of(sent)
        caller.demand("projects", "create", name)
        check(name, sent["spec"])
        self._may_name(caller, sent, {"spec": {}})
        _without_tokens(sent, {})
        try:
            made = self._home.create(sent)
        except AlreadyExists:
            there = self._get(name)
            if there.get("spec") == sent["spec"]:
                return there
            if not upsert:
                raise ApplicationError(
                    f"there is a project {name!r} already, with another spec",
                    where=name,
                    fix="Add --upsert to change it, or choose another name.",
                ) from None
            return self.update(caller, name, sent)
        self._seen.projects.answered("ADDED", made)
        return made

    def update(self, caller: Caller, name: str, body: Any) -> Object:
        """Replace the spec. A project opens sources and clusters to others, so who adds one must be let change it.

        No application that is right now may become wrong by it. Tokens are not written this way.
        """
        sent = received(body, KIND)
        if name_of(sent) != name:
            raise BadRequest(
                f"the name cannot be changed to {name_of(sent)!r}", where="metadata.name", fix=name
            )
        caller.demand("projects", "update", name)
        check(name, sent["spec"])

        def change(live: Object) -> Object:
            same_version(body, live)
            self._may_name(caller, sent, live)
            self._spare(sent, live)
            changed = over(live, _without_tokens(copy.deepcopy(sent), live))
            _forget_roles(changed)
            return changed

        return rewrite(self._home, self._seen.projects, name, change, lambda: self._get(name))

    def delete(self, caller: Caller, name: str) -> None:
        """Delete a project that no application is in."""
        caller.demand("projects", "delete", name)
        if name == "default":
            raise ApplicationError(
                "name 'default' is reserved and cannot be deleted", where=name, fix="Leave it; others may go."
            )
        there = self._get(name)
        count = sum(
            project_of(obj) == name for obj in self._home.list(API_VERSION, "Application", NAMESPACE).items
        )
        if count:
            raise ApplicationError(
                f"project is referenced by {count} application{'s'[: count != 1]}",
                where=name,
                fix=f"Move or delete them first: labkit app list -p {name}",
            )
        self._home.delete(API_VERSION, KIND, name, NAMESPACE, uid=metadata(there).get("uid"))
        self._seen.projects.answered("DELETED", there)

    # -- tokens of a role

    def create_token(
        self, caller: Caller, project: str, role: str, *, identity: str = "", seconds: int = 0
    ) -> str:
        """A token for a role. Who may change the project may have one, and who is in one of the role's groups."""
        identity = identity or str(uuid.uuid4())
        if seconds < 0:
            raise BadRequest("a token cannot end before it begins", where="expiresIn", fix="0: for ever.")
        claims: JSON = {}

        def change(live: Object) -> Object:
            self._may_have_tokens(caller, live, role)
            claims.update(
                tokens.role_token(project, role, identity=identity, now=self._clock.now(), seconds=seconds)
            )
            listed = _listed(live, role)
            if any(entry.get("id") == identity for entry in listed):
                raise ApplicationError(
                    f"token id '{identity}' has been used. Please use a different token id",
                    where=f"{project}, role {role}",
                    fix="Leave the id out, and one is made.",
                )
            return _with_tokens(live, role, [*listed, tokens.listed(claims)])

        key = self._signing()
        self._rewrite_tokens(caller, project, change)
        return tokens.issue(claims, key)

    def delete_token(
        self, caller: Caller, project: str, role: str, *, issued: int = 0, identity: str = ""
    ) -> None:
        """Take a token away, by its id or by the second in which it was issued: from now on it opens nothing."""

        def change(live: Object) -> Object:
            self._may_have_tokens(caller, live, role)
            listed = _listed(live, role)
            kept = [e for e in listed if not _is(e, issued, identity)]
            if len(kept) == len(listed):
                raise NotFound(
                    f"role '{role}' of project '{project}' does not have that token",
                    where=identity or str(issued),
                    fix=f"labkit proj role list-tokens {project} {role}",
                )
            return _with_tokens(live, role, kept)

        self._rewrite_tokens(caller, project, change)

    def _rewrite_tokens(self, caller: Caller, project: str, change: Callable[[Object], Object]) -> None:
        if not caller.may("projects", "get", project):
            raise hidden(caller, "projects", project)
        with self._lock:
            rewrite(self._home, self._seen.projects, project, change, lambda: self._get(project))

    def _may_have_tokens(self, caller: Caller, live: Object, role: str) -> None:
        found = _role(live, role)
        groups = set(caller.claims.groups(caller.access.scopes()))
        if not groups & set(found.get("groups") or []):
            caller.demand("projects", "update", name_of(live))

    # -- what a change may not do

    def _may_name(self, caller: Caller, sent: Object, live: Object) -> None:
        """Whether the caller may open what the project newly names to it."""
        new, old = sent["spec"], live.get("spec") or {}
        for cluster in sorted(set(_clusters(new)) - set(_clusters(old))):
            caller.demand("clusters", "update", cluster)
        for url in new.get("sourceRepos") or []:
            if url not in (old.get("sourceRepos") or []):
                caller.demand("repositories", "update", url)
        if any((new.get(kinds) or []) != (old.get(kinds) or []) for kinds in KINDS):
            for cluster in _clusters(new):
                caller.demand("clusters", "update", cluster)

    def _spare(self, sent: Object, live: Object) -> None:
        """`InvalidSpec` where applications that the project permits now would become forbidden."""
        before, after = Project.from_object(live), Project.from_object(sent)
        sources = places = 0
        for obj in self._home.list(API_VERSION, "Application", NAMESPACE).items:
            if project_of(obj) != name_of(live):
                continue
            try:
                app = Application.from_object(obj)
            except InvalidSpec:
                continue
            urls = [source.repo_url for source in app.sources]
            sources += all(map(before.permits_source, urls)) and not all(map(after.permits_source, urls))
            to = self._controller.whole(app.destination)
            place = (to.server, to.name, to.namespace)
            places += before.permits_destination(*place) and not after.permits_destination(*place)
        counts = ((sources, "source"), (places, "destination"))
        if parts := [f"{count} applications {what} became invalid" for count, what in counts if count]:
            raise InvalidSpec(
                f"as a result of project update {' and '.join(parts)}",
                where=name_of(live),
                fix=f"Change or delete these applications first: labkit app list -p {name_of(live)}",
            )

    def _get(self, name: str) -> Object:
        found = self._home.find(API_VERSION, KIND, name, NAMESPACE)
        if found is None:
            raise NotFound(f"there is no project {name!r}", where=name, fix="`labkit proj list` shows them.")
        return found


def _clusters(spec: JSON) -> list[str]:
    found = [to.get("server") or to.get("name") or "" for to in spec.get("destinations") or []]
    return list(dict.fromkeys(filter(None, found)))


def _role(project: Object, name: str) -> JSON:
    for role in (project.get("spec") or {}).get("roles") or []:
        if role.get("name") == name:
            found: JSON = role
            return found
    raise NotFound(
        f"project '{name_of(project)}' does not have role '{name}'",
        where=name,
        fix=f"labkit proj role create {name_of(project)} {name}",
    )


def _listed(project: Object, role: str) -> list[JSON]:
    """A role's tokens, from the status and, as older versions wrote them, from the role itself."""
    status = ((project.get("status") or {}).get("jwtTokensByRole") or {}).get(role) or {}
    found = list(status.get("items") or [])
    known = [(entry.get("id"), entry.get("iat")) for entry in found]
    older = _role(project, role).get("jwtTokens") or []
    return found + [entry for entry in older if (entry.get("id"), entry.get("iat")) not in known]


def _with_tokens(project: Object, role: str, entries: list[JSON]) -> Object:
    changed = copy.deepcopy(project)
    by_role = changed.setdefault("status", {}).setdefault("jwtTokensByRole", {})
    by_role[role] = {"items": entries}
    _role(changed, role).pop("jwtTokens", None)
    return changed


def _without_tokens(sent: Object, live: Object) -> Object:
    """With the tokens in its roles that are live there, and no others: none comes back by a change of the spec."""
    there = {
        role.get("name"): role.get("jwtTokens")
        for role in (live.get("spec") or {}).get("roles") or []
        if role.get("jwtTokens")
    }
    for role in _roles(sent):
        role.pop("jwtTokens", None)
        if role.get("name") in there:
            role["jwtTokens"] = there[role["name"]]
    return sent


def _forget_roles(project: Object) -> None:
    """A role that is gone takes its tokens along: another of that name begins without."""
    names = {role.get("name") for role in _roles(project)}
    by_role = (project.get("status") or {}).get("jwtTokensByRole")
    if by_role and not names.issuperset(by_role):
        kept = {name: items for name, items in by_role.items() if name in names}
        project["status"] = {**project["status"], "jwtTokensByRole": kept}


def _roles(project: Object) -> Iterator[JSON]:
    return (role for role in (project.get("spec") or {}).get("roles") or [] if isinstance(role, dict))


def _is(entry: JSON, issued: int, identity: str) -> bool:
    if identity:
        return bool(entry.get("id") == identity)
    return bool(issued and entry.get("iat") == issued)
