"""Health of other people's kinds: what Argo CD knows by itself of cert-manager, Prometheus and its own projects.

Argo CD writes such rules in Lua (``resource_customizations/*/health.lua``, 3.6); here each is a function in Python.
``table`` lists them. A rule of one's own is added with `health.register`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.gitops.health.health import (
    DEGRADED,
    HEALTHY,
    PROGRESSING,
    SUSPENDED,
    UNKNOWN,
    Health,
    conditions,
    is_true,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.k8s.objects import Object

JSON = dict[str, Any]


def table() -> dict[tuple[str, str], Callable[[Object], Health]]:
    """The rules by group and kind."""
    return {
        ("cert-manager.io", "Certificate"): certificate,
        ("cert-manager.io", "Issuer"): _ready("Initializing issuer"),
        ("cert-manager.io", "ClusterIssuer"): _ready("Initializing ClusterIssuer"),
        ("monitoring.coreos.com", "Prometheus"): prometheus,
        ("argoproj.io", "Rollout"): rollout,
        ("argoproj.io", "AnalysisRun"): _phased(
            _ANALYSIS,
            "Waiting for analysis run to finish: status has not been reconciled.",
            own_words=True,
        ),
        ("argoproj.io", "Experiment"): _phased(
            _EXPERIMENT,
            "Waiting for experiment to finish: status has not been reconciled.",
            own_words=False,
        ),
        ("argoproj.io", "Workflow"): workflow,
        ("argoproj.io", "ApplicationSet"): application_set,
    }


def _ready(waiting: str) -> Callable[[Object], Health]:
    """Healthy or Degraded as the condition Ready says; else it is waited for."""

    def rule(obj: Object) -> Health:
        ready = conditions(obj).get("Ready") or {}
        word = {"True": HEALTHY, "False": DEGRADED}.get(str(ready.get("status")))
        return Health(word, str(ready.get("message") or "")) if word else Health(PROGRESSING, waiting)

    return rule


def certificate(obj: Object) -> Health:
    """A certificate that is being issued is Progressing, whatever the last one was."""
    issuing = conditions(obj).get("Issuing")
    if issuing is not None and is_true(issuing):
        return Health(PROGRESSING, str(issuing.get("message") or ""))
    return _ready("Waiting for certificate")(obj)


def prometheus(obj: Object) -> Health:
    """By the condition Available; pods that are not ready yet are waited for."""
    available = conditions(obj).get("Available")
    if available is None:
        return Health(PROGRESSING, "Waiting for initialization")
    if is_true(available):
        return Health(HEALTHY, "All instances are available")
    waiting = available.get("reason") == "SomePodsNotReady"
    text = available.get("message") or available.get("reason") or ""
    return Health(PROGRESSING if waiting else DEGRADED, str(text))


def workflow(obj: Object) -> Health:
    """Argo Workflows: by its phase."""
    status = obj.get("status") or {}
    phase, message = status.get("phase") or "", str(status.get("message") or "")
    if phase in {"", "Pending", "Running"}:
        return Health(PROGRESSING, message)
    known = {"Succeeded": HEALTHY, "Failed": DEGRADED, "Error": DEGRADED}
    return Health(known.get(phase, UNKNOWN), message)


def application_set(obj: Object) -> Health:
    """An error is worst; then applications that are not as generated, then a rollout under way."""
    known = conditions(obj)
    for name, bad, word in (
        ("ErrorOccurred", "True", DEGRADED),
        ("ResourcesUpToDate", "False", DEGRADED),
        ("RolloutProgressing", "True", PROGRESSING),
        ("ResourcesUpToDate", "True", HEALTHY),
    ):
        if known.get(name, {}).get("status") == bad:
            return Health(word, str(known[name].get("message") or ""))
    return Health(PROGRESSING, "Waiting for the status to be reported")


def application(obj: Object) -> Health:
    """An Application as a resource of another: its own health.

    Not in the table: Argo CD leaves it out, too, until ``argocd-cm`` says otherwise. With it an app of apps waits
    for the applications of one wave before it begins the next.
    """
    found = (obj.get("status") or {}).get("health") or {}
    return Health(found.get("status") or PROGRESSING, str(found.get("message") or ""))


def _phased(says: dict[str, tuple[str, str]], waiting: str, *, own_words: bool) -> Callable[[Object], Health]:
    """By ``status.phase``; with ``own_words`` the object's own message is told where it has one."""

    def rule(obj: Object) -> Health:
        status = obj.get("status") or {}
        word, text = says.get(status.get("phase") or "", (PROGRESSING, waiting))
        return Health(word, str((own_words and status.get("message")) or text))

    return rule


