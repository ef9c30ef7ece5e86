"""A pod's status, made from its containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import Object, copied, get_path
from labkit.runtime.recorder import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from labkit.sandbox.kubelet.container import Container

JSON = dict[str, Any]


def phase(pod: Object, inits: Sequence[Container], containers: Sequence[Container]) -> str:
    """Pending, Running, Succeeded or Failed."""
    policy = get_path(pod, "spec", "restartPolicy", default="Always")
    if any(c.stage == "ended" and not c.succeeded for c in inits) and policy == "Never":
        return "Failed"
    if not all(c.succeeded for c in inits):
        return "Pending"
    over = [
        c.stage == "ended" and (policy == "Never" or (policy == "OnFailure" and c.succeeded))
        for c in containers
    ]
    if containers and all(over):
        return "Succeeded" if all(c.succeeded for c in containers) else "Failed"
    return "Running" if all(c.started_at is not None for c in containers) else "Pending"


def status(
    pod: Object,
    inits: Sequence[Container],
    containers: Sequence[Container],
    *,
    ip: str,
    host: str,
    now: datetime,
) -> JSON:
    """The whole status; a condition that stays keeps the time of its last change."""
    made: JSON = copied(pod.get("status") or {})
    made["phase"] = phase(pod, inits, containers)
    made |= {"hostIP": host, "hostIPs": [{"ip": host}]}
    made.setdefault("startTime", timestamp(now))
    if ip:
        made |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    if inits:
        made["initContainerStatuses"] = [c.status() for c in inits]
    made["containerStatuses"] = [c.status() for c in containers]
    made["conditions"] = _conditions(pod, made, inits, containers, now)
    return made


def _conditions(
    pod: Object, made: JSON, inits: Sequence[Container], containers: Sequence[Container], now: datetime
) -> list[JSON]:
    over = made["phase"] in {"Succeeded", "Failed"}
    unready = [c.name for c in containers if not c.ready]
    waiting = [c.name for c in inits if not c.succeeded]
    done = "PodCompleted" if made["phase"] == "Succeeded" else "PodFailed" if over else ""
    reason = done or ("ContainersNotReady" if unready else "")
    message = "" if over or not unready else f"containers with unready status: [{' '.join(unready)}]"
    gates = {g["conditionType"] for g in get_path(pod, "spec", "readinessGates", default=[])}
    known = {c["type"]: c for c in made.get("conditions") or []}
    shut = sorted(g for g in gates if (known.get(g) or {}).get("status") != "True")
    all_ready = not unready and not over
    found = [
        ("PodReadyToStartContainers", bool(made.get("podIP")) and not over, "", ""),
        (
            "Initialized",
            not waiting,
            done if over and not waiting else "ContainersNotInitialized" if waiting else "",
            f"containers with incomplete status: [{' '.join(waiting)}]" if waiting else "",
        ),
        (
            "Ready",
            all_ready and not shut,
            reason or ("ReadinessGatesNotReady" if shut else ""),
            message or (f'the status of pod readiness gate "{shut[0]}" is not "True"' if shut else ""),
        ),
        ("ContainersReady", all_ready, reason, message),
    ]
    fresh = {name: _condition(known.get(name), name, ok, why, text, now) for name, ok, why, text in found}
    others = [c for name, c in known.items() if name not in fresh]
    return [*fresh.values(), *others]


def _condition(old: JSON | None, name: str, ok: bool, reason: str, message: str, now: datetime) -> JSON:
    made: JSON = {"type": name, "status": "True" if ok else "False", "lastProbeTime": None}
    made |= ({"reason": reason} if reason else {}) | ({"message": message} if message else {})
    since = old["lastTransitionTime"] if old and old.get("status") == made["status"] else timestamp(now)
    if old and "observedGeneration" in old:
        made["observedGeneration"] = old["observedGeneration"]
    return made | {"lastTransitionTime": since}
