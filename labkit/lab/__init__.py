"""`Lab`: the one thing that a notebook imports, and that every command is one call into.

``lab.charts``, ``lab.repos``, ``lab.apps``, ``lab.cluster`` are the stations of the loop, in its order. They
keep no state of their own: charts are files, repositories are Git's, and what an application is, is written in
the cluster. Two notebooks and a shell see the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.lab.lab import Lab

__all__ = ["Lab"]


def __getattr__(name: str) -> Any:
    if name == "Lab":  # imported when it is used: `labkit up` needs the neighbours of it only
        from labkit.lab.lab import Lab

        return Lab
    raise AttributeError(f"module 'labkit.lab' has no attribute {name!r}")
