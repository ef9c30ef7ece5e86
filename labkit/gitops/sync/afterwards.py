"""What becomes of hooks once their end is noted: their delete policy is carried out, and they are let go.

It is done after the operation's state was written, never before: whoever finds a hook gone after a crash must
find in the state how it ended. What a crash leaves held is found by the next pass, which looks at all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.gitops import health
from labkit.gitops.sync import hooks
from labkit.gitops.sync.operation import ENDED, FAILED, RUNNING, SUCCEEDED
from labkit.k8s.objects import Object, ObjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.gitops.sync.carry import Carrier

JSON = dict[str, Any]

_POLICIES = {SUCCEEDED: hooks.HOOK_SUCCEEDED, FAILED: hooks.HOOK_FAILED}


def settle(carrier: Carrier, objects: Iterable[Object], state: JSON) -> None:
    """Let go of the held hooks among an application's live objects whose end stands in ``operationState``.

    Those whose policy says so are deleted. While the operation runs, hooks that it has not noted yet are kept.
    """
    over = state.get("phase") in ENDED or not state
    noted = {_key(entry): entry.get("hookPhase") for entry in _entries(state)}
    for obj in list(objects):
        if not hooks.held(obj):
            continue
        phase = noted.get(ObjectKey.of(obj)) or (_outcome(obj) if over else RUNNING)
        if phase == RUNNING and not over:
            continue
        if _POLICIES.get(phase) in hooks.delete_policies(obj):
            carrier.delete(obj)
        else:
            carrier.release(obj)


def _entries(state: JSON) -> list[JSON]:
    found: list[JSON] = (state.get("syncResult") or {}).get("resources") or []
    return [entry for entry in found if entry.get("hookType")]


def _key(entry: JSON) -> ObjectKey:
    return ObjectKey(*(entry.get(part, "") for part in ("group", "kind", "namespace", "name")))


def _outcome(obj: Object) -> str:
    state = health.assess(obj)
    if state is None or state.status == health.HEALTHY:
        return SUCCEEDED
    return FAILED if state.status == health.DEGRADED else RUNNING
