from __future__ import annotations

import asyncio
import threading

from labkit.errors import BadRequest
from labkit.runtime.clock import ManualClock, SystemClock
from labkit.runtime.controller import Controller, Result
from labkit.runtime.informer import Informer
from labkit.runtime.loop import LoopHost


def pod(name: str, version: str = "1", **metadata: object) -> dict[str, object]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "a", "resourceVersion": version, **metadata},
    }


def test_a_change_of_an_object_reconciles_its_key() -> None:
    seen: list[str] = []
    controller: Controller[str] = Controller("c", seen.append, ManualClock())
    informer = Informer("v1", "Pod")
    controller.watch(informer, lambda obj: [obj["metadata"]["name"]])
    informer.replace([pod("x"), pod("y")])
    while controller.step():
        pass
    assert seen == ["x", "y"]


def test_a_key_that_fails_is_tried_again_later() -> None:
    clock, tries = ManualClock(), []

    def reconcile(key: str) -> None:
        tries.append(key)
        if len(tries) < 3:
            raise BadRequest("not yet")

    controller: Controller[str] = Controller("c", reconcile, clock)
    controller.enqueue("a")
    assert controller.step()
    assert not controller.step()
    for _ in range(3):
        clock.turn(1)
        controller.step()
    assert len(tries) == 3


def test_a_result_asks_to_be_called_again() -> None:
    clock = ManualClock()
    controller: Controller[str] = Controller("c", lambda _key: Result(requeue_after=5), clock)
    controller.enqueue("a")
    controller.step()
    assert controller.queue.delay() == 5


def test_a_listing_tells_what_is_gone_and_what_is_new_but_not_what_stayed() -> None:
    informer, told = Informer("v1", "Pod"), []
    informer.replace([pod("stays"), pod("goes")])
    informer.on_change(lambda event, obj, _old: told.append((event, obj["metadata"]["name"])))
    told.clear()
    informer.replace([pod("stays"), pod("comes")])
    assert told == [("DELETED", "goes"), ("ADDED", "comes")]


def test_objects_are_found_by_their_owner_until_they_are_gone() -> None:
    informer = Informer("v1", "Pod")
    owned = pod("x", ownerReferences=[{"uid": "u1"}])
    informer.observe("ADDED", owned)
    assert informer.owned_by("u1") == [owned]
    informer.observe("DELETED", owned)
    assert informer.owned_by("u1") == []


def test_threads_work_on_different_keys_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=5)
    done = threading.Semaphore(0)

    def reconcile(_key: str) -> None:
        both.wait()
        done.release()

    controller: Controller[str] = Controller("c", reconcile, SystemClock())
    controller.start(workers=2)
    controller.enqueue("a")
    controller.enqueue("b")
    assert done.acquire(timeout=5)
    assert done.acquire(timeout=5)
    controller.stop()


def test_an_event_loop_hosts_controllers_and_wakes_for_what_is_due() -> None:
    async def scene() -> list[str]:
        seen: list[str] = []
        finished = asyncio.Event()

        def reconcile(key: str) -> None:
            seen.append(key)
            if key == "later":
                finished.set()

        clock = SystemClock()
        host = LoopHost(asyncio.get_running_loop(), clock)
        controller: Controller[str] = Controller("c", reconcile, clock)
        host.add(controller)
        controller.enqueue_after("later", 0.02)
        controller.enqueue("now")
        await asyncio.wait_for(finished.wait(), 5)
        host.stop()
        return seen

    assert asyncio.run(scene()) == ["now", "later"]
