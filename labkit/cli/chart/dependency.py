"""``labkit chart dependency``: the charts that a chart needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.chart.options import Password, PlainHttp, Username, access, sources
from labkit.cli.output import Format, Output, listing
from labkit.cli.session import note, say

if TYPE_CHECKING:
    from labkit.helm.dependencies import Dependencies, Locked

Folder = Annotated[Path, typer.Argument(metavar="CHART", help="The chart's folder.")]


def update(
    chart: Folder, username: Username = "", password: Password = "", plain_http: PlainHttp = False
) -> None:
    """Fetch the newest in each range of Chart.yaml into charts/, and write Chart.lock."""
    found = _dependencies(chart, username, password, plain_http=plain_http)
    _say(found.update(), chart)


def build(
    chart: Folder, username: Username = "", password: Password = "", plain_http: PlainHttp = False
) -> None:
    """Fetch what Chart.lock says into charts/, so that everybody gets the same."""
    found = _dependencies(chart, username, password, plain_http=plain_http)
    _say(found.build(), chart)


def list_(chart: Folder, output: Output = Format.TABLE) -> None:
    """List the dependencies that Chart.yaml declares, and whether each is in charts/."""
    from dataclasses import asdict

    found = _dependencies(chart, "", "", plain_http=False)
    listing(
        [asdict(each) for each in found.standing()],
        output,
        {
            "NAME": lambda item: item["name"],
            "VERSION": lambda item: item["version"],
            "REPOSITORY": lambda item: item["repository"],
            "STATUS": lambda item: item["status"],
        },
        empty=f"{chart}: no dependencies are declared in Chart.yaml.",
    )
    for path in found.undeclared():
        note(f"{path} is in charts/, and not in Chart.yaml.")


def _dependencies(chart: Path, username: str, password: str, *, plain_http: bool) -> Dependencies:
    return sources().dependencies(chart, access(username, password, plain_http=plain_http))


def _say(locked: list[Locked], chart: Path) -> None:
    for each in locked:
        say(f"{each.name} {each.version}  {each.repository or 'charts/'}")
    say(
        f"{chart}: {len(locked)} dependencies"
        if locked
        else f"{chart}: no dependencies are declared in Chart.yaml"
    )
