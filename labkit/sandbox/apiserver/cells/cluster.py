"""Nodes', volumes', quotas', autoscalers', bindings' and events' cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import get_path
from labkit.sandbox.apiserver.cells.times import age, timed
from labkit.sandbox.apiserver.cells.values import NONE, UNKNOWN, UNSET

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

JSON = dict[str, Any]


def node_status(node: JSON) -> str:
    """Ready, NotReady or Unknown; and whether it takes pods."""
    ready = next(
        (c for c in (node.get("status") or {}).get("conditions") or () if c["type"] == "Ready"), None
    )
    word = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    return word + (",SchedulingDisabled" if node["spec"].get("unschedulable") else "")


def node_roles(node: JSON) -> str:
    """The roles that its labels say."""
    prefix = "node-role.kubernetes.io/"
    found = []
    for key, value in (node["metadata"].get("labels") or {}).items():
        if key.startswith(prefix) and key != prefix:
            found.append(key.removeprefix(prefix))
        elif key == "kubernetes.io/role" and value:
            found.append(value)
    return ",".join(sorted(set(found))) or NONE


def node_address(kind: str) -> Callable[[JSON], str]:
    """The node's address of a kind."""

    def cell(node: JSON) -> str:
        addresses = (node.get("status") or {}).get("addresses") or ()
        return next((one["address"] for one in addresses if one["type"] == kind), NONE)

    return cell


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def access_modes(holder: JSON) -> str:
    """``RWO,ROX``."""
    return ",".join(short for mode, short in _MODES.items() if mode in (holder.get("accessModes") or ()))


def volume_status(obj: JSON) -> str:
    """The phase, or that it is going."""
    return (
        "Terminating"
        if obj["metadata"].get("deletionTimestamp")
        else (obj.get("status") or {}).get("phase", "")
    )


def volume_claim(volume: JSON) -> str:
    """Whose the volume is."""
    claim = volume["spec"].get("claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


def claim_capacity(claim: JSON) -> str:
    """How much a bound claim has."""
    return (
        str(get_path(claim, "status", "capacity", "storage", default=""))
        if claim["spec"].get("volumeName")
        else ""
    )


def claim_modes(claim: JSON) -> str:
    """How a bound claim may be used."""
    return access_modes(claim.get("status") or {}) if claim["spec"].get("volumeName") else ""


def quota(kind: str) -> Callable[[JSON], str]:
    """``cpu: 1/4, memory: 1Gi/8Gi``: used and allowed; limits apart from the rest."""

    def cell(obj: JSON) -> str:
        status = obj.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        names = sorted(name for name in hard if name.startswith("limits.") == (kind == "limits"))
        return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)

    return cell


def autoscaler_minimum(obj: JSON) -> str:
    """``spec.minReplicas``."""
    return str(obj["spec"].get("minReplicas", UNSET))


def autoscaler_targets(obj: JSON) -> str:
    """``cpu: 20%/80%``."""
    metrics = obj["spec"].get("metrics") or ()
    current = (obj.get("status") or {}).get("currentMetrics") or ()
    shown = []
    for index, metric in enumerate(metrics[:2]):
        kind = metric["type"][0].lower() + metric["type"][1:]
        wanted = (metric.get(kind) or {}).get("target") or {}
        now = ((current[index].get(kind) or {}).get("current") or {}) if index < len(current) else {}
        name = (metric.get(kind) or {}).get("name", "")
        shown.append(f"{name + ': ' if name else ''}{_metric(now) or UNKNOWN}/{_metric(wanted) or '<auto>'}")
    rest = f" + {len(metrics) - 2} more..." if len(metrics) > 2 else ""
    return (", ".join(shown) or NONE) + rest


def _metric(value: JSON) -> str:
    if value.get("averageUtilization") is not None:
        return f"{value['averageUtilization']}%"
    if value.get("averageValue") is not None:
        return f"{value['averageValue']}"
    return str(value.get("value", ""))


def pod_usage(name: str) -> Callable[[JSON], str]:
    """What a pod's containers use together."""

    def cell(obj: JSON) -> str:
        used = [container["usage"][name] for container in obj["containers"]]
        unit = used[0].lstrip("0123456789")
        return f"{sum(int(one.removesuffix(unit)) for one in used)}{unit}"

    return cell


def role(obj: JSON) -> str:
    """``ClusterRole/view``."""
    return f"{obj['roleRef'].get('kind', '')}/{obj['roleRef'].get('name', '')}"


def subjects(kind: str) -> Callable[[JSON], str]:
    """The names of a binding's subjects of a kind."""

    def cell(obj: JSON) -> str:
        found = [one for one in obj.get("subjects") or () if one.get("kind") == kind]
        return ", ".join(
            f"{one.get('namespace', '')}/{one['name']}" if kind == "ServiceAccount" else one["name"]
            for one in found
        )

    return cell


def _event_times(event: JSON) -> tuple[str | None, str | None]:
    """First and last time."""
    series = event.get("series") or {}
    once = event.get("eventTime") or event.get("deprecatedFirstTimestamp")
    first = event.get("firstTimestamp") or once
    last = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("deprecatedLastTimestamp")
        or first
    )
    return first, last


@timed
def event_first_seen(event: JSON, now: datetime) -> str:
    """How long ago it first happened."""
    return age(_event_times(event)[0], now)


@timed
def event_last_seen(event: JSON, now: datetime) -> str:
    """How long ago it last happened, and how often if often."""
    return age(_event_times(event)[1], now)


def event_count(event: JSON) -> int:
    """How often it happened."""
    series = event.get("series") or {}
    return int(series.get("count") or event.get("count") or event.get("deprecatedCount") or 1)


def event_object(event: JSON) -> str:
    """``pod/web-1``."""
    about = event.get("involvedObject") or event.get("regarding") or {}
    kind, name = about.get("kind", "").lower(), about.get("name", "")
    return f"{kind}/{name}" if name else kind


def event_source(event: JSON) -> str:
    """The component, and where it runs."""
    source = event.get("source") or event.get("deprecatedSource") or {}
    parts = [
        source.get("component") or event.get("reportingComponent") or event.get("reportingController") or ""
    ]
    host = source.get("host") or event.get("reportingInstance") or ""
    return ", ".join(part for part in (*parts, host) if part)
