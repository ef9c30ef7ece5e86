"""Pod: healthy when it runs and is ready, or has done what it was made for."""

from __future__ import annotations

import re
from typing import Any

from labkit.gitops.health.health import DEGRADED, HEALTHY, PROGRESSING, UNKNOWN, Health, conditions, is_true
from labkit.gitops.sync import hooks
from labkit.k8s.objects import Object, annotations_of

IGNORE_RESTART_POLICY = "argocd.argoproj.io/ignore-restart-policy"
_BROKEN = re.compile(r"Err.*|.*Error|.*BackOff")


def health(obj: Object) -> Health:
    """From phase and containers. A pod that may still recover by itself (OnFailure, Never) is not Degraded yet."""
    status = obj.get("status") or {}
    always = ((obj.get("spec") or {}).get("restartPolicy") or "Always") == "Always" or _judged_as_always(obj)
    containers = status.get("containerStatuses") or []
    if always and (waiting := _broken(containers)):
        return Health(DEGRADED, waiting)
    phase = status.get("phase")
    if phase == "Pending":
        return Health(PROGRESSING, str(status.get("message") or ""))
    if phase == "Succeeded":
        return Health(HEALTHY, str(status.get("message") or ""))
    if phase == "Failed":
        ended = [*(status.get("initContainerStatuses") or []), *containers]
        return Health(DEGRADED, str(status.get("message") or _failure(ended)))
    if phase == "Running":
        return _running(obj, containers) if always else Health(PROGRESSING, str(status.get("message") or ""))
    return Health(UNKNOWN, str(status.get("message") or ""))


def _judged_as_always(obj: Object) -> bool:
    """Whether it is to be judged as one that runs for ever; a hook never is, since its end is waited for."""
    return annotations_of(obj).get(IGNORE_RESTART_POLICY) == "true" and not hooks.is_hook(obj)


def _running(obj: Object, containers: list[dict[str, Any]]) -> Health:
    message = str((obj.get("status") or {}).get("message") or "")
    if is_true(conditions(obj).get("Ready")):
        return Health(HEALTHY, message)
    # Ready once and not now, after a container ended: it is failing, not starting.
    if any((c.get("lastState") or {}).get("terminated") for c in containers):
        return Health(DEGRADED, message)
    return Health(PROGRESSING, message)


def _broken(containers: list[dict[str, Any]]) -> str:
    """The words of the containers that wait because something went wrong."""
    waiting = [(c.get("state") or {}).get("waiting") or {} for c in containers]
    words = [w.get("message") or w.get("reason") for w in waiting if _BROKEN.fullmatch(w.get("reason") or "")]
    return ", ".join(str(word) for word in words)


def _failure(containers: list[dict[str, Any]]) -> str:
    for container in containers:
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("message"):
            return str(ended["message"])
        if ended.get("reason") == "OOMKilled":
            return "OOMKilled"
        if ended.get("exitCode"):
            return f'container "{container.get("name")}" failed with exit code {ended["exitCode"]}'
    return ""
