"""The generators, one file each: from what an ApplicationSet says to sets of parameters."""

from labkit.gitops.applicationsets.generators.children import MOST_SETS, Scene, parameters, requeue_seconds

__all__ = ["MOST_SETS", "Scene", "parameters", "requeue_seconds"]
