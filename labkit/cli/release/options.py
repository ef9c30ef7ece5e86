"""Flags that several commands have in common, and what they say together."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labkit.cli.output import paint
from labkit.cli.session import note, say, session
from labkit.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.helm.releases import Releases, Revision
    from labkit.helm.releases.releases import Plan
    from labkit.helm.values import Given

_DURATION = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The release's name.")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="The release's namespace.")]
Revision_ = Annotated[int, typer.Option("--revision", help="An earlier revision; else the newest.")]
ValueFiles = Annotated[
    list[Path] | None, typer.Option("--values", "-f", help="A values file; the last one wins.")
]
Set = Annotated[list[str] | None, typer.Option("--set", help="A value: NAME=VALUE.")]
SetString = Annotated[list[str] | None, typer.Option("--set-string", help="The same, always a string.")]
SetJson = Annotated[list[str] | None, typer.Option("--set-json", help="The same, as JSON.")]
SetFile = Annotated[list[str] | None, typer.Option("--set-file", help="The same, from a file: NAME=PATH.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until everything is ready.")]
Timeout = Annotated[str, typer.Option("--timeout", help="How long to wait at most: 5m0s, 90s.")]
Atomic = Annotated[
    bool, typer.Option("--rollback-on-failure", "--atomic", help="Wait, and undo it if it fails.")
]
DryRun = Annotated[
    str, typer.Option("--dry-run", metavar="client|server|none", help="Only show what would be applied.")
]
Description = Annotated[str, typer.Option("--description", help="What the history says of it.")]
SkipCrds = Annotated[bool, typer.Option("--skip-crds", help="Leave out the chart's CRDs.")]
NoHooks = Annotated[bool, typer.Option("--no-hooks", help="Run no hooks.")]
TakeOwnership = Annotated[
    bool,
    typer.Option("--take-ownership", help="Take over objects that belong to nobody or to another release."),
]
CreateNamespace = Annotated[
    bool, typer.Option("--create-namespace", help="Create the namespace if it is not there.")
]


def releases(namespace: str) -> Releases:
    """The releases of the lab's cluster."""
    from labkit.helm.releases import Releases

    return Releases(session.own().kubeconfig, namespace=namespace)


def given(
    files: list[Path] | None,
    set_: list[str] | None,
    set_string: list[str] | None,
    set_json: list[str] | None = None,
    set_file: list[str] | None = None,
) -> Given:
    """What the flags say about values."""
    from labkit.helm.values import Given

    return Given(
        files or (),
        set=set_ or (),
        set_string=set_string or (),
        set_json=set_json or (),
        set_file=set_file or (),
    )


def plan(*, wait: bool, timeout: str, dry_run: str, **more: Any) -> Plan:
    """How it is to be done."""
    from labkit.helm.releases.releases import Plan

    if dry_run not in {"", "none", "client", "server"}:
        raise ReleaseError(
            f"{dry_run!r} is no kind of dry run",
            where="--dry-run",
            fix="client, server (asks the cluster), or none",
        )
    chosen = "" if dry_run == "none" else dry_run
    return Plan(wait="watcher" if wait else "", seconds=seconds(timeout), dry_run=chosen, **more)


@contextlib.contextmanager
def interruptible(name: str, namespace: str) -> Iterator[None]:
    """Ctrl-C ends Helm where it stands; say how the release is found again."""
    try:
        yield
    except KeyboardInterrupt:
        note(
            f"Interrupted. The release may be left pending: labkit release status {name} -n {namespace} tells; "
            "a rollback, or else an uninstall, ends that."
        )
        raise


def seconds(text: str) -> float:
    """A duration as Go writes it (``5m0s``, ``90s``, ``1h30m``), or a number of seconds."""
    found = _DURATION.fullmatch(text)
    if not text or found is None or not any(found.groupdict().values()):
        raise ReleaseError(f"{text!r} is no duration", where="--timeout", fix="write it as 5m0s, 90s or 1h")
    part = {name: float(value or 0) for name, value in found.groupdict().items()}
    return part["h"] * 3600 + part["m"] * 60 + part["s"]


def show(made: Revision, *, dry_run: bool = False) -> None:
    """A release as ``helm status`` prints it."""
    say(f"NAME: {made.name}")
    say(f"LAST DEPLOYED: {made.updated}")
    say(f"NAMESPACE: {made.namespace}")
    say(f"STATUS: {paint(made.status)}")
    say(f"REVISION: {made.revision}")
    say(f"CHART: {made.chart}-{made.chart_version}")
    if made.description:
        say(f"DESCRIPTION: {made.description}")
    for hook in made.hooks:
        if "test" in hook.events:
            say(f"TEST: {hook.name}  {hook.phase or 'has not run'}")
    if dry_run:
        say(f"MANIFEST:\n{made.manifest.rstrip()}")
    for warning in made.warnings:
        note(warning)
    if made.notes:
        say(f"NOTES:\n{made.notes.rstrip()}")
