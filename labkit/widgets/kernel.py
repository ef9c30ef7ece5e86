"""Whether somebody is looking: a notebook's kernel, or a plain Python program."""

from __future__ import annotations

import sys


def in_notebook() -> bool:
    """True inside a Jupyter kernel. Asks without importing IPython, which costs a script half a second."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
