"""Projects: which sources, destinations, kinds and hours an application may use.

The rules are pure: an AppProject object in, yes or no out, with the reason in words. `Projects` knows the objects.
"""

from labkit.gitops.projects.book import Permits, Projects
from labkit.gitops.projects.checks import check
from labkit.gitops.projects.project import Project
from labkit.gitops.projects.windows import Window, can_go_on, can_sync

__all__ = ["Permits", "Project", "Projects", "Window", "can_go_on", "can_sync", "check"]
