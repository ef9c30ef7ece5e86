"""``labkit proj list``, ``get``, ``create`` and ``delete``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labkit.cli.complete import projects
from labkit.cli.output import Format, Output, listing, structured
from labkit.cli.session import confirm, note, say, session
from labkit.cli.sources import manifests
from labkit.errors import LabError

Name = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's name.", autocompletion=projects)]
Many = list[str] | None


def list_(output: Output = Format.TABLE) -> None:
    """List the projects."""
    listing(
        session.attach().projects.objects,
        output,
        {
            "NAME": lambda p: p["metadata"]["name"],
            "DESCRIPTION": lambda p: p["spec"].get("description"),
            "DESTINATIONS": lambda p: _several(p["spec"].get("destinations"), _place),
            "SOURCES": lambda p: _several(p["spec"].get("sourceRepos"), str),
            "CLUSTER-RESOURCE-WHITELIST": lambda p: _several(
                p["spec"].get("clusterResourceWhitelist"), _kind
            ),
            "NAMESPACE-RESOURCE-BLACKLIST": lambda p: _several(
                p["spec"].get("namespaceResourceBlacklist"), _kind
            ),
            "ORPHANED-RESOURCES": lambda p: _orphans(p["spec"]),
        },
        name=lambda p: str(p["metadata"]["name"]),
    )


def get(name: Name, output: Output = Format.TABLE) -> None:
    """Show a project: what its applications may be made of, and where they may go."""
    project = session.attach().projects[name]
    if output is Format.NAME:
        say(project.name)
        return
    obj = project.object
    if structured(obj, output):
        return
    spec = obj["spec"]
    facts = {
        "Name": project.name,
        "Description": spec.get("description") or "",
        "Destinations": _lines(spec.get("destinations"), _place),
        "Repositories": _lines(spec.get("sourceRepos"), str),
        "Allowed Cluster Resources": _lines(spec.get("clusterResourceWhitelist"), _kind),
        "Denied Cluster Resources": _lines(spec.get("clusterResourceBlacklist"), _kind),
        "Allowed Namespaced Resources": _lines(spec.get("namespaceResourceWhitelist"), _kind)
        if spec.get("namespaceResourceWhitelist") is not None
        else "all",
        "Denied Namespaced Resources": _lines(spec.get("namespaceResourceBlacklist"), _kind),
        "Orphaned Resources": _orphans(spec),
        "Roles": _lines(spec.get("roles"), lambda role: str(role.get("name"))),
        "Sync Windows": _lines(
            spec.get("syncWindows"), lambda w: f"{w.get('kind')} {w.get('schedule')} for {w.get('duration')}"
        ),
    }
    for label, value in facts.items():
        first, *rest = (value or "<none>").split("\n")
        say(f"{label + ':':<31}{first}".rstrip())
        for line in rest:
            say(" " * 31 + line)


def create(
    name: Annotated[str, typer.Argument(metavar="[PROJECT]", help="The project's name.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="An AppProject manifest, instead of flags.")
    ] = None,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    src: Annotated[
        Many, typer.Option("--src", "-s", help="A permitted repository's URL; again for more.")
    ] = None,
    dest: Annotated[
        Many,
        typer.Option("--dest", "-d", help="A permitted destination: SERVER,NAMESPACE or NAME,NAMESPACE."),
    ] = None,
    allow_cluster_resource: Annotated[
        Many,
        typer.Option("--allow-cluster-resource", help="A cluster-wide kind: KIND or GROUP/KIND."),
    ] = None,
    orphaned_resources_warn: Annotated[
        bool,
        typer.Option("--orphaned-resources-warn", help="Warn of objects that belong to no application."),
    ] = False,
    upsert: Annotated[bool, typer.Option("--upsert", help="Change it if it is there already.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Create a project.

    labkit proj create shop -d https://kubernetes.default.svc,shop -s 'http://127.0.0.1:*/git/shop.git'
    """
    projects = session.attach().projects
    if file is not None:
        (*rest, manifest) = manifests([file], "AppProject")
        if rest:
            raise LabError("there are several AppProjects in it", where=str(file), fix="Give one a file.")
    elif not name:
        raise LabError("the project needs a name", where="PROJECT", fix="labkit proj create NAME")
    else:
        manifest = {"metadata": {"name": name}, "spec": _spec(description, src, dest, allow_cluster_resource)}
        if orphaned_resources_warn:
            manifest["spec"]["orphanedResources"] = {"warn": True}
    made = projects.create_from(manifest, upsert=upsert)
    if output is Format.NAME:
        say(made.name)
    elif not structured(made.object, output):
        say(f"project {made.name!r} created")


def delete(name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete a project that no application is in."""
    projects = session.attach().projects
    found = projects[name]
    confirm(f"Delete project {found.name!r}?", yes=yes, where=found.name)
    projects.delete(name)
    note(f"project {name!r} deleted")


def _spec(description: str, sources: Many, places: Many, kinds: Many) -> dict[str, Any]:
    from labkit.lab.project_edits import destination

    spec: dict[str, Any] = {"sourceRepos": sources or [], "destinations": []}
    for said in places or ():
        place, comma, namespace = said.partition(",")
        if not comma or not place or not namespace:
            raise LabError(f"{said!r} is no destination", where="--dest", fix="Write SERVER,NAMESPACE.")
        spec["destinations"].append(destination(place, namespace))
    if description:
        spec["description"] = description
    if kinds:
        pairs = [said.rpartition("/") for said in kinds]
        spec["clusterResourceWhitelist"] = [{"group": group, "kind": kind} for group, _, kind in pairs]
    return spec


def _several(entries: Any, shown: Any) -> str:
    """The only one, or how many there are."""
    found = entries or []
    return str(shown(found[0])) if len(found) == 1 else f"{len(found)} of them" if found else "<none>"


def _lines(entries: Any, shown: Any) -> str:
    return "\n".join(str(shown(entry)) for entry in entries or [])


def _place(entry: dict[str, Any]) -> str:
    return f"{entry.get('server') or entry.get('name') or ''},{entry.get('namespace') or ''}"


def _kind(entry: dict[str, Any]) -> str:
    return f"{entry.get('group') or ''}/{entry.get('kind') or ''}"


def _orphans(spec: dict[str, Any]) -> str:
    found = spec.get("orphanedResources")
    if found is None:
        return "disabled"
    ignored = len(found.get("ignore") or [])
    warns = "enabled" if found.get("warn", True) is False else "enabled, warn"
    return f"{warns}, {ignored} ignored" if ignored else warns
