"""``labkit chart diff``: what another version of a chart, or other values, would change, before there is a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labkit.cli.chart.local import KubeVersion, Namespace, Set, SetFile, SetJson, SetString, Values
from labkit.cli.chart.options import Reference, Repo, Version, sources
from labkit.cli.output import GREEN, RED, paint
from labkit.cli.session import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.helm import Difference

OldValues = Annotated[
    list[Path] | None,
    typer.Option(
        "--old-values", help="Values files of the old side only; the others are the new one's then."
    ),
]


def diff(
    old: Reference,
    new: Annotated[
        str, typer.Argument(metavar="[NEW]", help="The other chart; without it the same one.")
    ] = "",
    values: Values = None,
    set_: Set = None,
    set_string: SetString = None,
    set_json: SetJson = None,
    set_file: SetFile = None,
    old_values: OldValues = None,
    old_version: Annotated[str, typer.Option("--old-version", help="The old chart's version.")] = "",
    version: Version = "",
    repo: Repo = "",
    name: Annotated[str, typer.Option("--name", help="The release's name.")] = "",
    namespace: Namespace = "default",
    kube_version: KubeVersion = "",
) -> None:
    """Show what differs between two charts or versions with the same values, or one with its own and with these.

    Exit code 1 if anything does.
    """
    from labkit.errors import ChartError
    from labkit.helm import Release, differences

    given: dict[str, Any] = {
        "value_files": values or (),
        "set": set_ or (),
        "set_string": set_string or (),
        "set_json": set_json or (),
        "set_file": set_file or (),
    }
    two_charts = bool(new or old_version)
    if not (two_charts or old_values or any(given.values())):
        raise ChartError(
            "a difference is between two things",
            where="diff",
            fix="two charts: labkit chart diff OLD NEW; two versions: --old-version 0.1.0 --version 0.2.0; "
            "or other values: -f FILE, --set NAME=VALUE",
        )
    before: dict[str, Any] = {"value_files": old_values} if old_values else given if two_charts else {}
    found, release = sources(), Release(name or Release().name, namespace)
    older, newer = (
        found.find(chart, version=wanted, repo=repo)
        for chart, wanted in ((old, old_version or version), (new or old, version))
    )
    told = differences(
        older.render(release, kube_version=kube_version, **before),
        newer.render(release, kube_version=kube_version, **given),
    )
    say_differences(told)


def say_differences(found: Sequence[Difference]) -> None:
    """Each object that differs, line by line; then the exit code is 1."""
    for each in found:
        say(f"===== {each}")
        for line in each.text.splitlines()[2:]:
            say(paint(line, {"+": GREEN, "-": RED}.get(line[:1], "")))
    if found:
        raise typer.Exit(1)
