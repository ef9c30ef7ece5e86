"""``python -m labkit.cli``: for who has no `labkit` on the PATH."""

from labkit.cli import main

main()
