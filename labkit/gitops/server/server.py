"""Everything that can be asked, by what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.gitops.api.names import IN_CLUSTER, IN_CLUSTER_SERVER, NAMESPACE
from labkit.gitops.credentials import Secrets, decoded
from labkit.gitops.rbac import Callers
from labkit.gitops.server.accounts import Accounts
from labkit.gitops.server.applications import Applications
from labkit.gitops.server.applicationsets import Sets
from labkit.gitops.server.projects import ProjectDesk
from labkit.k8s.objects import name_of

if TYPE_CHECKING:
    from labkit.gitops.controller import Controller
    from labkit.gitops.live import Server as Cluster
    from labkit.gitops.rbac import Caller
    from labkit.runtime.clock import Clock

JSON = dict[str, Any]


class Server:
    """``applications``, ``projects``, ``sets``, ``accounts``, clusters, and `callers`, who knows who asks.

    ``home`` is the cluster that holds the objects; ``lab_token`` is the credential that is the owner's.
    """

    def __init__(self, home: Cluster, controller: Controller, clock: Clock, *, lab_token: str) -> None:
        seen = controller.seen
        self._secrets = Secrets(seen.secrets)
        self.callers = Callers(
            lab_token,
            controller.access,
            clock,
            config_map=lambda name: seen.config_maps.get(NAMESPACE, name),
            secret=lambda name: seen.secrets.get(NAMESPACE, name),
        )
        self.accounts = Accounts(home, seen.secrets, self.callers, clock)
        self.applications = Applications(home, controller, self.callers)
        self.projects = ProjectDesk(home, controller, self.accounts.signing, clock)
        self.sets = Sets(home, controller)

    def get_ready(self) -> None:
        """Read the policy now, so that the first who asks need not wait for it (a seventh of a second)."""
        self.callers.owner().may("applications", "get", "*/*")

    def clusters(self, caller: Caller) -> list[JSON]:
        """The clusters that the caller may see: ``name``, ``server``, ``project``; never how to log in."""
        found = [{"name": IN_CLUSTER, "server": IN_CLUSTER_SERVER}]
        for secret in self._secrets.clusters():
            fields = decoded(secret)
            entry = {"name": fields.get("name") or name_of(secret), "server": fields.get("server", "")}
            found.append(entry | ({"project": fields["project"]} if fields.get("project") else {}))
        return [entry for entry in found if caller.may("clusters", "get", _scoped(entry))]


def _scoped(entry: JSON) -> str:
    return "/".join(filter(None, (entry.get("project"), entry["server"])))
