"""A pod's volumes, as far as a simulated container can look into them: the files of ConfigMaps and Secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.k8s.objects import Object, get_path
from labkit.sandbox.kubelet.environment import ConfigError, fetch, field

if TYPE_CHECKING:
    from collections.abc import Callable


def missing(pod: Object, find: Callable[[str, str, str], Object | None]) -> str:
    """What keeps a volume from being mounted, in the kubelet's words, or the empty string."""
    for volume in get_path(pod, "spec", "volumes", default=[]):
        try:
            _files(pod, volume, find)
        except ConfigError as error:
            return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
    return ""


def files(pod: Object, container: Object, find: Callable[[str, str, str], Object | None]) -> dict[str, str]:
    """Path → text of everything that is mounted into a container."""
    volumes = {v["name"]: v for v in get_path(pod, "spec", "volumes", default=[])}
    found: dict[str, str] = {}
    for mount in container.get("volumeMounts") or []:
        volume = volumes.get(mount["name"])
        if volume is None:
            continue
        texts = _files(pod, volume, find)
        path, sub = mount["mountPath"].rstrip("/"), mount.get("subPath", "")
        if sub:
            found |= {path: texts[sub]} if sub in texts else {}
        else:
            found |= {f"{path}/{name}": text for name, text in texts.items()}
    return found


def _files(pod: Object, volume: Object, find: Callable[[str, str, str], Object | None]) -> dict[str, str]:
    if "projected" in volume:
        return {
            name: text
            for source in volume["projected"].get("sources") or []
            for name, text in _source(pod, source, find).items()
        }
    if "secret" in volume:
        secret = volume["secret"]
        return _source(pod, {"secret": {**secret, "name": secret.get("secretName", "")}}, find)
    return _source(pod, volume, find)


def _source(pod: Object, source: Object, find: Callable[[str, str, str], Object | None]) -> dict[str, str]:
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or []
        return {i["path"]: field(pod, i["fieldRef"]["fieldPath"]) for i in items if "fieldRef" in i}
    for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if key in source:
            return _texts(pod, kind, source[key], find)
    return {}


def _texts(
    pod: Object, kind: str, reference: Object, find: Callable[[str, str, str], Object | None]
) -> dict[str, str]:
    optional, name = bool(reference.get("optional")), reference.get("name", "")
    texts = fetch(pod, kind, name, find, optional=optional)
    if texts is None:
        return {}
    items = reference.get("items")
    if not items:
        return texts
    absent = [item["key"] for item in items if item["key"] not in texts]
    if absent and not optional:
        raise ConfigError("references non-existent config key: " + absent[0])
    return {item["path"]: texts[item["key"]] for item in items if item["key"] in texts}
