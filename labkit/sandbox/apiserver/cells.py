"""What stands in the cells of ``kubectl get``.

Source: Kubernetes 1.36, pkg/printers/internalversion/printers.go; times as in apimachinery's util/duration.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import controller_of, get_path
from labkit.k8s.selectors import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = dict[str, Any]
NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"


# ── plain values ──────────────────────────────────────────────────────────────


def text(obj: JSON, path: str) -> str:
    """A field as text; ``<none>`` where kubectl says so, else empty."""
    value = get_path(obj, *path.split("."))
    if value in (None, ""):
        return NONE if path in _NONE_WHEN_EMPTY else ""
    return str(value)


_NONE_WHEN_EMPTY = frozenset(
    ("spec.nodeName", "status.nominatedNodeName", "spec.ingressClassName", "spec.timeZone")
)


def number(path: str) -> Callable[[JSON], int]:
    """A number, 0 where it is absent."""
    return lambda obj: get_path(obj, *path.split("."), default=0)


def boolean(path: str, absent: str = "False") -> Callable[[JSON], Any]:
    """A truth value as text."""

    def cell(obj: JSON) -> Any:
        value = get_path(obj, *path.split("."))
        if absent == "false":
            return bool(value)
        return "True" if value else "False"

    return cell


def _or(path: str, absent: str) -> Callable[[JSON], str]:
    def cell(obj: JSON) -> str:
        value = get_path(obj, *path.split("."))
        return absent if value in (None, "") else str(value)

    return cell


def or_unset(path: str) -> Callable[[JSON], str]:
    """``<unset>`` where it is absent."""
    return _or(path, UNSET)


def or_unknown(path: str) -> Callable[[JSON], str]:
    """``<unknown>`` where it is absent."""
    return _or(path, UNKNOWN)


def or_na(path: str) -> Callable[[JSON], str]:
    """``N/A`` where it is absent."""
    return _or(path, "N/A")


def ready_of(ready: str, wanted: str) -> Callable[[JSON], str]:
    """``1/3``."""
    return lambda obj: f"{number(ready)(obj)}/{number(wanted)(obj)}"


def labels(values: JSON | None) -> str:
    """``a=b,c=d``, sorted."""
    return ",".join(f"{key}={value}" for key, value in sorted(values.items())) if values else NONE


def selector_text(selector: JSON | None) -> str:
    """A label selector."""
    return (str(LabelSelector.from_object(selector)) if selector else "") or NONE


def selector(obj: JSON) -> str:
    """``spec.selector``."""
    return selector_text((obj.get("spec") or {}).get("selector"))


def containers(spec: JSON) -> str:
    """The containers' names."""
    return ",".join(one["name"] for one in spec.get("containers") or ())


def images(spec: JSON) -> str:
    """The containers' images."""
    return ",".join(one.get("image", "") for one in spec.get("containers") or ())


def template_containers(obj: JSON) -> str:
    """The names of a workload's containers."""
    return containers((obj["spec"].get("template") or {}).get("spec") or {})


def template_images(obj: JSON) -> str:
    """The images of a workload's containers."""
    return images((obj["spec"].get("template") or {}).get("spec") or {})


def controller(obj: JSON) -> str:
    """The object's controller as ``kind.group/name``."""
    owner = controller_of(obj)
    if owner is None:
        return NONE
    group = owner["apiVersion"].rpartition("/")[0]
    kind = owner["kind"].lower()
    return f"{kind}.{group}/{owner['name']}" if group else f"{kind}/{owner['name']}"


# ── times ─────────────────────────────────────────────────────────────────────


def _timed(cell: Callable[[JSON, datetime], str]) -> Callable[[JSON, datetime], str]:
    cell.timed = True  # type: ignore[attr-defined]
    return cell


def age(value: str | None, now: datetime) -> str:
    """How long ago, as people read it: ``5m12s``, ``3d4h``."""
    if not value:
        return UNKNOWN
    return span((now - datetime.fromisoformat(value)).total_seconds())


def span(seconds: float) -> str:
    """A duration in one or two units, the more the longer ago (``HumanDuration``)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(much: int, unit: str, rest: int, rest_unit: str) -> str:
    return f"{much}{unit}{rest}{rest_unit}" if rest else f"{much}{unit}"


def ago(path: str) -> Callable[[JSON, datetime], str]:
    """How long ago the time in a field is; ``<none>`` where there is none."""

    @_timed
    def cell(obj: JSON, now: datetime) -> str:
        value = get_path(obj, *path.split("."))
        return age(value, now) if value else NONE

    return cell


# ── pods ──────────────────────────────────────────────────────────────────────


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


# ── jobs ──────────────────────────────────────────────────────────────────────


def job_status(job: JSON) -> str:
    """Running, Complete, Failed, Suspended, Terminating."""
    true = {c["type"] for c in (job.get("status") or {}).get("conditions") or () if c["status"] == "True"}
    for kind in ("Complete", "Failed"):
        if kind in true:
            return kind
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for kind, shown in (
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if kind in true:
            return shown
    return "Running"


def job_completions(job: JSON) -> str:
    """``1/3``."""
    spec, done = job["spec"], (job.get("status") or {}).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallelism = spec.get("parallelism", 0)
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


@_timed
def job_duration(job: JSON, now: datetime) -> str:
    """How long it took, or has taken so far."""
    status = job.get("status") or {}
    if not status.get("startTime"):
        return ""
    end = datetime.fromisoformat(status["completionTime"]) if status.get("completionTime") else now
    return span((end - datetime.fromisoformat(status["startTime"])).total_seconds())


# ── network ───────────────────────────────────────────────────────────────────


def cluster_ip(service: JSON) -> str:
    """The Service's address."""
    addresses = service["spec"].get("clusterIPs") or ()
    return (addresses[0] if addresses else service["spec"].get("clusterIP")) or NONE


