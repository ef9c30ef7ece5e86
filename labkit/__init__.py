"""GitOps Lab: write a chart, render it, push it, and watch it become the cluster's state.

``from labkit import Lab`` is all that a notebook needs. The import is lazy, so that the command line and the
rooms that need no notebook start fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.lab import Lab

__all__ = ["Lab", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Lab":
        from labkit.lab import Lab

        return Lab
    raise AttributeError(f"module 'labkit' has no attribute {name!r}")
