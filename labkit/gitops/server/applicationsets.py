"""ApplicationSets: seen, previewed and changed by whoever may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import AlreadyExists, ApplicationError, NotFound
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.api.names import API_VERSION, NAMESPACE
from labkit.gitops.applicationsets import ApplicationSet
from labkit.gitops.server.objects import hidden, over, project_of, received
from labkit.k8s.objects import Object, metadata, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.gitops.controller import Controller
    from labkit.gitops.live import Server
    from labkit.gitops.rbac import Caller

JSON = dict[str, Any]
Changes = list[JSON]
KIND = "ApplicationSet"
ANY = "*"


def rbac_name(obj: Object) -> str:
    """How a policy names a set: by the project of what it makes, ``PROJECT/NAME``."""
    return f"{_project(obj)}/{name_of(obj)}"


class Sets:
    """Every way to an ApplicationSet but ``kubectl``."""

    def __init__(self, home: Server, controller: Controller) -> None:
        self._home, self._controller, self._seen = home, controller, controller.seen

    def list(self, caller: Caller, *, selector: str = "") -> list[Object]:
        """Those that the caller may see, by name."""
        found = sorted(
            self._home.list(API_VERSION, KIND, NAMESPACE, label_selector=selector).items, key=name_of
        )
        return [obj for obj in found if self._may_see(caller, obj)]

    def get(self, caller: Caller, name: str) -> Object:
        """One ApplicationSet; `Forbidden` where the caller may not see it, or would not if it were there."""
        found = self._home.find(API_VERSION, KIND, name, NAMESPACE)
        if found is None and self._may_everywhere(caller, "get", name):
            raise NotFound(
                f"there is no ApplicationSet {name!r}", where=name, fix="`labkit appset list` shows them."
            )
        if found is None or not self._may_see(caller, found):
            raise hidden(caller, "applicationsets", name)
        return found

    def preview(self, caller: Caller, body: Any) -> Changes:
        """What a set would change if it were so; nothing is written. Who may create it may ask."""
        sent = received(body, KIND)
        self._demand(caller, "create", sent)
        ApplicationSet.from_object(sent)
        return [self._shown(caller, change.to_json()) for change in self._controller.sets.preview(sent)]

    def create(self, caller: Caller, body: Any, *, upsert: bool = False) -> Object:
        """A new set; with ``upsert`` one that is there is changed."""
        sent = received(body, KIND)
        name = name_of(sent)
        self._demand(caller, "create", sent)
        ApplicationSet.from_object(sent)
        try:
            return self._home.create(sent)
        except AlreadyExists:
            there = self.get(caller, name)
        if there.get("spec") == sent["spec"]:
            return there
        if not upsert:
            raise ApplicationError(
                f"there is an ApplicationSet {name!r} already, with another spec",
                where=name,
                fix="Add --upsert to change it, or choose another name.",
            )
        self._demand(caller, "update", there)
        self._demand(caller, "update", sent)
        return self._home.replace(over(there, sent))

    def delete(self, caller: Caller, name: str) -> None:
        """Delete the set, and with it what it made (unless its policy keeps that)."""
        there = self.get(caller, name)
        self._demand(caller, "delete", there)
        self._home.delete(API_VERSION, KIND, name, NAMESPACE, uid=metadata(there).get("uid"))

    def _may_see(self, caller: Caller, obj: Object) -> bool:
        return caller.may("applicationsets", "get", rbac_name(obj))

    def _demand(self, caller: Caller, action: str, obj: Object) -> None:
        """Whether the caller may in every project that the set can reach.

        Argo CD asks of ``spec.template.spec.project`` and refuses one that is a template. A generator's own template
        and ``templatePatch`` can name another, too: whoever writes them has to be allowed there as well.
        """
        reached = set(_projects(obj))
        name = name_of(obj)
        if ANY not in reached:
            for project in sorted(reached):
                caller.demand("applicationsets", action, f"{project}/{name}")
        elif not self._may_everywhere(caller, action, name):
            raise InvalidSpec(
                "the project is a template, or may be changed by templatePatch: that needs "
                f"`applicationsets, {action}` in every project",
                where="spec.template.spec.project",
                fix="Write the project's name, and leave templatePatch out.",
            )

    def _may_everywhere(self, caller: Caller, action: str, name: str) -> bool:
        known = [name_of(obj) for obj in self._seen.projects.list(NAMESPACE)]
        return all(caller.may("applicationsets", action, f"{project}/{name}") for project in [ANY, *known])

    def _shown(self, caller: Caller, change: JSON) -> JSON:
        """Without what is live and the caller may not see."""
        there = self._seen.applications.get(NAMESPACE, change["name"])
        if there is None or caller.may("applications", "get", f"{project_of(there)}/{name_of(there)}"):
            return change
        return {"action": change["action"], "name": change["name"], "application": None}


def _project(obj: Object) -> str:
    spec = obj.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    return project_of(template) if isinstance(template, dict) else "default"


def _projects(obj: Object) -> Iterator[str]:
    """The projects that a set's applications can be in; `ANY` where they cannot be told beforehand."""
    spec = obj["spec"]
    if spec.get("templatePatch"):
        yield ANY
    for template in (spec.get("template") or {}, *_templates(spec.get("generators"))):
        inner = template.get("spec")
        project = inner.get("project") if isinstance(inner, dict) else None
        if template is spec.get("template") or project:
            name = project if isinstance(project, str) and project else "default"
            yield ANY if "{{" in name else name


def _templates(node: Any) -> Iterator[JSON]:
    """The templates that generators bring, nested ones too."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "template" and isinstance(value, dict):
                yield value
            yield from _templates(value)
    elif isinstance(node, list):
        for item in node:
            yield from _templates(item)
