"""One object wanted, one live: the same, or not?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labkit.errors import ApiError, LabError
from labkit.gitops import health
from labkit.gitops.api.options import compare_option
from labkit.gitops.diff.ignore import Ignored
from labkit.gitops.diff.normal import normal
from labkit.gitops.sync import hooks
from labkit.gitops.sync.phases import kind_order, wave
from labkit.k8s.objects import Object, ObjectKey, gvk

SYNCED, OUT_OF_SYNC, UNKNOWN = "Synced", "OutOfSync", "Unknown"

Predict = Callable[[Object, Object], Object]
"""What the live object would become if the target were applied to it; raises what the API answers."""


@dataclass(frozen=True)
class Compared:
    """One object: wanted, live, what it would become, and what follows."""

    key: ObjectKey
    status: str
    target: Object | None = None
    live: Object | None = None
    predicted: Object | None = None
    origin: str = ""
    problem: str = ""
    counts: bool = True

    @property
    def hook(self) -> bool:
        """Whether it is a hook: compared to nothing, and no part of the application's state."""
        return hooks.is_hook(self.target or self.live or {})

    @property
    def requires_pruning(self) -> bool:
        """Whether Git no longer asks for what is live."""
        return self.target is None and not self.hook

    @property
    def health(self) -> health.Health | None:
        """The live object's health; Missing where there is none."""
        if self.live is None:
            return health.Health(health.MISSING)
        return health.assess(self.live)

    def entry(self) -> dict[str, Any]:
        """As ``status.resources`` lists it."""
        kind = gvk(self.target or self.live or {})
        found: dict[str, Any] = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        found |= {"namespace": self.key.namespace, "name": self.key.name, "status": self.status}
        state = self.health
        if state is not None:
            found["health"] = {"status": state.status} | ({"message": state.message} if state.message else {})
        if self.hook:
            found.pop("status")
            found["hook"] = True
        if self.requires_pruning:
            found["requiresPruning"] = True
        if number := wave(self.target or self.live or {}):
            found["syncWave"] = number
        return {name: value for name, value in found.items() if value != ""}


@dataclass(frozen=True)
class Comparison:
    """All objects of an application."""

    items: tuple[Compared, ...]

    @property
    def resources(self) -> list[Compared]:
        """Without hooks, which have no state to be in or out of sync with."""
        return [item for item in self.items if not item.hook]

    @property
    def status(self) -> str:
        """OutOfSync as soon as one object is."""
        return OUT_OF_SYNC if any(i.status != SYNCED for i in self.resources if i.counts) else SYNCED

    @property
    def health(self) -> str:
        """The worst of what has a health; extras do not count."""
        found = [item.health for item in self.resources if item.target is not None]
        return health.aggregate([state.status for state in found if state is not None])


def compare(
    targets: Mapping[ObjectKey, tuple[Object, str]],
    live: Mapping[ObjectKey, Object],
    predict: Predict,
    rules: Iterable[dict[str, Any]] = (),
    permits: Callable[[Object], str] = lambda _obj: "",
) -> Comparison:
    """Compare what is wanted (object and origin by key) with what is live; the extras among those come last,
    in the order in which things are made.

    Of what is not permitted (``permits`` says why) nothing is known.
    """
    found = []
    for key, (target, origin) in targets.items():
        if refusal := permits(target):
            found.append(Compared(key, UNKNOWN, target, live.get(key), None, origin, refusal))
        else:
            found.append(_one(key, target, origin, live.get(key), predict, list(rules)))
    # What is live comes as the watches were begun, which is chance: a table must be the same each time.
    for key, obj in sorted(live.items(), key=lambda item: _made(*item)):
        if key not in targets:
            counts = not compare_option(obj, "IgnoreExtraneous")
            found.append(
                Compared(key, SYNCED if hooks.is_hook(obj) else OUT_OF_SYNC, live=obj, counts=counts)
            )
    return Comparison(tuple(found))


def _made(key: ObjectKey, obj: Object) -> tuple[object, ...]:
    """An object's place among those that a sync makes."""
    return (wave(obj), kind_order(key.kind), key.kind, key.namespace, key.name, key.group)


def _one(
    key: ObjectKey,
    target: Object,
    origin: str,
    live: Object | None,
    predict: Predict,
    rules: list[dict[str, Any]],
) -> Compared:
    if live is None or hooks.is_hook(target):
        return Compared(key, OUT_OF_SYNC if live is None else SYNCED, target, live, None, origin)
    try:
        predicted = predict(target, live)
    except ApiError as error:  # the sync will say it again, with all that it knows
        return Compared(key, OUT_OF_SYNC, target, live, None, origin, error.message)
    except LabError as error:
        return Compared(key, UNKNOWN, target, live, None, origin, str(error))
    ignored = Ignored.of(target, rules)
    try:
        after, before = (normal(ignored.without(obj, live)) for obj in (predicted, live))
    except LabError as error:
        return Compared(key, UNKNOWN, target, live, predicted, origin, str(error))
    same = after == before
    return Compared(key, SYNCED if same else OUT_OF_SYNC, target, live, predicted, origin)
