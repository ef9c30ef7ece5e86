"""The live picture as a web page: the same views as in a notebook, over HTTP, and buttons for what can be done.

The page keeps no state. It is told *that* something of an application changed (server-sent events), never what, and
looks again: level, not edge, like the controllers that it shows. Everything that comes from a cluster or a repository
reaches the page as text; templates escape it, and the scripts write it with ``textContent``.
"""

from labkit.dashboard.access import Access
from labkit.dashboard.board import Board
from labkit.dashboard.site import Dashboard

__all__ = ["Access", "Board", "Dashboard"]