_ANALYSIS = {
    "Pending": (PROGRESSING, "Analysis run is running"),
    "Running": (PROGRESSING, "Analysis run is running"),
    "Successful": (HEALTHY, "Analysis run completed successfully"),
    "Failed": (DEGRADED, "Analysis run failed"),
    "Error": (DEGRADED, "Analysis run had an error"),
    "Inconclusive": (UNKNOWN, "Analysis run was inconclusive"),
}
_EXPERIMENT = {
    "Pending": (PROGRESSING, "Experiment is pending"),
    "Running": (PROGRESSING, "Experiment is running"),
    "Successful": (HEALTHY, "Experiment is successful"),
    "Failed": (DEGRADED, "Experiment has failed"),
    "Error": (DEGRADED, "Experiment had an error"),
}


# -- Argo Rollouts


def rollout(obj: Object) -> Health:
    """Argo Rollouts: its own phase where it tells one (v1.0 and later), else from its fields as before."""
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    if not _observed(obj) or not _workload_observed(obj):
        return Health(PROGRESSING, "Waiting for rollout spec update to be observed")
    if phase := status.get("phase"):
        return Health(SUSPENDED if phase == "Paused" else str(phase), str(status.get("message") or ""))
    for condition in status.get("conditions") or []:
        failed = condition.get("type") == "Progressing" and condition.get("reason") in {
            "RolloutAborted",
            "ProgressDeadlineExceeded",
        }
        if failed or condition.get("type") == "InvalidSpec":
            return Health(DEGRADED, str(condition.get("message") or ""))
    if status.get("pauseConditions") or spec.get("paused"):
        return Health(SUSPENDED, "Rollout is paused")
    if status.get("currentPodHash") is None:
        return Health(PROGRESSING, "Waiting for rollout to finish: status has not been reconciled.")
    return _replicas(spec, status) or _strategy(spec.get("strategy") or {}, status) or Health(HEALTHY)


def _replicas(spec: JSON, status: JSON) -> Health | None:
    updated = number(status, "updatedReplicas")
    if updated < number(spec, "replicas", 1):
        return Health(PROGRESSING, "Waiting for roll out to finish: More replicas need to be updated")
    if number(status, "availableReplicas") < updated:
        text = "Waiting for roll out to finish: updated replicas are still becoming available"
        return Health(PROGRESSING, text)
    return None


def _strategy(strategy: JSON, status: JSON) -> Health | None:
    current = status.get("currentPodHash")
    stable = status.get("stableRS") or (status.get("canary") or {}).get("stableRS") or ""
    if "blueGreen" in strategy:
        if (status.get("blueGreen") or {}).get("activeSelector") != current:
            return Health(PROGRESSING, "active service cutover pending")
        if stable and stable != current:
            return Health(PROGRESSING, "waiting for analysis to complete")
    elif "canary" in strategy:
        if number(status, "replicas") > number(status, "updatedReplicas"):
            text = "Waiting for roll out to finish: old replicas are pending termination"
            return Health(PROGRESSING, text)
        if stable != current:
            return Health(PROGRESSING, "Waiting for rollout to finish steps")
    return None


def _observed(obj: Object) -> bool:
    """Whether the controller saw this generation; before v0.10 it wrote a hash there, which says nothing."""
    status = obj.get("status")
    if status is None:
        return False
    generation = int((obj.get("metadata") or {}).get("generation") or 0)
    try:
        observed = int(str(status.get("observedGeneration")))
    except ValueError:
        return True
    return observed >= generation


def _workload_observed(obj: Object) -> bool:
    annotations = (obj.get("metadata") or {}).get("annotations")
    if (obj.get("spec") or {}).get("workloadRef") is None or annotations is None:
        return True
    wanted = annotations.get("rollout.argoproj.io/workload-generation")
    observed = (obj.get("status") or {}).get("workloadObservedGeneration")
    return str(wanted) == str(observed)
