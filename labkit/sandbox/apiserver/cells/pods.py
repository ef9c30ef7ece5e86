"""Pods' cells: one word for the state of many containers."""

from __future__ import annotations

from typing import Any

from labkit.sandbox.apiserver.cells.values import NONE

JSON = dict[str, Any]


def pod_ready(pod: JSON) -> str:
    """``1/2``: how many containers are ready."""
    status = pod.get("status") or {}
    ready = sum(bool(one.get("ready")) for one in status.get("containerStatuses") or ())
    total = len(pod["spec"].get("containers") or ())
    for container in pod["spec"].get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            total += 1
            ready += any(
                one["name"] == container["name"] and one.get("ready")
                for one in status.get("initContainerStatuses") or ()
            )
    return f"{ready}/{total}"


def pod_restarts(pod: JSON) -> str:
    """How often containers were restarted."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return str(sum(one.get("restartCount", 0) for one in statuses))


def pod_status(pod: JSON) -> str:
    """One word for the state of a pod: the reason of the first container that has one, else the phase."""
    status = pod.get("status") or {}
    reason: str = status.get("reason") or status.get("phase", "")
    initializing, reason = _init_status(pod, status, reason)
    if not initializing:
        reason = _container_status(status, reason)
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Failed", "Succeeded"):
            return "Terminating"
    return reason


def _init_status(pod: JSON, status: JSON, reason: str) -> tuple[bool, str]:
    specs = {one["name"]: one for one in pod["spec"].get("initContainers") or ()}
    for index, one in enumerate(status.get("initContainerStatuses") or ()):
        state = one.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended and ended.get("exitCode") == 0:
            continue
        if specs.get(one["name"], {}).get("restartPolicy") == "Always" and one.get("started"):
            continue
        if ended:
            return True, "Init:" + (ended.get("reason") or _exit(ended))
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return True, f"Init:{waiting['reason']}"
        return True, f"Init:{index}/{len(specs)}"
    return False, reason


def _exit(ended: JSON) -> str:
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _container_status(status: JSON, reason: str) -> str:
    running = False
    for one in reversed(status.get("containerStatuses") or ()):
        state = one.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = ended.get("reason") or _exit(ended)
        elif one.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
        return "Running" if ready else "NotReady"
    return reason


def pod_ip(pod: JSON) -> str:
    """The pod's address."""
    status = pod.get("status") or {}
    addresses = status.get("podIPs") or ()
    return (addresses[0].get("ip") if addresses else status.get("podIP")) or NONE


def pod_gates(pod: JSON) -> str:
    """``1/2``: how many readiness gates are open."""
    gates = pod["spec"].get("readinessGates") or ()
    if not gates:
        return NONE
    conditions = {c["type"]: c["status"] for c in (pod.get("status") or {}).get("conditions") or ()}
    return f"{sum(conditions.get(gate['conditionType']) == 'True' for gate in gates)}/{len(gates)}"
