"""``labkit doctor``: is everything here, and if not, what mends it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from labkit.cli.output import GREEN, RED, YELLOW, paint
from labkit.cli.session import say, session


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Check this machine, and say how to mend what is amiss. Exit code 1 if the lab cannot run."""
    from labkit.lab.doctor import examine

    findings = examine(session.settings(must_exist=False))
    healthy = all(finding.ok for finding in findings if finding.required)
    if as_json:
        say(json.dumps({"ok": healthy, "checks": [finding.to_json() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            word, colour = (
                ("ok", GREEN) if finding.ok else ("FAIL", RED) if finding.required else ("note", YELLOW)
            )
            say(f"{paint(f'{word:<5}', colour)} {finding.name + ':':<14} {finding.seen}")
            if finding.fix and not finding.ok:
                say(
                    f"      {'':<14} Fix: {finding.fix}"
                    if finding.required
                    else f"      {'':<14} {finding.fix}"
                )
        say(
            "Everything that the lab needs is here."
            if healthy
            else "Something that the lab needs is missing."
        )
    if not healthy:
        raise typer.Exit(1)
