"""``labkit release``: charts that run in the lab's cluster, with the names and flags of the ``helm`` command."""
