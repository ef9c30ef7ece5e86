"""Security contexts of pods and containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver.field_errors import FieldError, bad, required, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_LARGEST: Final = 2147483647
_OUTSIDE: Final = f"must be between 0 and {_LARGEST}, inclusive"
_SECCOMP: Final = ("Localhost", "RuntimeDefault", "Unconfined")


def _ids(context: JSON, path: str, *fields: str) -> Iterator[FieldError]:
    for field in fields:
        value = context.get(field)
        if value is not None and not 0 <= value <= _LARGEST:
            yield bad(f"{path}.{field}", value, _OUTSIDE)


def pod(context: JSON | None, spec: JSON, path: str) -> Iterator[FieldError]:
    """A pod's; `spec` is the pod's, whose host settings belong to it."""
    context = context or {}
    yield from _ids(context, path, "fsGroup", "runAsUser", "runAsGroup")
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        if not 0 <= group <= _LARGEST:
            yield bad(f"{path}.supplementalGroups[{index}]", group, _OUTSIDE)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield bad(f"{path.rpartition('.')[0]}.shareProcessNamespace", True, text)
    change = context.get("fsGroupChangePolicy")
    if change is not None and change not in ("Always", "OnRootMismatch"):
        yield unsupported(f"{path}.fsGroupChangePolicy", change, ("Always", "OnRootMismatch"))
    yield from _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")


def container(context: JSON | None, path: str) -> Iterator[FieldError]:
    """A container's."""
    if context is None:
        return
    yield from _ids(context, path, "runAsUser", "runAsGroup")
    yield from _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is not False:
        return
    if context.get("privileged"):
        text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield bad(path, context, text)
    if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
        text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        yield bad(path, context, text)


def _seccomp(profile: JSON | None, path: str) -> Iterator[FieldError]:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if not kind:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    elif kind not in _SECCOMP:
        yield unsupported(f"{path}.type", kind, _SECCOMP)
    if kind == "Localhost" and local is None:
        yield required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
    elif kind != "Localhost" and local is not None:
        yield bad(f"{path}.localhostProfile", profile, "can only be set when seccomp type is Localhost")
