"""``labkit app sync``, ``wait`` and ``terminate-op``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.app.create import Name
from labkit.cli.app.show import show_resources
from labkit.cli.complete import applications
from labkit.cli.output import Format, Output, paint, structured, table
from labkit.cli.session import note, say, session
from labkit.errors import LabError

if TYPE_CHECKING:
    from labkit.lab.app import App
    from labkit.lab.facts import AppStatus

Seconds = Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait; 0: as long as it takes.")]
Resources = Annotated[
    list[str] | None,
    typer.Option("--resource", help="Only GROUP:KIND:NAME, * for any, ! for all but it; again for more."),
]


def sync(
    name: Name,
    revision: Annotated[str, typer.Option("--revision", help="This revision instead of the target.")] = "",
    prune: Annotated[bool, typer.Option("--prune", help="Delete what Git no longer has.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    resource: Resources = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what cannot be changed.")] = False,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="Do what this plan says (`labkit app plan --out`), or nothing."),
    ] = None,
    background: Annotated[bool, typer.Option("--async", help="Do not wait until it is done.")] = False,
    timeout: Seconds = 300,
    output: Output = Format.TABLE,
) -> None:
    """Bring the cluster to what the repository says."""
    from labkit.lab.plan import SyncPlan

    if plan is not None and (revision or prune or resource):
        raise LabError(
            "a plan says already what is synced",
            where="--plan",
            fix="Leave --revision, --prune, --resource away.",
        )
    app = session.attach().apps[name]
    app.sync(
        plan=SyncPlan.load(plan) if plan is not None else None,
        revision=revision,
        prune=prune,
        dry_run=dry_run,
        resources=resource or (),
        force=force,
        wait=not background,
        timeout=timeout or None,
    )
    if background:
        note(f"sync of {name!r} requested")
    elif output is Format.NAME:
        say(app.name)
    elif not structured(app.object, output):
        show_result(app, dry_run=dry_run)


def wait(
    names: Annotated[
        list[str],
        typer.Argument(metavar="APPNAME...", help="One or more applications.", autocompletion=applications),
    ],
    sync: Annotated[bool, typer.Option("--sync", help="Until it is synced.")] = False,
    health: Annotated[bool, typer.Option("--health", help="Until it is healthy.")] = False,
    operation: Annotated[bool, typer.Option("--operation", help="Until no operation runs.")] = False,
    suspended: Annotated[bool, typer.Option("--suspended", help="Until it is suspended.")] = False,
    resource: Resources = None,
    timeout: Seconds = 300,
    output: Output = Format.TABLE,
) -> None:
    """Wait until applications are synced and healthy, and no operation runs; or only what you name.

    Exit code 20 when that is not reached in time.
    """
    apps = session.attach().apps
    everything = not (sync or health or operation or suspended)
    waited = [
        apps[name].wait(
            sync=sync or everything,
            health=health or everything,
            operation=operation or everything,
            suspended=suspended,
            resources=resource or (),
            timeout=timeout or None,
            progress=_Teller(name),
        )
        for name in names
    ]
    if not structured([app.object for app in waited], output):
        for app in waited:
            say(f"{app.name}  {paint(app.status.sync)}  {paint(app.status.health)}")


class _Teller:
    """Says each state of an application that is waited for, once: what it says last is what holds it up."""

    def __init__(self, name: str) -> None:
        self._name, self._said = name, ""

    def __call__(self, status: AppStatus) -> None:
        phase = f"  {status.phase}" if status.phase in ("Running", "Failed", "Error") else ""
        line = f"{self._name}: {status.sync}  {status.health}{phase}"
        if status.message and (status.sync, status.health) != ("Synced", "Healthy"):
            line += f"\n  {status.message.replace(chr(10), chr(10) + '  ')}"
        if line != self._said:
            note(line)
            self._said = line


def terminate_op(name: Name) -> None:
    """Stop the operation that is running."""
    session.attach().apps[name].terminate()
    note(f"operation of {name!r} told to stop")


def show_result(app: App, *, dry_run: bool = False) -> None:
    """What the last operation did to each resource."""
    operation = app.object.get("status", {}).get("operationState") or {}
    result = (operation.get("syncResult") or {}).get("resources") or []
    rows = [
        (
            r.get("group", ""),
            r["kind"],
            r.get("namespace", ""),
            r["name"],
            r.get("status", ""),
            r.get("message", ""),
        )
        for r in result
    ]
    say(
        f"{'Dry run' if dry_run else 'Sync'} of {app.name}: {paint(app.status.phase)}  {operation.get('message', '')}"
    )
    say(f"{app.name}  {paint(app.status.sync)}  {paint(app.status.health)}\n")
    if rows:
        table(("GROUP", "KIND", "NAMESPACE", "NAME", "RESULT", "MESSAGE"), rows)
    else:
        show_resources(app)
