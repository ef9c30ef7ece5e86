"""``labkit release list``, ``status``, ``history``, ``get``, ``diff``: what there is, and how it stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.chart.compare import say_differences
from labkit.cli.chart.options import Repo, Version, sources
from labkit.cli.output import Format, Output, listing, structured
from labkit.cli.release.options import (
    Name,
    Namespace,
    Revision_,
    Set,
    SetFile,
    SetJson,
    SetString,
    ValueFiles,
    given,
    releases,
    show,
)
from labkit.cli.session import say
from labkit.errors import ReleaseError
from labkit.k8s import yaml

if TYPE_CHECKING:
    from labkit.helm.releases.revision import Hook


def list_(
    namespace: Namespace = "default",
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Of every namespace.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", "-a", help="Failed and uninstalled ones, too.")] = False,
    filter_: Annotated[
        str, typer.Option("--filter", help="Only names that match this (a regular expression).")
    ] = "",
    output: Output = Format.TABLE,
) -> None:
    """List the releases in the lab's cluster."""
    found = releases(namespace).list(all_namespaces=all_namespaces, every_status=every, filter_=filter_)
    listing(
        [each.to_json() for each in found],
        output,
        {
            "NAME": lambda item: item["name"],
            "NAMESPACE": lambda item: item["namespace"],
            "REVISION": lambda item: item["revision"],
            "UPDATED": lambda item: item["updated"],
            "STATUS": lambda item: item["status"],
            "CHART": lambda item: item["chart"],
            "APP VERSION": lambda item: item["app_version"],
        },
        empty="No releases here; -A looks in every namespace. What Argo CD deploys is no release of Helm's.",
    )


def status(
    name: Name, namespace: Namespace = "default", revision: Revision_ = 0, output: Output = Format.TABLE
) -> None:
    """Show how a release stands, with its notes."""
    found = releases(namespace).status(name, revision)
    if not structured(found.to_json() | {"notes": found.notes}, output):
        show(found)


def history(name: Name, namespace: Namespace = "default", output: Output = Format.TABLE) -> None:
    """List the revisions of a release, oldest first."""
    listing(
        [each.to_json() for each in releases(namespace).history(name)],
        output,
        {
            "REVISION": lambda item: item["revision"],
            "UPDATED": lambda item: item["updated"],
            "STATUS": lambda item: item["status"],
            "CHART": lambda item: item["chart"],
            "APP VERSION": lambda item: item["app_version"],
            "DESCRIPTION": lambda item: item["description"],
        },
        name=lambda item: str(item["revision"]),
    )


def values(
    name: Name,
    namespace: Namespace = "default",
    revision: Revision_ = 0,
    every: Annotated[bool, typer.Option("--all", "-a", help="All that the templates saw.")] = False,
    output: Output = Format.YAML,
) -> None:
    """Print the values that a release was given."""
    found = releases(namespace).values(name, revision, computed=every)
    structured(found, Format.JSON if output is Format.JSON else Format.YAML)


def manifest(name: Name, namespace: Namespace = "default", revision: Revision_ = 0) -> None:
    """Print what a release applied."""
    say(releases(namespace).status(name, revision).manifest.rstrip())


def notes(name: Name, namespace: Namespace = "default", revision: Revision_ = 0) -> None:
    """Print the notes of a release."""
    say(releases(namespace).status(name, revision).notes.rstrip())


def hooks(name: Name, namespace: Namespace = "default", revision: Revision_ = 0) -> None:
    """Print the hooks of a release, which its manifest does not hold."""
    for hook in releases(namespace).status(name, revision).hooks:
        say(_hook(hook))


def _hook(hook: Hook) -> str:
    return f"---\n# {', '.join(hook.events)}  {hook.phase or 'has not run'}\n{hook.manifest.strip()}"


def everything(name: Name, namespace: Namespace = "default", revision: Revision_ = 0) -> None:
    """Print all that is known of a release: how it stands, values, hooks, manifest, notes."""
    space = releases(namespace)
    found = space.status(name, revision)
    show(replace(found, notes=""))
    for heading, computed in (("USER-SUPPLIED VALUES", False), ("COMPUTED VALUES", True)):
        say(f"\n{heading}:\n{yaml.dump(space.values(name, found.revision, computed=computed)).rstrip()}")
    say("\nHOOKS:")
    for hook in found.hooks:
        say(_hook(hook))
    say(f"\nMANIFEST:\n{found.manifest.rstrip()}")
    say(f"\nNOTES:\n{found.notes.rstrip()}")


def diff(
    name: Name,
    before: Annotated[int, typer.Argument(metavar="[REVISION", help="An earlier revision …")] = 0,
    after: Annotated[int, typer.Argument(metavar="REVISION]", help="… and a later one.")] = 0,
    chart: Annotated[
        str,
        typer.Option(
            "--chart", help="What an upgrade to this chart would change, in place of two revisions."
        ),
    ] = "",
    version: Version = "",
    repo: Repo = "",
    value_files: ValueFiles = None,
    set_: Set = None,
    set_string: SetString = None,
    set_json: SetJson = None,
    set_file: SetFile = None,
    namespace: Namespace = "default",
) -> None:
    """Show what differs between two revisions, or what an upgrade would change. Exit code 1 if anything does."""
    found = releases(namespace)
    if chart:
        charts = sources()
        loaded = charts.find(chart, version=version, repo=repo)
        differences = found.preview(name, loaded, given(value_files, set_, set_string, set_json, set_file))
    elif before and after:
        differences = found.diff(name, before, after)
    else:
        raise ReleaseError(
            "a difference is between two things",
            where="diff",
            fix=f"two revisions: labkit release diff {name} 1 2; or what an upgrade would change: --chart CHART",
        )
    say_differences(differences)
