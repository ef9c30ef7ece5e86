"""Argo CD's API over HTTP: its paths, its fields. Each request comes with its caller, whom the rooms below judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from labkit.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labkit.gitops.rbac import Caller
    from labkit.gitops.server import Server

JSON = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """A request, read: who asks, what the path names, what the query says, and the JSON that was sent."""

    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: JSON

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false, of the query or else of the body."""
        said = self.query.get(name)
        found = {"true": True, "false": False}.get(said, said) if said else self.body.get(name, default)
        if not isinstance(found, bool):
            raise BadRequest(f"{name} is true or false, not {found!r}", where=name, fix=f"{name}=true")
        return found

    def text(self, name: str) -> str:
        """A text of the body; empty where it is not there."""
        found = self.body.get(name) or ""
        if not isinstance(found, str):
            raise BadRequest(f"{name} is a text", where=name, fix="Quote it.")
        return found

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number, of the query or of the body; 64-bit numbers come as texts from some."""
        found = self.query.get(name) or self.body.get(name)
        if found is None:
            return default
        if isinstance(found, str) and found.removeprefix("-").isdigit() and len(found) < 20:
            return int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            raise BadRequest(f"{name} is a whole number, not {found!r}", where=name, fix=f"{name}: 3600")
        return found

    def object(self, name: str) -> JSON:
        """A mapping of the body."""
        found = self.body.get(name)
        if not isinstance(found, dict):
            raise BadRequest(f"{name} is missing", where=name, fix=f'Send {{"{name}": {{…}}}}')
        return found


Answer: TypeAlias = "Callable[[Server, Ask], Any]"


def _apps(server: Server, ask: Ask) -> Any:
    projects = [name for name in ask.query.get("projects", "").split(",") if name]
    selector = ask.query.get("selector", "")
    return {"items": server.applications.list(ask.caller, selector=selector, projects=projects)}


def _app(server: Server, ask: Ask) -> Any:
    name = ask.path["name"]
    match ask.query.get("refresh"):
        case None:
            return server.applications.get(ask.caller, name, project=ask.query.get("project", ""))
        case "normal" | "hard" as how:
            return server.applications.refresh(ask.caller, name, hard=how == "hard")
    raise BadRequest("refresh is normal or hard", where="refresh", fix="?refresh=normal")


def _create_app(server: Server, ask: Ask) -> Any:
    validate = ask.flag("validate", default=True)
    return server.applications.create(ask.caller, ask.body, upsert=ask.flag("upsert"), validate=validate)


def _update_app(server: Server, ask: Ask) -> Any:
    validate = ask.flag("validate", default=True)
    return server.applications.update(ask.caller, ask.path["name"], ask.body, validate=validate)


def _delete_app(server: Server, ask: Ask) -> Any:
    policy = ask.query.get("propagationPolicy") or "foreground"
    if policy not in ("foreground", "background"):
        raise BadRequest(
            "the policy is foreground or background", where="propagationPolicy", fix="foreground"
        )
    cascade = ask.flag("cascade", default=True)
    server.applications.delete(ask.caller, ask.path["name"], cascade=cascade, propagation_policy=policy)
    return {}


def _sync(server: Server, ask: Ask) -> Any:
    options = ask.body.get("syncOptions")
    return server.applications.sync(
        ask.caller,
        ask.path["name"],
        revision=ask.text("revision"),
        prune=ask.flag("prune"),
        dry_run=ask.flag("dryRun"),
        force=ask.flag("force"),
        resources=_resources(ask.body.get("resources") or []),
        options=_texts(options.get("items"), "syncOptions.items") if isinstance(options, dict) else None,
        plan=_objects(ask.body.get("plan"), "plan"),
    )


def _rollback(server: Server, ask: Ask) -> Any:
    prune = ask.flag("prune")
    return server.applications.rollback(ask.caller, ask.path["name"], ask.number("id"), prune=prune)


def _terminate(server: Server, ask: Ask) -> Any:
    return server.applications.terminate(ask.caller, ask.path["name"])


def _confirm(server: Server, ask: Ask) -> Any:
    return server.applications.confirm_deletion(ask.caller, ask.path["name"])


def _logs(server: Server, ask: Ask) -> Any:
    found = server.applications.logs(
        ask.caller,
        ask.path["name"],
        kind=ask.query.get("kind", ""),
        resource=ask.query.get("resourceName", ""),
        container=ask.query.get("container", ""),
        tail=ask.number("tailLines"),
        previous=ask.flag("previous"),
    )
    return {"items": found}


def _events(server: Server, ask: Ask) -> Any:
    return {"items": server.applications.events(ask.caller, ask.path["name"])}


def _part(server: Server, ask: Ask) -> Any:
    return server.applications.part(ask.caller, ask.path["name"], ask.path["part"], ask.query)


# -- projects


def _projects(server: Server, ask: Ask) -> Any:
    return {"items": server.projects.list(ask.caller)}


def _project(server: Server, ask: Ask) -> Any:
    return server.projects.get(ask.caller, ask.path["name"])


def _create_project(server: Server, ask: Ask) -> Any:
    return server.projects.create(ask.caller, ask.object("project"), upsert=ask.flag("upsert"))


def _update_project(server: Server, ask: Ask) -> Any:
    return server.projects.update(ask.caller, ask.path["name"], ask.object("project"))


def _delete_project(server: Server, ask: Ask) -> Any:
    server.projects.delete(ask.caller, ask.path["name"])
    return {}


def _role_token(server: Server, ask: Ask) -> Any:
    made = server.projects.create_token(
        ask.caller,
        ask.path["name"],
        ask.path["role"],
        identity=ask.text("id"),
        seconds=ask.number("expiresIn") or 0,
    )
    return {"token": made}


def _delete_role_token(server: Server, ask: Ask) -> Any:
    issued = ask.path["issued"]
    server.projects.delete_token(
        ask.caller,
        ask.path["name"],
        ask.path["role"],
        issued=int(issued) if issued.isdigit() and len(issued) < 20 else 0,
        identity=ask.query.get("id", ""),
    )
    return {}


# -- application sets


def _sets(server: Server, ask: Ask) -> Any:
    return {"items": server.sets.list(ask.caller, selector=ask.query.get("selector", ""))}


def _set(server: Server, ask: Ask) -> Any:
    return server.sets.get(ask.caller, ask.path["name"])


def _create_set(server: Server, ask: Ask) -> Any:
    return server.sets.create(ask.caller, ask.body, upsert=ask.flag("upsert"))


def _generate(server: Server, ask: Ask) -> Any:
    changes = server.sets.preview(ask.caller, ask.object("applicationSet"))
    made = [c["application"] for c in changes if c["action"] not in ("delete", "keep") and c["application"]]
    return {"applications": made, "changes": changes}


def _delete_set(server: Server, ask: Ask) -> Any:
    server.sets.delete(ask.caller, ask.path["name"])
    return {}


# -- accounts and clusters


def _accounts(server: Server, ask: Ask) -> Any:
    return {"items": server.accounts.list(ask.caller)}


def _account(server: Server, ask: Ask) -> Any:
    return server.accounts.get(ask.caller, ask.path["name"])


def _token(server: Server, ask: Ask) -> Any:
    seconds = ask.number("expiresIn") or 0
    name, identity = ask.path["name"], ask.text("id")
    return {"token": server.accounts.create_token(ask.caller, name, identity=identity, seconds=seconds)}


def _delete_token(server: Server, ask: Ask) -> Any:
    server.accounts.delete_token(ask.caller, ask.path["name"], ask.path["id"])
    return {}


def _password(server: Server, ask: Ask) -> Any:
    name = ask.text("name") or ask.caller.name
    server.accounts.set_password(
        ask.caller, name, ask.text("newPassword"), current=ask.text("currentPassword")
    )
    return {}


def _can_i(server: Server, ask: Ask) -> Any:
    """``?action=`` says an action that has a slash in it, such as ``delete/*/Pod/*/*``."""
    action, words = ask.query.get("action") or ask.path["action"], (ask.path["resource"], ask.path["object"])
    return server.accounts.can_i(ask.caller, action, *words, subject=ask.query.get("subject", ""))


def _user_info(server: Server, ask: Ask) -> Any:
    return server.accounts.user_info(ask.caller)


def _clusters(server: Server, ask: Ask) -> Any:
    return {"items": server.clusters(ask.caller)}


_V1 = "/api/v1"
_APP, _PROJECT, _ACCOUNT = (
    f"{_V1}/applications/{{name}}",
    f"{_V1}/projects/{{name}}",
    f"{_V1}/account/{{name}}",
)
ANSWERS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", f"{_V1}/applications", _apps),
    ("POST", f"{_V1}/applications", _create_app),
    ("GET", _APP, _app),
    ("PUT", _APP, _update_app),
    ("DELETE", _APP, _delete_app),
    ("POST", f"{_APP}/sync", _sync),
    ("POST", f"{_APP}/rollback", _rollback),
    ("POST", f"{_APP}/confirm-deletion", _confirm),
    ("DELETE", f"{_APP}/operation", _terminate),
    ("GET", f"{_APP}/logs", _logs),
    ("GET", f"{_APP}/events", _events),
    ("GET", f"{_APP}/{{part}}", _part),
    ("GET", f"{_V1}/projects", _projects),
    ("POST", f"{_V1}/projects", _create_project),
    ("GET", _PROJECT, _project),
    ("PUT", _PROJECT, _update_project),
    ("DELETE", _PROJECT, _delete_project),
    ("POST", f"{_PROJECT}/roles/{{role}}/token", _role_token),
    ("DELETE", f"{_PROJECT}/roles/{{role}}/token/{{issued}}", _delete_role_token),
    ("GET", f"{_V1}/applicationsets", _sets),
    ("POST", f"{_V1}/applicationsets", _create_set),
    ("POST", f"{_V1}/applicationsets/generate", _generate),
    ("GET", f"{_V1}/applicationsets/{{name}}", _set),
    ("DELETE", f"{_V1}/applicationsets/{{name}}", _delete_set),
    ("GET", f"{_V1}/account", _accounts),
    ("PUT", f"{_V1}/account/password", _password),
    ("GET", f"{_V1}/account/can-i/{{resource}}/{{action}}/{{object:path}}", _can_i),
    ("GET", _ACCOUNT, _account),
    ("POST", f"{_ACCOUNT}/token", _token),
    ("DELETE", f"{_ACCOUNT}/token/{{id:path}}", _delete_token),
    ("GET", f"{_V1}/session/userinfo", _user_info),
    ("GET", f"{_V1}/clusters", _clusters),
)
"""Method, path, and who answers. The order counts: a path that is said outright comes before one with a name in it."""


def _resources(raw: Any) -> list[str]:
    """``GROUP:KIND:[NAMESPACE/]NAME``, or Argo CD's objects of these parts."""
    if not isinstance(raw, list):
        raise BadRequest("resources is a list", where="resources", fix='["apps:Deployment:shop/web"]')
    found = []
    for entry in raw:
        if isinstance(entry, dict):
            name = "/".join(filter(None, (str(entry.get("namespace") or ""), str(entry.get("name") or ""))))
            found.append(f"{entry.get('group') or ''}:{entry.get('kind') or ''}:{name}")
        else:
            found += _texts([entry], "resources")
    return found


def _texts(raw: Any, where: str) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(text, str) for text in raw):
        raise BadRequest(f"{where} is a list of texts", where=where, fix='["…"]')
    return raw


def _objects(raw: Any, where: str) -> list[JSON] | None:
    if raw is not None and (not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw)):
        raise BadRequest(f"{where} is a list of objects", where=where, fix="[{…}]")
    return raw
