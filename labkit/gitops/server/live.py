"""What the cluster itself tells of an application: its pods' logs, and the Events about its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops.api.names import NAMESPACE
from labkit.k8s.objects import Object, get_path, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.gitops.controller import Controller
    from labkit.gitops.live import Server

JSON = dict[str, Any]


def logs(
    controller: Controller,
    name: str,
    *,
    kind: str = "",
    resource: str = "",
    container: str = "",
    tail: int | None = None,
    previous: bool = False,
) -> list[JSON]:
    """``{podName, content}`` of its pods; ``kind`` and ``resource`` take only those below one object.

    The content of a pod that cannot tell says why.
    """
    cluster: Any = controller.server(name)
    found = []
    for pod in _pods(controller.resource_tree(name), kind, resource):
        try:
            content = cluster.logs(
                pod["namespace"], pod["name"], container=container, tail_lines=tail, previous=previous
            )
        except LabError as error:
            content = f"({error.problem})"
        found.append({"podName": pod["name"], "content": content})
    return found


def events(home: Server, controller: Controller, application: Object) -> list[Object]:
    """The Events about the application and about everything of it."""
    name = str(metadata(application).get("name"))
    nodes = controller.resource_tree(name)
    about = {metadata(application).get("uid"), *(node["uid"] for node in nodes)}
    spaces = {str(get_path(application, "spec", "destination", "namespace", default="") or "default")}
    spaces |= {node["namespace"] for node in nodes if node["namespace"]}
    cluster = controller.server(name)
    found = [event for space in sorted(spaces) for event in cluster.list("v1", "Event", space).items]
    found += home.list("v1", "Event", NAMESPACE).items
    mine = {metadata(e).get("uid"): e for e in found if (e.get("involvedObject") or {}).get("uid") in about}
    return list(mine.values())


def _pods(nodes: list[JSON], kind: str, resource: str) -> Iterator[JSON]:
    wanted = {
        node["uid"]
        for node in nodes
        if (not kind or node["kind"] == kind) and (not resource or node["name"] == resource)
    }
    for node in nodes:  # parents come before what they made
        if any(parent["uid"] in wanted for parent in node.get("parentRefs") or []):
            wanted.add(node["uid"])
        if node["kind"] == "Pod" and node["uid"] in wanted:
            yield node
