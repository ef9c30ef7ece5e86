"""ApplicationSets: one template and what to fill it with, in; Applications, out.

``generators → parameters → template → patch → Applications`` are pure but for what a generator asks: the clusters
that are registered, a Git repository, a Git host's pull requests (`inputs`). So what a set would make can be seen
before it is made (`generate`). The controller then makes it true (`controller`).

Behaviour follows Argo CD 3.6, applicationset/.
"""

from labkit.gitops.applicationsets.generate import Generated, generate
from labkit.gitops.applicationsets.inputs import Inputs, PullRequest, PullRequests, Repository
from labkit.gitops.applicationsets.spec import ApplicationSet

__all__ = [
    "ApplicationSet",
    "Generated",
    "Inputs",
    "PullRequest",
    "PullRequests",
    "Repository",
    "generate",
]
