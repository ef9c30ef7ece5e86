"""What an ApplicationSet would change: a value, made before anything is done. The controller carries it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.gitops.api.names import API_VERSION, GROUP, POST_DELETE, PRE_DELETE, REFRESH
from labkit.gitops.diff.ignore import Ignored
from labkit.gitops.status import difference
from labkit.k8s.objects import Object, controller_of, metadata, name_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labkit.gitops.applicationsets.generate import Generated
    from labkit.gitops.applicationsets.parameters import JSON
    from labkit.gitops.applicationsets.spec import ApplicationSet

CREATE, UPDATE, DELETE, UNCHANGED, KEPT, REFUSED = "create", "update", "delete", "unchanged", "keep", "refuse"
_PRESERVED = (REFRESH, "notified.notifications.argoproj.io", "argocd.argoproj.io/hydrate")


@dataclass(frozen=True)
class Change:
    """What happens to one Application: ``create``, ``update``, ``delete``, ``unchanged``, ``keep`` or ``refuse``.

    ``application`` is what it will be (what it is, where it is deleted or kept); ``patch`` what an update writes.
    """

    action: str
    name: str
    application: Object
    patch: JSON = field(default_factory=dict)
    reason: str = ""

    def to_json(self) -> JSON:
        """For a screen or a script."""
        found: JSON = {"action": self.action, "name": self.name, "application": self.application}
        return (
            found
            | ({"reason": self.reason} if self.reason else {})
            | ({"patch": self.patch} if self.patch else {})
        )


def changes(made: ApplicationSet, generated: Iterable[Generated], live: Mapping[str, Object]) -> list[Change]:
    """All changes, by name; ``live`` has every Application there is, by its name."""
    found: dict[str, Change] = {}
    wanted = set()
    for number, one in enumerate(generated):
        wanted.add(one.name)
        if one.problem:
            found.setdefault(
                f"{one.name}\0{number}", Change(REFUSED, one.name, one.application, reason=one.problem)
            )
        else:
            found[one.name] = _change(made, one.application, live.get(one.name))
    for name, obj in live.items():
        if name not in wanted and owned(made, obj):
            found[name] = _leftover(made, obj)
    return [found[key] for key in sorted(found)]


def owned(made: ApplicationSet, obj: Object) -> bool:
    """Whether the set controls the Application."""
    owner = controller_of(obj) or {}
    if owner.get("kind") != "ApplicationSet" or not str(owner.get("apiVersion", "")).startswith(f"{GROUP}/"):
        return False
    uid = uid_of(made.obj)
    return owner.get("uid") == uid if uid else owner.get("name") == made.name


def _leftover(made: ApplicationSet, obj: Object) -> Change:
    if made.may_delete:
        return Change(DELETE, name_of(obj), obj, reason="it is no longer generated")
    return Change(
        KEPT, name_of(obj), obj, reason=f"it is no longer generated; applicationsSync is {made.policy}"
    )


def _change(made: ApplicationSet, wanted: Object, live: Object | None) -> Change:
    name = name_of(wanted)
    if live is None:
        return Change(CREATE, name, _with_owner(made, wanted))
    owner = controller_of(live)
    if owner is not None and not owned(made, live):
        reason = f"it belongs to {owner.get('kind')} {owner.get('name')}"
        return Change(REFUSED, name, live, reason=reason)
    if not made.may_update:
        return Change(UNCHANGED, name, live, reason=f"applicationsSync is {made.policy}")
    after = _after(made, wanted, live)
    patch: JSON = {}
    for part in ("spec", "operation"):
        if part in after and after[part] != live.get(part):
            patch[part] = difference(live.get(part) or {}, after[part])
    before = {key: metadata(live).get(key) or {} for key in ("labels", "annotations")}
    meta = difference(before, {key: metadata(after).get(key) or {} for key in before})
    for key in ("finalizers", "ownerReferences"):
        if (metadata(live).get(key) or []) != (metadata(after).get(key) or []):
            meta[key] = metadata(after).get(key) or []
    if meta:
        patch["metadata"] = meta
    return Change(UPDATE, name, after, patch) if patch else Change(UNCHANGED, name, live)


def _after(made: ApplicationSet, wanted: Object, live: Object) -> Object:
    """What the Application becomes: as it was generated, with what others may write as it is."""
    meta, said = dict(metadata(live)), metadata(wanted)
    kept = made.spec.get("preservedFields") or {}
    for part, own in (("labels", ()), ("annotations", _PRESERVED)):
        names = {*own, *(kept.get(part) or [])}
        there = {key: value for key, value in (meta.get(part) or {}).items() if key in names}
        meta[part] = (said.get(part) or {}) | there
    hooks = [f for f in meta.get("finalizers") or [] if f.startswith((PRE_DELETE, POST_DELETE))]
    meta["finalizers"] = list(dict.fromkeys([*(said.get("finalizers") or []), *hooks]))
    after = {**live, "metadata": meta, "spec": wanted["spec"]}
    if wanted.get("operation"):
        after["operation"] = wanted["operation"]
    rules = [
        rule | {"group": GROUP, "kind": "Application"}
        for rule in made.spec.get("ignoreApplicationDifferences") or []
        if isinstance(rule, dict)
    ]
    return _with_owner(made, Ignored.of(live, rules).respected(after, live))


def _with_owner(made: ApplicationSet, obj: Object) -> Object:
    """The Application with its set as its controller: it goes when the set goes."""
    owner = {
        "apiVersion": API_VERSION,
        "kind": "ApplicationSet",
        "name": made.name,
        "uid": uid_of(made.obj),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    others = [o for o in metadata(obj).get("ownerReferences") or [] if o.get("uid") != owner["uid"]]
    return {**obj, "metadata": {**metadata(obj), "ownerReferences": [*others, owner]}}
