"""Containers: image, ports, environment, resources, probes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, not_found, required
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
_ENV: Final = re.compile(r"[ -<>-~]+")
_ENV_SAYS: Final = (
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
)
_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def container(
    one: JSON, path: str, volumes: set[Any], *, host: bool = False, init: bool = False
) -> Iterator[FieldError]:
    """One container; `volumes` are the pod's, by name."""
    name, image = one.get("name", ""), one.get("image", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from (bad(f"{path}.name", name, text) for text in names.dns1123_label(name))
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield bad(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from choice(
        one.get("terminationMessagePolicy"),
        f"{path}.terminationMessagePolicy",
        ("FallbackToLogsOnError", "File"),
        needed=True,
    )
    yield from _ports(one.get("ports") or [], f"{path}.ports", host=host)
    yield from _environment(one, path)
    yield from _mounts(one.get("volumeMounts") or [], f"{path}.volumeMounts", volumes)
    yield from choice(one.get("imagePullPolicy"), f"{path}.imagePullPolicy", _PULL, needed=True)
    yield from _resources(one.get("resources") or {}, f"{path}.resources")
    sidecar = init and one.get("restartPolicy") == "Always"
    yield from _lifecycle(one, path, allowed=not init or sidecar)
    for field in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = one.get(field)
        if probe is None:
            continue
        if init and not sidecar:
            yield forbidden(
                f"{path}.{field}", "may not be set for init containers without restartPolicy=Always"
            )
            continue
        yield from _probe(probe, f"{path}.{field}")
        if field != "readinessProbe" and probe.get("successThreshold", 1) != 1:
            yield bad(f"{path}.{field}.successThreshold", probe["successThreshold"], "must be 1")


def _ports(ports: list[JSON], path: str, *, host: bool) -> Iterator[FieldError]:
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
            if host and one["hostPort"] != one.get("containerPort"):
                yield bad(
                    f"{place}.containerPort",
                    one.get("containerPort"),
                    "must match `hostPort` when `hostNetwork` is true",
                )
        yield from choice(one.get("protocol"), f"{place}.protocol", _PROTOCOLS, needed=True)


def _environment(one: JSON, path: str) -> Iterator[FieldError]:
    for index, variable in enumerate(one.get("env") or ()):
        place, name = f"{path}.env[{index}]", variable.get("name", "")
        if not name:
            yield required(f"{place}.name")
        elif not _ENV.fullmatch(name):
            yield bad(f"{place}.name", name, _ENV_SAYS)
        source = variable.get("valueFrom")
        if source is not None:
            yield from _source(source, f"{place}.valueFrom", variable.get("value", ""))
    for index, source in enumerate(one.get("envFrom") or ()):
        place = f"{path}.envFrom[{index}]"
        said = [field for field in ("configMapRef", "secretRef") if source.get(field) is not None]
        if len(said) > 1:
            yield bad(place, "", "may not have more than one field specified at a time")
        if not said:
            yield bad(place, "", "must specify one of: `configMapRef` or `secretRef`")
        yield from (required(f"{place}.{field}.name") for field in said if not source[field].get("name"))


def _source(source: JSON, path: str, value: str) -> Iterator[FieldError]:
    said = [field for field in _SOURCES if source.get(field) is not None]
    if not said:
        yield bad(
            path,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        )
    elif value:
        yield bad(path, "", "may not be specified when `value` is not empty")
    elif len(said) > 1:
        yield bad(path, "", "may not have more than one field specified at a time")
    for field in said:
        if field in ("configMapKeyRef", "secretKeyRef"):
            if not source[field].get("name"):
                yield required(f"{path}.{field}.name")
            if not source[field].get("key"):
                yield required(f"{path}.{field}.key")
        if field == "fieldRef" and not source[field].get("fieldPath"):
            yield required(f"{path}.{field}.fieldPath")
        if field == "resourceFieldRef" and not source[field].get("resource"):
            yield required(f"{path}.{field}.resource")


def _mounts(mounts: list[JSON], path: str, volumes: set[Any]) -> Iterator[FieldError]:
    seen = set()
    for index, one in enumerate(mounts):
        place, name, target = f"{path}[{index}]", one.get("name", ""), one.get("mountPath", "")
        if not name:
            yield required(f"{place}.name")
        elif name not in volumes:
            yield not_found(f"{place}.name", name)
        if not target:
            yield required(f"{place}.mountPath")
        if target in seen:
            yield bad(f"{place}.mountPath", target, "must be unique")
        seen.add(target)
        if one.get("subPath") and one.get("subPathExpr"):
            yield bad(
                f"{place}.subPathExpr", one["subPathExpr"], "subPathExpr and subPath are mutually exclusive"
            )
        for field in ("subPath", "subPathExpr"):
            if ".." in str(one.get(field, "")).split("/"):
                yield bad(f"{place}.{field}", one[field], "must not contain '..'")
            if str(one.get(field, "")).startswith("/"):
                yield bad(f"{place}.{field}", one[field], "must be a relative path")


def _resources(resources: JSON, path: str) -> Iterator[FieldError]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, values in (("limits", limits), ("requests", requests)):
        for name, value in sorted(values.items()):
            yield from _amount(name, value, f"{path}.{kind}[{name}]")
    for name, value in sorted(requests.items()):
        limit = limits.get(name)
        if limit is not None and parse(value) > parse(limit):
            yield bad(f"{path}.requests", value, f"must be less than or equal to {name} limit of {limit}")


def _amount(name: str, value: str, path: str) -> Iterator[FieldError]:
    problems = names.qualified_name(name)
    yield from (bad(path, name, text) for text in problems)
    if (
        not problems
        and "/" not in name
        and not name.startswith(("cpu", "memory", "ephemeral-storage", "hugepages-"))
    ):
        yield bad(path, name, "must be a standard resource for containers")
    amount = parse(value)
    if amount < 0:
        yield bad(path, value, "must be greater than or equal to 0")


def _lifecycle(one: JSON, path: str, *, allowed: bool) -> Iterator[FieldError]:
    lifecycle = one.get("lifecycle")
    if lifecycle is None:
        return
    if not allowed:
        yield forbidden(
            f"{path}.lifecycle", "may not be set for init containers without restartPolicy=Always"
        )
        return
    for field in ("postStart", "preStop"):
        handler = lifecycle.get(field)
        if handler is not None:
            yield from _handler(
                handler, f"{path}.lifecycle.{field}", ("exec", "httpGet", "tcpSocket", "sleep")
            )


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
    yield from (forbidden(f"{path}.{kind}", "may not specify more than 1 handler type") for kind in said[1:])
    if not said:
        yield required(path, "must specify a handler type")
        return
    kind, value = said[0], handler[said[0]]
    place = f"{path}.{kind}"
    if kind == "exec" and not value.get("command"):
        yield required(f"{place}.command")
    if kind == "httpGet":
        if not value.get("path"):
            yield required(f"{place}.path")
        yield from port_reference(value.get("port", 0), f"{place}.port")
        yield from choice(value.get("scheme"), f"{place}.scheme", ("HTTP", "HTTPS"))
    if kind == "tcpSocket":
        yield from port_reference(value.get("port", 0), f"{place}.port")
    if kind == "grpc":
        yield from port_number(value.get("port", 0), f"{place}.port")
