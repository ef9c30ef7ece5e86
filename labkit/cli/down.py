"""``labkit down``: stop the lab."""

from __future__ import annotations

from labkit.cli.session import say, session


def down() -> None:
    """Stop the lab; everything in it is kept.

    Stops what this lab folder's `labkit up` and `labkit cluster create` started, and nothing else.
    """
    from labkit.lab.lifecycle import bring_down

    stopped = bring_down(session.settings())
    say(f"Stopped: {', '.join(stopped)}." if stopped else "The lab was not running.")
