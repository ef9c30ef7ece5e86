"""A container's environment: literal values, ConfigMaps, Secrets, and what the pod knows of itself.

Source of the rules and the words: makeEnvironmentVariables in pkg/kubelet/kubelet_pods.go in Kubernetes.
"""

from __future__ import annotations

import base64
import math
import re
from typing import TYPE_CHECKING

from labkit.k8s import quantities
from labkit.k8s.objects import Object, annotations_of, get_path, labels_of, namespace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class ConfigError(Exception):
    """A container cannot be created: what its environment or its volumes name is not there."""


def environment(
    pod: Object, container: Object, find: Callable[[str, str, str], Object | None]
) -> dict[str, str]:
    """All variables. Raises `ConfigError` in the kubelet's words."""
    env: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        env |= _all_of(pod, source, find)
    for variable in container.get("env") or []:
        name = variable["name"]
        if "valueFrom" in variable:
            value = _value_from(pod, container, variable["valueFrom"], find)
            if value is not None:
                env[name] = value
        else:
            env[name] = expand(str(variable.get("value") or ""), env)
    return env


def expand(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` becomes the variable's value, ``$$(NAME)`` stays ``$(NAME)``; unknown ones stay as they are."""

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        return env.get(found[2], found[0])

    return re.sub(r"(\$)?\$\(([^)]*)\)", value, text)


def content(kind: str, obj: Object) -> dict[str, str]:
    """The texts in a ConfigMap or Secret."""
    if kind == "ConfigMap":
        return dict(obj.get("data") or {})
    data = obj.get("data") or {}
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}


def fetch(
    pod: Object, kind: str, name: str, find: Callable[[str, str, str], Object | None], *, optional: bool
) -> dict[str, str] | None:
    """A ConfigMap's or Secret's texts; ``None`` if it is not there and may be missing."""
    obj = find(kind, namespace_of(pod), name)
    if obj is not None:
        return content(kind, obj)
    if optional:
        return None
    raise ConfigError(f'{kind.lower()} "{name}" not found')


def _all_of(pod: Object, source: Object, find: Callable[[str, str, str], Object | None]) -> dict[str, str]:
    kind = "ConfigMap" if "configMapRef" in source else "Secret"
    reference = source.get("configMapRef") or source.get("secretRef") or {}
    texts = fetch(pod, kind, reference.get("name", ""), find, optional=bool(reference.get("optional")))
    prefix = source.get("prefix", "")
    return {prefix + key: value for key, value in (texts or {}).items()}


def _value_from(
    pod: Object, container: Object, source: Object, find: Callable[[str, str, str], Object | None]
) -> str | None:
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return _resource(pod, container, source["resourceFieldRef"])
    kind = "ConfigMap" if "configMapKeyRef" in source else "Secret"
    reference = source.get("configMapKeyRef") or source.get("secretKeyRef") or {}
    optional = bool(reference.get("optional"))
    texts = fetch(pod, kind, reference.get("name", ""), find, optional=optional)
    if texts is None:
        return None
    if reference["key"] not in texts:
        if optional:
            return None
        raise ConfigError(
            f"couldn't find key {reference['key']} in {kind} {namespace_of(pod)}/{reference.get('name', '')}"
        )
    return texts[reference["key"]]


def field(pod: Object, path: str) -> str:
    """What the downward API gives for a path: ``metadata.name``, ``metadata.labels['app']``, ``status.podIP`` …"""
    found = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if found:
        return (labels_of(pod) if found[1] == "labels" else annotations_of(pod)).get(found[2], "")
    if path in ("metadata.labels", "metadata.annotations"):
        texts = labels_of(pod) if path.endswith("labels") else annotations_of(pod)
        return "\n".join(f'{key}="{value}"' for key, value in sorted(texts.items()))
    if path in ("status.podIPs", "status.hostIPs"):
        return ",".join(entry["ip"] for entry in get_path(pod, *path.split("."), default=[]))
    return str(get_path(pod, *path.split("."), default=""))


def _resource(pod: Object, container: Object, reference: Object) -> str:
    name = reference["resource"]
    wanted = reference.get("containerName")
    if wanted:
        container = next((c for c in pod["spec"]["containers"] if c["name"] == wanted), container)
    amount = get_path(container, "resources", *name.split("."), default="0")
    divisor = quantities.parse(str(reference.get("divisor") or "1")) or quantities.parse("1")
    return str(math.ceil(quantities.parse(str(amount)) / divisor))
