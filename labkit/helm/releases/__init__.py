"""Releases: a chart that runs in a cluster, with its revisions, as Helm keeps them there.

Helm has no server: what it knows of a release is a Secret for each revision, in the release's own namespace. The
lab writes and reads the same ones, by Helm's own library, so that the ``helm`` command goes on where the lab left
off, and the other way round.
"""

from labkit.helm.releases.releases import Plan, Releases, Wait
from labkit.helm.releases.revision import Hook, Revision
from labkit.helm.releases.storage import open_secret

__all__ = ["Hook", "Plan", "Releases", "Revision", "Wait", "open_secret"]
