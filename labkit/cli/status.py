"""``labkit status``: what runs, and where."""

from __future__ import annotations

from typing import Any

import typer

from labkit.cli.output import Format, Output, paint, structured
from labkit.cli.session import note, say, session


def status(output: Output = Format.TABLE) -> None:
    """Show what runs, and where. Exit code 3 if the lab is not running."""
    from labkit.lab.lifecycle import state

    found = state(session.settings())
    if not structured(found, output):
        _show(found)
    if not found["running"]:
        raise typer.Exit(3)


def _show(found: dict[str, Any]) -> None:
    say(f"Lab folder:  {found['home']}")
    if not found["running"]:
        say(f"Service:     {paint('not running', '33')}")
        note("Fix: labkit up")
        return
    say(f"Service:     {paint('running')}, process {found['pid']}, since {found['started']}")
    say(f"Address:     {found['url']}")
    say(f"Charts:      {found['registry']}, {found['chart_repositories']}")
    say(f"Kubeconfig:  {found['kubeconfig']}")
    for cluster in found["clusters"]:
        say(f"Cluster:     {cluster['name']} ({cluster['provider']}): {paint(cluster['state'])}")
    if who := found["logged_in"]:
        say(f"Logged in:   {who} (labkit logout)")
    say(f"Holds:       {found['repositories']} repositories, {found['applications']} applications")
