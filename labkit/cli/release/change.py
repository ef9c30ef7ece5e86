"""``labkit release install``, ``upgrade``, ``rollback``, ``uninstall``, ``test``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from labkit.cli.chart.options import Reference, Repo, Version, sources
from labkit.cli.output import Format, Output, structured
from labkit.cli.release.options import (
    Atomic,
    CreateNamespace,
    Description,
    DryRun,
    Name,
    Namespace,
    NoHooks,
    Set,
    SetFile,
    SetJson,
    SetString,
    SkipCrds,
    TakeOwnership,
    Timeout,
    ValueFiles,
    Wait,
    given,
    interruptible,
    plan,
    releases,
    seconds,
    show,
)
from labkit.cli.session import note, say
from labkit.errors import ReleaseError

From = Literal["", "reset", "reuse", "reset-then-reuse"]


def install(
    name: Name,
    chart: Reference,
    values: ValueFiles = None,
    set_: Set = None,
    set_string: SetString = None,
    set_json: SetJson = None,
    set_file: SetFile = None,
    namespace: Namespace = "default",
    create_namespace: CreateNamespace = False,
    version: Version = "",
    repo: Repo = "",
    wait: Wait = False,
    timeout: Timeout = "5m0s",
    atomic: Atomic = False,
    dry_run: DryRun = "",
    description: Description = "",
    skip_crds: SkipCrds = False,
    no_hooks: NoHooks = False,
    take_ownership: TakeOwnership = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also under the name of one that was uninstalled.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Install a chart into the lab's cluster, as a new release."""
    how = plan(
        wait=wait, timeout=timeout, dry_run=dry_run, rollback_on_failure=atomic, description=description,
        skip_crds=skip_crds, no_hooks=no_hooks, take_ownership=take_ownership,
    )  # fmt: skip
    found = sources()
    loaded, values_ = (
        found.find(chart, version=version, repo=repo),
        given(values, set_, set_string, set_json, set_file),
    )
    with interruptible(name, namespace):
        made = releases(namespace).install(
            name, loaded, values_, create_namespace=create_namespace, replace_it=replace, plan=how
        )
    if not structured(made.to_json(), output):
        show(made, dry_run=bool(how.dry_run))


def upgrade(
    name: Name,
    chart: Reference,
    values: ValueFiles = None,
    set_: Set = None,
    set_string: SetString = None,
    set_json: SetJson = None,
    set_file: SetFile = None,
    namespace: Namespace = "default",
    create_namespace: CreateNamespace = False,
    install: Annotated[bool, typer.Option("--install", "-i", help="Install it if it is not there.")] = False,
    reset_values: Annotated[
        bool, typer.Option("--reset-values", help="Forget the values that were given before.")
    ] = False,
    reuse_values: Annotated[
        bool, typer.Option("--reuse-values", help="Keep them, with the old chart's own values below them.")
    ] = False,
    reset_then_reuse_values: Annotated[
        bool,
        typer.Option("--reset-then-reuse-values", help="Keep them, with the new chart's own values below."),
    ] = False,
    version: Version = "",
    repo: Repo = "",
    wait: Wait = False,
    timeout: Timeout = "5m0s",
    atomic: Atomic = False,
    cleanup_on_fail: Annotated[
        bool, typer.Option("--cleanup-on-fail", help="If it fails, remove what it newly made.")
    ] = False,
    history_max: Annotated[
        int, typer.Option("--history-max", help="How many revisions to keep; 0: all.")
    ] = 10,
    dry_run: DryRun = "",
    description: Description = "",
    skip_crds: SkipCrds = False,
    no_hooks: NoHooks = False,
    take_ownership: TakeOwnership = False,
    output: Output = Format.TABLE,
) -> None:
    """Upgrade a release to another chart, or to other values: a new revision."""
    how = plan(
        wait=wait, timeout=timeout, dry_run=dry_run, rollback_on_failure=atomic, description=description,
        skip_crds=skip_crds, no_hooks=no_hooks, take_ownership=take_ownership,
    )  # fmt: skip
    found = sources()
    loaded, values_ = (
        found.find(chart, version=version, repo=repo),
        given(values, set_, set_string, set_json, set_file),
    )
    earlier = values_from(reset=reset_values, reuse=reuse_values, both=reset_then_reuse_values)
    with interruptible(name, namespace):
        made = releases(namespace).upgrade(
            name, loaded, values_, install=install, create_namespace=create_namespace, values_from=earlier,
            cleanup_on_fail=cleanup_on_fail, history_max=history_max, plan=how,
        )  # fmt: skip
    if not structured(made.to_json(), output):
        show(made, dry_run=bool(how.dry_run))


def rollback(
    name: Name,
    revision: Annotated[
        int, typer.Argument(metavar="[REVISION]", help="A revision of `history`; else the last but one.")
    ] = 0,
    namespace: Namespace = "default",
    wait: Wait = False,
    timeout: Timeout = "5m0s",
    dry_run: DryRun = "",
) -> None:
    """Roll back a release: a new revision that is as an earlier one was."""
    dry = plan(wait=wait, timeout=timeout, dry_run=dry_run).dry_run
    with interruptible(name, namespace):
        made = releases(namespace).rollback(
            name, revision, wait="watcher" if wait else "", seconds=seconds(timeout), dry_run=dry
        )
    if dry:
        say(f"Would be rolled back to revision {made.revision}, as a new one; it is:")
        show(made, dry_run=True)
        return
    say(f"Rollback was a success! {made.name} is at revision {made.revision}: {made.description}")


def uninstall(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="The releases' names.")],
    namespace: Namespace = "default",
    keep_history: Annotated[bool, typer.Option("--keep-history", help="Keep what is known of it.")] = False,
    ignore_not_found: Annotated[
        bool, typer.Option("--ignore-not-found", help="It need not be there.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say whether it could be.")] = False,
    wait: Wait = False,
    timeout: Timeout = "5m0s",
) -> None:
    """Uninstall releases, with the objects that they made."""
    for name in names:
        kept = releases(namespace).uninstall(
            name, keep_history=keep_history, ignore_not_found=ignore_not_found, dry_run=dry_run,
            wait="watcher" if wait else "", seconds=seconds(timeout),
        )  # fmt: skip
        if kept:
            say(kept.rstrip())
        say(f'release "{name}" {"would be " if dry_run else ""}uninstalled')


def run_tests(
    name: Name,
    namespace: Namespace = "default",
    logs: Annotated[bool, typer.Option("--logs", help="Print the logs of the tests' pods.")] = False,
    timeout: Timeout = "5m0s",
) -> None:
    """Test a release: run the test hooks that its chart has."""
    found, printed = releases(namespace).test(name, seconds=seconds(timeout))
    show(found)
    if not any("test" in hook.events for hook in found.hooks):
        note("Its chart has no tests: a Pod or Job with the annotation `helm.sh/hook: test` is one.")
    if logs and printed:
        say(printed.rstrip())


def values_from(*, reset: bool, reuse: bool, both: bool) -> From:
    """Which of the three flags was given."""
    chosen: list[From] = []
    chosen += ["reset"] if reset else []
    chosen += ["reuse"] if reuse else []
    chosen += ["reset-then-reuse"] if both else []
    if len(chosen) > 1:
        raise ReleaseError(
            "these flags exclude each other",
            where="--reset-values, --reuse-values, --reset-then-reuse-values",
            fix="give one of them",
        )
    return chosen[0] if chosen else ""
