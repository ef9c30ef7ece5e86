"""``labkit app list``, ``get`` and ``resources``: how applications stand."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labkit.cli.app.create import Name
from labkit.cli.output import Format, Output, listing, paint, structured, table
from labkit.cli.session import say, session

if TYPE_CHECKING:
    from labkit.lab.app import App
    from labkit.views.tree import TreeNode


class Shape(StrEnum):
    """What ``-o`` takes where an application has a tree."""

    TABLE = "table"
    WIDE = "wide"
    TREE = "tree"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


OutputOrTree = Annotated[Shape, typer.Option("-o", "--output", help="How to print it.")]


def list_(
    output: Output = Format.TABLE,
    selector: Annotated[str, typer.Option("-l", "--selector", help="A label selector, such as team=a.")] = "",
    project: Annotated[
        list[str] | None, typer.Option("-p", "--project", help="Only of this project.")
    ] = None,
) -> None:
    """List the applications."""
    apps = [app.object for app in session.attach().apps.matching(selector)]
    if project:
        apps = [app for app in apps if app["spec"].get("project") in project]
    listing(
        apps,
        output,
        {
            "NAME": lambda a: a["metadata"]["name"],
            "NAMESPACE": lambda a: a["spec"].get("destination", {}).get("namespace"),
            "PROJECT": lambda a: a["spec"].get("project"),
            "STATUS": lambda a: _status(a, "sync"),
            "HEALTH": lambda a: _status(a, "health"),
            "SYNCPOLICY": policy,
            "CONDITIONS": lambda a: (
                ",".join(c["type"] for c in a.get("status", {}).get("conditions") or []) or "<none>"
            ),
        },
        wide={
            "REPO": lambda a: a["spec"].get("source", {}).get("repoURL"),
            "PATH": lambda a: a["spec"].get("source", {}).get("path"),
            "TARGET": lambda a: a["spec"].get("source", {}).get("targetRevision"),
        },
        name=lambda a: str(a["metadata"]["name"]),
        empty="No applications yet. Make one: labkit app create NAME --repo URL --path PATH",
    )


def get(
    name: Name,
    refresh: Annotated[bool, typer.Option("--refresh", help="Compare with Git first.")] = False,
    hard_refresh: Annotated[
        bool, typer.Option("--hard-refresh", help="The same, and render again whatever is remembered.")
    ] = False,
    output: OutputOrTree = Shape.TABLE,
) -> None:
    """Show one application: sync, health, resources."""
    app = session.attach().apps[name]
    if refresh or hard_refresh:
        app.refresh(hard=hard_refresh)
    if output is Shape.NAME:
        say(app.name)
    elif output is Shape.TREE:
        show_tree(app.tree)
        for resource in app.orphaned:
            say(f"{resource.kind}/{resource.name}  {paint('Orphaned', '33')}")
    elif not _structured(app.object, output):
        _show(app, wide=output is Shape.WIDE)


def resources(
    name: Name,
    orphaned: Annotated[
        bool, typer.Option("--orphaned", help="Those of its namespace that belong to no application.")
    ] = False,
    output: OutputOrTree = Shape.TABLE,
) -> None:
    """List an application's resources, as a list or a tree."""
    app = session.attach().apps[name]
    if orphaned:
        _show_orphaned(app, output)
    elif output is Shape.TREE:
        show_tree(app.tree)
    elif output is Shape.NAME:
        for resource in app.resources:
            say(resource.key)
    elif not _structured(app.object.get("status", {}).get("resources") or [], output):
        show_resources(app)


def _show_orphaned(app: App, output: Shape) -> None:
    found = app.orphaned
    if output is Shape.NAME:
        for resource in found:
            say(resource.key)
    elif not _structured([vars(resource) for resource in found], output):
        rows = [(r.group, r.kind, r.namespace, r.name, "Yes") for r in found]
        table(("GROUP", "KIND", "NAMESPACE", "NAME", "ORPHANED"), rows)


