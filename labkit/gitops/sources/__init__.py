"""Sources: from a repository, revision and path to the manifests that are wanted. The first step of the loop."""

from labkit.gitops.sources.charts import Charts
from labkit.gitops.sources.manifests import Manifest, Manifests
from labkit.gitops.sources.sources import Sources

__all__ = ["Charts", "Manifest", "Manifests", "Sources"]
