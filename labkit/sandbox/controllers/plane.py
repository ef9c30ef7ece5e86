"""What a controller is given to work with: a name, views of the cluster, a queue of its own, and a turn on the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from labkit.k8s.objects import (
    Object,
    controller_of,
    group_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
)
from labkit.k8s.selectors import LabelSelector
from labkit.runtime.controller import Controller, Result
from labkit.runtime.recorder import EventRecorder
from labkit.sandbox.informers import Informers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from labkit.runtime.clock import Clock
    from labkit.runtime.informer import Informer
    from labkit.runtime.loop import LoopHost
    from labkit.sandbox.client import LocalClient

BATCH = 5
"""Objects that one reconcile makes or deletes before others have their turn; the rest follows at once."""

AGAIN = Result(requeue_after=0.0)
"""There is more to do for this key: come back when the others had their turn."""


class Key(NamedTuple):
    """What reconcile is called with: the object's name, and its namespace or the empty string."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class ControlPlane:
    """Hands each controller its tools."""

    def __init__(self, client: LocalClient, clock: Clock, host: LoopHost) -> None:
        self.client, self.clock = client, clock
        self._host = host
        self.informers = Informers(client)

    def informer(self, api_version: str, kind: str) -> Informer:
        """The view of a kind that everybody shares."""
        return self.informers.of(api_version, kind)

    def client_of(self, component: str) -> LocalClient:
        """The cluster as the service account of that controller sees it."""
        return self.client.as_user(
            f"system:serviceaccount:kube-system:{component}",
            "system:serviceaccounts",
            "system:serviceaccounts:kube-system",
            "system:authenticated",
            "system:masters",
        )

    def recorder(self, component: str) -> EventRecorder:
        """Writes the controller's Events."""
        return EventRecorder(self.client, component, self.clock)

    def controller(self, name: str, reconcile: Callable[[Key], Result | None]) -> Controller[Key]:
        """A queue whose keys `reconcile` is called with."""
        controller: Controller[Key] = Controller(name, reconcile, self.clock)
        self._host.add(controller)
        return controller


def key_of(obj: Object) -> Key:
    """The object's own key."""
    return Key(namespace_of(obj), name_of(obj))


def own_key(obj: Object) -> Iterable[Key]:
    """For `Controller.watch`: a change of an object is a reason to look at that object."""
    return (key_of(obj),)


def keeper_keys(
    kind: str, sets: Informer, selector: Callable[[Object], LabelSelector]
) -> Callable[[Object], Iterable[Key]]:
    """For `Controller.watch`: the set of that kind that controls a pod; of an orphan, those that might adopt it."""

    def keys(pod: Object) -> Iterable[Key]:
        owner = controller_of(pod)
        if owner is not None:
            return [Key(namespace_of(pod), owner["name"])] if owner["kind"] == kind else []
        if "deletionTimestamp" in metadata(pod):
            return []
        labels = labels_of(pod)
        return [key_of(one) for one in sets.list(namespace_of(pod)) if selector(one).matches(labels)]

    return keys


def selector_of(obj: Object) -> LabelSelector:
    """``spec.selector``."""
    return LabelSelector.from_object(obj["spec"]["selector"])


def owner_key(api_version: str, kind: str) -> Callable[[Object], Iterable[Key]]:
    """For `Controller.watch`: a change of an object is a reason to look at the one of that kind that controls it."""
    group = group_of(api_version)

    def keys(obj: Object) -> Iterable[Key]:
        owner = controller_of(obj)
        if owner is None or owner["kind"] != kind or group_of(owner["apiVersion"]) != group:
            return ()
        return (Key(namespace_of(obj), owner["name"]),)

    return keys