def show_resources(app: App) -> None:
    """The resources that the application asks for, as a table."""
    rows = [
        (r.group, r.kind, r.namespace, r.name, "prune" if r.requires_pruning else r.sync, r.health, r.message)
        for r in app.resources
    ]
    table(("GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "MESSAGE"), rows)


def show_tree(root: TreeNode) -> None:
    """The application's tree of objects."""

    def walk(node: TreeNode, first: str, rest: str) -> None:
        marks = "  ".join(paint(w) for w in (node.sync, node.health) if w)
        tail = f"  {node.message}" if node.message and node.health != "Healthy" else ""
        say(f"{first}{node.kind}/{node.name}  {marks}{tail}".rstrip())
        for number, child in enumerate(node.children, start=1):
            last = number == len(node.children)
            walk(child, rest + ("└─" if last else "├─"), rest + ("  " if last else "│ "))

    walk(root, "", "")


def policy(application: dict[str, Any]) -> str:
    """As Argo CD names it: ``Auto-Prune`` and so on; ``Manual`` without automated sync."""
    automated = (application["spec"].get("syncPolicy") or {}).get("automated")
    if automated is None or automated.get("enabled") is False:
        return "Manual"
    return (
        "Auto" + ("-Prune" if automated.get("prune") else "") + ("-Heal" if automated.get("selfHeal") else "")
    )


def _show(app: App, *, wide: bool) -> None:
    spec, status = app.object["spec"], app.status
    sources, destination = spec.get("sources") or [spec.get("source") or {}], spec.get("destination", {})
    target = ", ".join(source.get("targetRevision") or "HEAD" for source in sources)
    revision = ", ".join(map(_short, status.revision.split(", "))) or "no revision yet"
    facts = {
        "Name": app.name,
        "Project": spec.get("project", ""),
        "Server": destination.get("server") or destination.get("name", ""),
        "Namespace": destination.get("namespace", ""),
        **_sources(sources),
        "Sync Policy": policy(app.object),
        "Sync Status": f"{paint(status.sync)} to {target} ({revision})",
        "Health Status": paint(status.health),
    }
    if status.phase:
        operation = app.object["status"]["operationState"]
        facts["Operation"] = f"{paint(status.phase)}  {operation.get('message', '')}".rstrip()
    if wide and (images := app.object.get("status", {}).get("summary", {}).get("images")):
        facts["Images"] = ", ".join(images)
    for title, value in facts.items():
        say(f"{title + ':':<16} {value}")
    for condition in status.conditions:
        say(f"\n{paint(condition.type, '31')}: {condition.message}")
    if len(app.resources):
        say()
        show_resources(app)


def _structured(data: Any, shape: Shape) -> bool:
    return shape in (Shape.JSON, Shape.YAML) and structured(data, Format(shape.value))


def _status(application: dict[str, Any], part: str) -> str:
    return ((application.get("status") or {}).get(part) or {}).get("status") or "Unknown"


def _sources(sources: list[dict[str, Any]]) -> dict[str, str]:
    """Repo, target and path of the only source; a line for each where there are several."""
    if len(sources) == 1:
        (source,) = sources
        where = {"Chart": source["chart"]} if source.get("chart") else {"Path": source.get("path", "")}
        return {"Repo": source.get("repoURL", ""), "Target": source.get("targetRevision") or "HEAD", **where}
    return {
        f"Source {number}": " ".join(
            filter(
                None,
                [
                    source.get("repoURL", ""),
                    source.get("targetRevision") or "HEAD",
                    source.get("chart") or source.get("path", ""),
                    f"(ref {source['ref']})" if source.get("ref") else "",
                ],
            )
        )
        for number, source in enumerate(sources, 1)
    }


def _short(revision: str) -> str:
    """A commit as people say it; a chart's version is said whole."""
    return revision[:7] if len(revision) == 40 else revision
