"""Domain → HTML and text: each picture is drawn once and shown in notebook, page and terminal.

A view is a pure function from data to a `View`, which has both forms. Nothing here asks a cluster, keeps
state or knows the time, so the same data always gives the same picture: that is what lets a saved notebook be
compared with a new run. Texts from a cluster or a repository are escaped: they are never markup.
"""

from labkit.views.view import View, stack

__all__ = ["View", "stack"]
