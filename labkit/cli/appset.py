"""``labkit appset``: ApplicationSets, in the words of ``argocd appset``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labkit.cli.output import Format, Output, listing, paint, structured, table
from labkit.cli.session import confirm, note, say, session
from labkit.cli.sources import manifests

if TYPE_CHECKING:
    from labkit.lab.appsets import PlannedApplication

Name = Annotated[str, typer.Argument(metavar="APPSETNAME", help="The ApplicationSet's name.")]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Files with ApplicationSets; - for stdin.")
]
_COLOURS = {"create": "32", "update": "33", "delete": "31", "refuse": "31"}


def list_(
    output: Output = Format.TABLE,
    selector: Annotated[str, typer.Option("-l", "--selector", help="A label selector, such as team=a.")] = "",
    project: Annotated[
        list[str] | None, typer.Option("-p", "--project", help="Only of this project.")
    ] = None,
) -> None:
    """List the ApplicationSets."""
    found = session.attach().appsets.objects(selector)
    if project:
        found = [obj for obj in found if _project(obj) in project]
    listing(
        found,
        output,
        {
            "NAME": lambda s: s["metadata"]["name"],
            "PROJECT": _project,
            "SYNCPOLICY": lambda s: (s["spec"].get("syncPolicy") or {}).get("applicationsSync") or "sync",
            "APPLICATIONS": lambda s: len((s.get("status") or {}).get("resources") or []),
            "CONDITIONS": _condition,
        },
        name=lambda s: str(s["metadata"]["name"]),
        empty="No ApplicationSets yet. See what one would make: labkit appset generate FILE",
    )


def get(name: Name, output: Output = Format.TABLE) -> None:
    """Show an ApplicationSet: what it made, and what its controller says."""
    found = session.attach().appsets[name]
    if output is Format.NAME:
        say(found.name)
        return
    obj = found.object
    if structured(obj, output):
        return
    template = obj["spec"].get("template") or {}
    say(f"Name:          {found.name}")
    say(f"Project:       {_project(obj)}")
    say(f"Generators:    {', '.join(kind for each in obj['spec'].get('generators') or [] for kind in each)}")
    say(f"Source:        {_source(template)}\n")
    table(
        ("CONDITION", "STATUS", "REASON", "MESSAGE"),
        [
            (c.get("type", ""), c.get("status", ""), c.get("reason", ""), c.get("message", ""))
            for c in found.conditions
        ],
    )
    made = (obj.get("status") or {}).get("resources") or []
    if made:
        say()
        rows = [(r.get("name", ""), r.get("status", ""), _health(r)) for r in made]
        table(("APPLICATION", "STATUS", "HEALTH"), rows)


def create(
    files: Files,
    upsert: Annotated[bool, typer.Option("--upsert", help="Change it if it is there already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would make.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Create ApplicationSets from files."""
    appsets = session.attach().appsets
    for manifest in manifests(files, "ApplicationSet"):
        if dry_run:
            _show(list(appsets.preview(manifest)), output)
            continue
        made = appsets.create(manifest, upsert=upsert)
        if output is Format.NAME:
            say(made.name)
        elif not structured(made.object, output):
            say(f"ApplicationSet {made.name!r} created")


def generate(files: Files, output: Output = Format.TABLE) -> None:
    """Show which Applications an ApplicationSet would make, change and delete. Nothing is done.

    `-o yaml` prints the Applications whole.
    """
    appsets = session.attach().appsets
    for manifest in manifests(files, "ApplicationSet"):
        _show(list(appsets.preview(manifest)), output)


def delete(
    names: Annotated[list[str], typer.Argument(metavar="APPSETNAME...", help="One or more.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete ApplicationSets, and the Applications that they made (unless their policy keeps these)."""
    appsets = session.attach().appsets
    for found in [appsets[name] for name in names]:
        count = len(found.applications)
        confirm(
            f"Delete ApplicationSet {found.name!r} and its {count} applications?", yes=yes, where=found.name
        )
        found.delete()
        note(f"ApplicationSet {found.name!r} deleted")


def _show(plan: list[PlannedApplication], output: Format) -> None:
    if output in (Format.JSON, Format.YAML):
        made = [each.application for each in plan if each.action not in ("delete", "keep", "refuse")]
        structured([application for application in made if application], output)
        return
    if output is Format.NAME:
        for each in plan:
            say(each.name)
        return
    if not plan:
        note("It makes no applications.")
        return
    rows = [
        (paint(p.action, _COLOURS.get(p.action, "")), p.name, p.project, p.path, _destination(p), p.reason)
        for p in plan
    ]
    table(("ACTION", "NAME", "PROJECT", "PATH", "DESTINATION", "WHY"), rows)


def _destination(planned: PlannedApplication) -> str:
    to = ((planned.application or {}).get("spec") or {}).get("destination") or {}
    return "/".join(filter(None, (to.get("name") or to.get("server"), to.get("namespace"))))


def _project(obj: dict[str, Any]) -> str:
    template = obj["spec"].get("template") or {}
    return str((template.get("spec") or {}).get("project") or "default")


def _condition(obj: dict[str, Any]) -> str:
    """What is wrong, or how far it is."""
    found = {c.get("type"): c for c in (obj.get("status") or {}).get("conditions") or []}
    error = found.get("ErrorOccurred") or {}
    if error.get("status") == "True":
        return f"ErrorOccurred: {error.get('message', '')}"
    return "ResourcesUpToDate" if (found.get("ResourcesUpToDate") or {}).get("status") == "True" else ""


def _source(template: dict[str, Any]) -> str:
    source = (template.get("spec") or {}).get("source") or {}
    place = source.get("path") or source.get("chart") or ""
    return " ".join(filter(None, (source.get("repoURL"), source.get("targetRevision") or "HEAD", place)))


def _health(resource: dict[str, Any]) -> str:
    return str((resource.get("health") or {}).get("status") or "")
