"""What the pages show, as data: read from the cluster and asked of the controller, each time anew."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError, NotFound
from labkit.gitops import operations, tree
from labkit.gitops.diff import masked
from labkit.k8s.objects import get_path, metadata, name_of, namespace_of
from labkit.views.applications import Card, card_of
from labkit.views.loop import Loop, loop_of

if TYPE_CHECKING:
    from labkit.cluster import Cluster
    from labkit.gitops.controller import Controller
    from labkit.gitops.rbac import Caller
    from labkit.gitops.server import Server
    from labkit.k8s.objects import Object

JSON = dict[str, Any]
COMMITS = 1000
LOG_LINES = 300
Key = tuple[str, str, str, str]
"""Group, kind, namespace and name."""


@dataclass
class Board:
    """Answers for one lab and one visitor: ``home`` is the cluster that holds the Applications.

    Whoever asks about an application has to be let through by `demand` first: the rest is not asked again.
    """

    home: Cluster
    controller: Controller
    server: Server
    caller: Caller
    _commits: OrderedDict[tuple[str, str], JSON] = field(default_factory=OrderedDict)

    def of(self, caller: Caller) -> Board:
        """The same for another visitor."""
        return replace(self, caller=caller)

    def demand(self, name: str, action: str = "get", resource: str = "applications") -> None:
        """`Forbidden` where the visitor may not; what they may not even see, they do not hear of."""
        self.server.applications.demand(self.caller, action, name, resource=resource)

    def cards(self) -> list[Card]:
        """A card for each application, by name."""
        found = self.server.applications.list(self.caller)
        return [card_of(obj, self.commit(obj), link=f"applications/{name_of(obj)}") for obj in found]

    def application(self, name: str) -> Object:
        """The Application; `ApplicationNotFound` if there is none."""
        return self.server.applications.get(self.caller, name)

    def commit(self, application: Object) -> JSON:
        """Author, date and message of the commit that it was compared with; empty where Git does not say.

        A commit never changes, so it is asked for once.
        """
        name, status = name_of(application), application.get("status") or {}
        sync = status.get("sync") or {}
        revision = sync.get("revision") or next(iter(sync.get("revisions") or []), "")
        if not revision:
            return {}
        if (name, revision) not in self._commits:
            try:
                found = self.controller.revision_metadata(name)
            except LabError:
                return {}
            if not found:
                return {}  # the controller has not read yet what it wrote a moment ago
            self._commits[name, revision] = found
            if len(self._commits) > COMMITS:
                self._commits.popitem(last=False)
        return self._commits[name, revision]

    def loop(self, name: str) -> Loop:
        """The loop of an application, as `labkit.views.loop` draws it."""
        return loop_of(self.controller.loop(name), self.application(name))

    def tree(self, name: str) -> JSON:
        """The resource tree as a flat list: each node with the ``uid`` of its ``parent``.

        What Git wants and the cluster lacks is there too, and what lies beside it and belongs to no application,
        where the project asks for that. The application itself is the root.
        """
        application = self.application(name)
        status = application.get("status") or {}
        asked = {key_of(entry): entry for entry in status.get("resources") or []}
        root = str(metadata(application).get("uid"))
        nodes = [_root(application, root)]
        for node in self._nodes(name):
            entry = asked.pop(key_of(node), {})
            parents = node.get("parentRefs") or [{"uid": root}]
            nodes.append(_shown(node, parents[0]["uid"], entry))
        nodes += [_missing(entry, root) for entry in asked.values()]
        for node in self.controller.orphaned_resources(name):
            above = (node.get("parentRefs") or [{"uid": root}])[0]["uid"]
            nodes.append({**_shown(node, above, {}), "orphaned": above == root})
        return {"nodes": nodes}

    def resource(self, name: str, key: Key) -> JSON:
        """One object of the tree: ``live``, ``desired``, ``differences`` with their writers, where it comes from.

        `NotFound` where the application has none such: the page shows what belongs to it, and nothing else.
        """
        if key[1] == "Application" and key[0] == "argoproj.io":
            return {"live": _readable(self.application(name)), "key": key}
        for item in self.controller.managed_resources(name):
            if key_of(item) == key:
                return {
                    "key": key,
                    "live": _readable(item["liveState"]),
                    "desired": _readable(item["targetState"]),
                    "predicted": _readable(item["predictedLiveState"]),
                    "differences": item.get("differences") or [],
                    "origin": item.get("origin") or "",
                    "problem": item.get("problem") or "",
                    "status": item.get("status") or "",
                }
        node = self._node(name, key)
        version = f"{node['group']}/{node['version']}" if node["group"] else node["version"]
        live = self._cluster(name).find(version, node["kind"], node["name"], node["namespace"] or None)
        return {
            "key": key,
            "live": _readable(masked(live)[0]),
            "parent": (node.get("parentRefs") or [None])[0],
        }

    def events(self, name: str, key: Key | None = None) -> list[JSON]:
        """The Events about one object, or about everything of the application; newest first."""
        application = self.application(name)
        own = str(metadata(application).get("uid"))
        if key is None or (key[1] == "Application" and key[0] == "argoproj.io"):
            wanted = {own} if key else {own, *(node["uid"] for node in self._nodes(name))}
        else:
            wanted = {node["uid"] for node in self._nodes(name) if key_of(node) == key}
        spaces = {str(get_path(application, "spec", "destination", "namespace", default="") or "default")}
        spaces |= {node["namespace"] for node in self._nodes(name) if node["namespace"]}
        found = [e for space in sorted(spaces) for e in self._cluster(name).list("v1", "Event", space).items]
        found += self.home.list("v1", "Event", operations.NAMESPACE).items
        about = {str(metadata(e).get("uid")): e for e in found if _about(e) in wanted}
        return sorted(about.values(), key=_when, reverse=True)

    def logs(
        self, name: str, key: Key, container: str = "", *, previous: bool = False
    ) -> list[tuple[str, str]]:
        """The last lines of the pods at or below an object, by pod; why there are none, where there are none.

        That needs ``logs, get``.
        """
        self.demand(name, resource="logs")
        found = []
        for pod in self._pods(name, key):
            try:
                text = self._cluster(name).logs(
                    pod["namespace"],
                    pod["name"],
                    container=container,
                    tail_lines=LOG_LINES,
                    previous=previous,
                )
            except LabError as error:
                text = f"({error.problem})"
            found.append((pod["name"], text))
        return found

    def network(self, name: str) -> list[Object]:
        """The objects that the network picture is about: Ingresses, Services, Pods."""
        return tree.network(self._nodes(name), self._cluster(name))

    def _pods(self, name: str, key: Key) -> list[JSON]:
        nodes = self._nodes(name)
        if key[1] == "Application":
            return [node for node in nodes if node["kind"] == "Pod"]
        wanted = {node["uid"] for node in nodes if key_of(node) == key}
        for node in nodes:  # parents come before what they made
            if any(parent["uid"] in wanted for parent in node.get("parentRefs") or []):
                wanted.add(node["uid"])
        return [node for node in nodes if node["kind"] == "Pod" and node["uid"] in wanted]

    def _nodes(self, name: str) -> list[JSON]:
        return self.controller.resource_tree(name)

    def _node(self, name: str, key: Key) -> JSON:
        for node in (*self._nodes(name), *self.controller.orphaned_resources(name)):
            if key_of(node) == key:
                return node
        raise NotFound(f"{name!r} has no {key[1]} {key[3]!r}", where=key[3], fix="It may be gone by now.")

    def _cluster(self, name: str) -> Any:
        return self.controller.server(name)


def key_of(entry: JSON) -> Key:
    """What names an object, of an entry of a list of Argo CD's forms."""
    return (entry.get("group") or "", entry["kind"], entry.get("namespace") or "", entry["name"])


