"""Containers: image, ports, mounts, resources, probes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver.field_errors import (
    FieldError,
    bad,
    duplicate,
    forbidden,
    not_found,
    required,
    unsupported,
)
from labkit.sandbox.apiserver.validation import environment, security
from labkit.sandbox.apiserver.validation.basics import (
    choice,
    not_negative,
    port_name,
    port_number,
    port_reference,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_PULL: Final = ("Always", "IfNotPresent", "Never")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_RESTARTS: Final = ("Always", "OnFailure", "Never")
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_HEADER: Final = re.compile(r"[-A-Za-z0-9]+")
_HEADER_SAYS: Final = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
    "validation is '[-A-Za-z0-9]+')"
)
_OF_CONTAINERS: Final = ("cpu", "memory", "ephemeral-storage")
_STANDARD: Final = frozenset(
    (
        *_OF_CONTAINERS, "storage", "pods", "services", "secrets", "configmaps", "resourcequotas",
        "replicationcontrollers", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
        "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
        "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    )
)  # fmt: skip


def container(
    one: JSON, path: str, volumes: set[Any], *, init: bool = False, grace: int | None = None
) -> Iterator[FieldError]:
    """One container; `volumes` are the pod's, by name, `grace` how long its end may take."""
    yield from common(one, path, volumes)
    if not init:
        yield from _lifecycle(one, path, grace)
        yield from _probes(one, path)
        if one.get("restartPolicy") is not None and one["restartPolicy"] not in _RESTARTS:
            yield unsupported(f"{path}.restartPolicy", one["restartPolicy"], _RESTARTS)
    elif one.get("restartPolicy") == "Always":
        yield from _lifecycle(one, path, grace)
        yield from _probes(one, path)
    else:
        text = "may not be set for init containers without restartPolicy=Always"
        said = [field for field in ("lifecycle", *_PROBES) if one.get(field) is not None]
        yield from (forbidden(f"{path}.{field}", text) for field in said)


