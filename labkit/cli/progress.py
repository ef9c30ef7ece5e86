"""``labkit progress``: which exercises are done."""

from __future__ import annotations

from labkit.cli.output import Format, Output, structured
from labkit.cli.session import say, session


def progress(output: Output = Format.TABLE) -> None:
    """Show which exercises are done, after how many tries and minutes. It needs no running lab."""
    from labkit.lessons import standing, standing_shown
    from labkit.lessons.progress import Progress

    kept = Progress(session.settings().state / "progress.json")
    if not structured(standing(kept), output):
        say(standing_shown(kept).text)