def external_ip(service: JSON) -> str:
    """Where a Service can be reached from outside."""
    spec = service["spec"]
    more = ",".join(spec.get("externalIPs") or ())
    kind = spec.get("type")
    if kind == "ExternalName":
        return spec.get("externalName") or NONE
    if kind != "LoadBalancer":
        return more or NONE
    found = balancer(service)
    joined = ",".join(part for part in (found, more) if part)
    return joined or "<pending>"


def balancer(obj: JSON) -> str:
    """The addresses of an object's load balancer."""
    found = get_path(obj, "status", "loadBalancer", "ingress", default=())
    return ",".join(one.get("ip") or one.get("hostname") or "" for one in found)


def service_ports(service: JSON) -> str:
    """``80:30080/TCP``."""
    ports = service["spec"].get("ports") or ()
    return (
        ",".join(
            f"{one['port']}:{one['nodePort']}/{one['protocol']}"
            if one.get("nodePort")
            else f"{one['port']}/{one['protocol']}"
            for one in ports
        )
        or NONE
    )


def _first_three(values: list[str]) -> str:
    if not values:
        return NONE
    rest = f" + {len(values) - 3} more..." if len(values) > 3 else ""
    return ",".join(values[:3]) + rest


def endpoints(obj: JSON) -> str:
    """``10.0.0.1:80``, the first three."""
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        ports: list[JSON] = subset.get("ports") or [{}]
        for port in ports:
            addresses = [address["ip"] for address in subset.get("addresses") or ()]
            found += [f"{address}:{port['port']}" if port else address for address in addresses]
    return _first_three(found)


def slice_ports(obj: JSON) -> str:
    """The ports of an EndpointSlice, the first three."""
    ports = obj.get("ports")
    return _first_three([str(one.get("port", "*")) for one in ports]) if ports else UNSET


def slice_addresses(obj: JSON) -> str:
    """The addresses of an EndpointSlice, the first three."""
    found = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]
    return _first_three(found) if found else UNSET


def ingress_hosts(obj: JSON) -> str:
    """The host names, the first three."""
    hosts = [rule.get("host") for rule in obj["spec"].get("rules") or ()]
    named = [host for host in hosts if host]
    if not named:
        return "*"
    return _first_three(named)


def class_parameters(obj: JSON) -> str:
    """What an IngressClass refers to."""
    parameters = obj["spec"].get("parameters")
    if not parameters:
        return NONE
    kind = parameters["kind"]
    if parameters.get("apiGroup"):
        kind = f"{kind}.{parameters['apiGroup']}"
    return f"{kind}/{parameters['name']}"


# ── nodes ─────────────────────────────────────────────────────────────────────


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


# ── storage ───────────────────────────────────────────────────────────────────

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


# ── scaling, access, events ───────────────────────────────────────────────────


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


@_timed
def event_first_seen(event: JSON, now: datetime) -> str:
    """How long ago it first happened."""
    return age(_event_times(event)[0], now)


@_timed
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


# ── custom columns ────────────────────────────────────────────────────────────

_STEP = re.compile(
    r"\.?([A-Za-z0-9_\-/]+|\*)|\['([^']*)'\]|\[(\d+|\*)\]|\[\?\(@\.([\w.]+)\s*==\s*[\"']([^\"']*)[\"']\)\]"
)


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[tuple[str, ...], ...]:
    cleaned = path.strip("{}").replace("\\.", "\0")
    cleaned = re.sub(r"\.([\w\-/]+(?:\0[\w\-/]+)+)", lambda m: "['" + m[1].replace("\0", ".") + "']", cleaned)
    return tuple(match.groups(default="") for match in _STEP.finditer(cleaned))


def json_path(path: str, kind: str) -> Callable[[JSON, datetime], Any]:
    """The cell of a custom kind's column: a JSON path, shown by the column's type."""
    steps = _steps(path)

    def cell(obj: JSON, now: datetime) -> Any:
        nodes: list[Any] = [obj]
        for step in steps:
            nodes = [below for node in nodes for below in _below(node, step)]
        if not nodes:
            return None
        value = nodes[0] if len(nodes) == 1 else ",".join(_plain(one) for one in nodes)
        return _typed(value, kind, now)

    return cell


def _below(node: Any, step: tuple[str, ...]) -> list[Any]:
    key, quoted, index, field, wanted = step
    key = key or quoted
    if key == "*" or index == "*":
        return list(node.values()) if isinstance(node, dict) else list(node) if isinstance(node, list) else []
    if key:
        return [node[key]] if isinstance(node, dict) and node.get(key) is not None else []
    if not isinstance(node, list):
        return []
    if index:
        return [node[int(index)]] if int(index) < len(node) else []
    return [one for one in node if str(get_path(one, *field.split("."))) == wanted]


def _plain(value: Any) -> str:
    import json

    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (dict, list)) else str(value)


def _typed(value: Any, kind: str, now: datetime) -> Any:
    if kind == "date":
        try:
            return age(str(value), now)
        except ValueError:
            return "<invalid>"
    if kind == "integer":
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if kind == "number":
        return value if isinstance(value, (int, float)) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return _plain(value)