def _shown(node: JSON, parent: str, entry: JSON) -> JSON:
    health = node.get("health") or {}
    return {
        **{name: node[name] for name in ("uid", "group", "version", "kind", "namespace", "name")},
        "parent": parent,
        "sync": entry.get("status") or "",
        "prune": bool(entry.get("requiresPruning")),
        "wave": entry.get("syncWave"),
        "health": health.get("status") or "",
        "message": health.get("message") or "",
        "created": node.get("createdAt") or "",
        "images": node.get("images") or [],
    }


def _missing(entry: JSON, root: str) -> JSON:
    key = key_of(entry)
    return {
        **dict(zip(("group", "kind", "namespace", "name"), key, strict=True)),
        "uid": "missing " + "/".join(key),
        "version": entry.get("version") or "",
        "parent": root,
        "sync": entry.get("status") or "",
        "prune": False,
        "wave": entry.get("syncWave"),
        "health": (entry.get("health") or {}).get("status") or "Missing",
        "message": (entry.get("health") or {}).get("message") or "",
        "created": "",
        "images": [],
    }


def _root(application: Object, uid: str) -> JSON:
    status = application.get("status") or {}
    return {
        "uid": uid,
        "parent": "",
        "group": "argoproj.io",
        "version": "v1alpha1",
        "kind": "Application",
        "namespace": namespace_of(application),
        "name": name_of(application),
        "sync": (status.get("sync") or {}).get("status") or "Unknown",
        "health": (status.get("health") or {}).get("status") or "Unknown",
        "message": "",
        "prune": False,
        "wave": None,
        "created": metadata(application).get("creationTimestamp") or "",
        "images": [],
    }


def _readable(obj: Object | None) -> Object | None:
    """Without the bookkeeping of who wrote which field: the differences tell that in words."""
    if obj is None:
        return None
    return {**obj, "metadata": {k: v for k, v in metadata(obj).items() if k != "managedFields"}}


def _about(event: Object) -> str:
    return str((event.get("involvedObject") or {}).get("uid") or "")


def _when(event: Object) -> str:
    return str(
        event.get("lastTimestamp") or event.get("eventTime") or metadata(event).get("creationTimestamp") or ""
    )
