"""Cells that show a field, or several, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import controller_of, get_path
from labkit.k8s.selectors import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = dict[str, Any]
NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"


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