def common(one: JSON, path: str, volumes: set[Any]) -> Iterator[FieldError]:
    """What holds for containers of every sort."""
    name = one.get("name", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from (bad(f"{path}.name", name, text) for text in names.dns1123_label(name))
    if not one.get("image"):
        yield required(f"{path}.image")
    policy = one.get("terminationMessagePolicy")
    yield from choice(
        policy, f"{path}.terminationMessagePolicy", ("File", "FallbackToLogsOnError"), needed=True
    )
    yield from _ports(one.get("ports") or [], f"{path}.ports")
    yield from environment.check(one, path)
    yield from _mounts(one.get("volumeMounts") or [], f"{path}.volumeMounts", volumes)
    yield from choice(one.get("imagePullPolicy"), f"{path}.imagePullPolicy", _PULL, needed=True)
    yield from resource_requirements(one.get("resources") or {}, f"{path}.resources")
    yield from security.container(one.get("securityContext"), f"{path}.securityContext")


def host_ports(containers: list[JSON], path: str) -> Iterator[FieldError]:
    """No two containers of one list take the same port of the node."""
    seen: set[str] = set()
    for index, one in enumerate(containers):
        for number, port in enumerate(one.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            taken = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if taken in seen:
                yield duplicate(f"{path}[{index}].ports[{number}].hostPort", taken)
            seen.add(taken)


def _probes(one: JSON, path: str) -> Iterator[FieldError]:
    for field in _PROBES:
        probe, place = one.get(field), f"{path}.{field}"
        if probe is None:
            continue
        yield from _probe(probe, place)
        if field == "readinessProbe":
            grace = probe.get("terminationGracePeriodSeconds")
            if grace is not None:
                yield bad(
                    f"{place}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes"
                )
        elif probe.get("successThreshold", 1) != 1:
            yield bad(f"{place}.successThreshold", probe["successThreshold"], "must be 1")


def _ports(ports: list[JSON], path: str) -> Iterator[FieldError]:
    seen = set()
    for index, one in enumerate(ports):
        place, name = f"{path}[{index}]", one.get("name", "")
        if name:
            problems = port_name(name)
            yield from (bad(f"{place}.name", name, text) for text in problems)
            if not problems and name in seen:
                yield duplicate(f"{place}.name", name)
            seen.add(name)
        if not one.get("containerPort"):
            yield required(f"{place}.containerPort")
        else:
            yield from port_number(one["containerPort"], f"{place}.containerPort")
        if one.get("hostPort"):
            yield from port_number(one["hostPort"], f"{place}.hostPort")
        yield from choice(one.get("protocol"), f"{place}.protocol", _PROTOCOLS, needed=True)


def _mounts(mounts: list[JSON], path: str, volumes: set[Any]) -> Iterator[FieldError]:
    seen = set()
    for index, one in enumerate(mounts):
        place, name, target = f"{path}[{index}]", one.get("name", ""), one.get("mountPath", "")
        if not name:
            yield required(f"{place}.name")
        if name not in volumes:
            yield not_found(f"{place}.name", name)
        if not target:
            yield required(f"{place}.mountPath")
        if target in seen:
            yield bad(f"{place}.mountPath", target, "must be unique")
        seen.add(target)
        # The real server, too, names no index for these.
        yield from descending_path(one.get("subPath", ""), f"{path}.subPath")
        if one.get("subPath") and one.get("subPathExpr"):
            text = "subPathExpr and subPath are mutually exclusive"
            yield bad(f"{place}.subPathExpr", one["subPathExpr"], text)
        yield from descending_path(one.get("subPathExpr", ""), f"{path}.subPathExpr")


def descending_path(value: str, path: str) -> Iterator[FieldError]:
    """A path that goes down from where it starts, and nowhere else; nothing is no path."""
    if value.startswith("/"):
        yield bad(path, value, "must be a relative path")
    if ".." in value.split("/"):
        yield bad(path, value, "must not contain '..'")


def resource_requirements(resources: JSON, path: str) -> Iterator[FieldError]:
    """Limits, and requests that fit them."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, value in sorted(limits.items()):
        yield from _amount(name, value, f"{path}.limits[{name}]")
    for name, value in sorted(requests.items()):
        yield from _amount(name, value, f"{path}.requests[{name}]")
        limit, shared = limits.get(name), _is_native(name) and not name.startswith("hugepages-")
        if limit is None:
            if not shared:
                yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        elif not shared and parse(value) != parse(limit):
            yield bad(f"{path}.requests", value, f"must be equal to {name} limit of {limit}")
        elif parse(value) > parse(limit):
            yield bad(f"{path}.requests", value, f"must be less than or equal to {name} limit of {limit}")


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _amount(name: str, value: str, path: str) -> Iterator[FieldError]:
    problems = names.qualified_name(name)
    yield from (bad(path, name, text) for text in problems)
    if not problems and "/" not in name and not name.startswith("hugepages-"):
        if name not in _STANDARD:
            yield bad(path, name, "must be a standard resource type or fully qualified")
        if name not in _OF_CONTAINERS:
            yield bad(path, name, "must be a standard resource for containers")
    amount = parse(value)
    if amount < 0:
        yield bad(path, value, "must be greater than or equal to 0")
    if not _is_native(name) and amount != amount.to_integral_value():
        yield bad(path, value, "must be an integer")


def _lifecycle(one: JSON, path: str, grace: int | None) -> Iterator[FieldError]:
    lifecycle = one.get("lifecycle") or {}
    for field in ("postStart", "preStop"):
        handler, place = lifecycle.get(field), f"{path}.lifecycle.{field}"
        if handler is None:
            continue
        yield from _handler(handler, place, ("exec", "httpGet", "tcpSocket", "sleep"))
        seconds = (handler.get("sleep") or {}).get("seconds")
        if seconds is not None and grace is not None and not 0 <= seconds <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield bad(f"{place}.sleep", seconds, text)


def _probe(probe: JSON, path: str) -> Iterator[FieldError]:
    yield from _handler(probe, path, _HANDLERS)
    yield from not_negative(
        probe,
        path,
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    )
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield bad(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")


def _handler(handler: JSON, path: str, kinds: tuple[str, ...]) -> Iterator[FieldError]:
    said = [kind for kind in kinds if handler.get(kind) is not None]
    for kind in said[:1]:
        yield from _action(kind, handler[kind], f"{path}.{kind}")
    yield from (forbidden(f"{path}.{kind}", "may not specify more than 1 handler type") for kind in said[1:])
    if not said:
        yield required(path, "must specify a handler type")


def _action(kind: str, value: JSON, path: str) -> Iterator[FieldError]:
    if kind == "exec" and not value.get("command"):
        yield required(f"{path}.command")
    if kind == "httpGet":
        if not value.get("path"):
            yield required(f"{path}.path")
        yield from port_reference(value.get("port", 0), f"{path}.port")
        yield from choice(value.get("scheme"), f"{path}.scheme", ("HTTP", "HTTPS"))
        for header in value.get("httpHeaders") or ():
            if not _HEADER.fullmatch(header.get("name", "")):
                yield bad(f"{path}.httpHeaders", header.get("name", ""), _HEADER_SAYS)
    if kind == "tcpSocket":
        yield from port_reference(value.get("port", 0), f"{path}.port")
    if kind == "grpc":
        yield from port_number(value.get("port", 0), f"{path}.port")
