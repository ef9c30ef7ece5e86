"""A lab's life in verbs: bring it up, bring it down, say how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.lab.background import Background, Started

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.settings import ServiceRecord, Settings


def bring_up(
    settings: Settings,
    *,
    cluster: str = "",
    port: int = 0,
    agreed: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Started:
    """Make sure that the lab runs; returns when it is ready. See `Background.start`.

    ``agreed``: the person said yes to the use of a cluster that is not the lab's. Without that,
    `ConfirmationRequired` is raised, with the question as its problem.
    """
    background = Background(settings)
    started = background.start(cluster=cluster, port=port, agreed=agreed, progress=progress)
    running = settings.remembered().get("cluster", "")
    if started.already and cluster and cluster != running:
        raise LabError(
            f"the lab is running with the cluster {running!r}",
            where=str(settings.home),
            fix=f"labkit down, then labkit up --cluster {cluster}",
        )
    return started


def bring_down(settings: Settings) -> list[str]:
    """Stop the service and the clusters that the lab started; returns what was stopped, in words."""
    stopped = ["the service"] if Background(settings).stop() else []
    if not settings.clusters.exists():
        return stopped
    from labkit.lab.clusters import provider_of

    sandboxes = provider_of("sandbox", settings)
    for state in sandboxes.list():  # left over when the service was killed
        if state.state == "running":
            sandboxes.stop(state.name)
            stopped.append(f"cluster {state.name}")
    return stopped


def facts(settings: Settings, record: ServiceRecord) -> dict[str, str]:
    """What a person wants to know of a lab that has just come up."""
    return {
        "Lab folder": str(settings.home),
        "Address": record.url,
        "Cluster": str(settings.remembered().get("cluster", "sandbox")),
        "Kubeconfig": f"{settings.kubeconfig}   (export KUBECONFIG=$(labkit kubeconfig))",
    }


def state(settings: Settings) -> dict[str, Any]:
    """How the lab is: ``running``, and if so its address, clusters and what it holds."""
    record = Background(settings).running()
    found: dict[str, Any] = {"home": str(settings.home), "running": record is not None}
    if record is None:
        return found
    from labkit.lab.lab import Lab
    from labkit.lab.login import logged_in

    with Lab(settings.home, start=False, token="") as lab:
        found |= record._asdict() | {"kubeconfig": str(settings.kubeconfig)}
        found["clusters"] = [cluster.to_json() for cluster in lab.clusters]
        applications = lab.cluster.list("argoproj.io/v1alpha1", "Application", "argocd")
        found |= {"repositories": len(lab.repos), "applications": len(applications)}
        found["logged_in"] = logged_in(settings)
        found |= {"registry": lab.charts.sources.registry, "chart_repositories": f"{record.url}/charts"}
    return found
