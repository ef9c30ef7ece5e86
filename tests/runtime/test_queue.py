from __future__ import annotations

import pytest

from labkit.runtime.clock import ManualClock
from labkit.runtime.queue import WorkQueue


def queue() -> tuple[WorkQueue[str], ManualClock]:
    clock = ManualClock()
    return WorkQueue(clock), clock


def test_a_key_added_twice_is_handed_out_once() -> None:
    work, _ = queue()
    work.add("a")
    work.add("a")
    assert work.get(0) == "a"
    assert work.get(0) is None


def test_a_key_added_while_in_work_comes_again_when_done_and_not_before() -> None:
    work, _ = queue()
    work.add("a")
    assert work.get(0) == "a"
    work.add("a")
    assert work.get(0) is None
    work.done("a")
    assert work.get(0) == "a"


def test_a_key_for_later_comes_when_the_clock_says_so() -> None:
    work, clock = queue()
    work.add_after("a", 10)
    assert work.get(0) is None
    assert work.delay() == 10
    clock.turn(10)
    assert work.get(0) == "a"


def test_of_two_wishes_for_later_the_earlier_counts() -> None:
    work, clock = queue()
    work.add_after("a", 10)
    work.add_after("a", 3)
    clock.turn(3)
    assert work.get(0) == "a"
    work.done("a")
    clock.turn(30)
    assert work.get(0) is None


def test_back_off_grows_until_it_is_forgotten() -> None:
    work, clock = queue()
    delays = []
    for _ in range(3):
        work.add_rate_limited("a")
        delays.append(work.delay())
        clock.turn(1)
        assert work.get(0) == "a"
        work.done("a")
    assert delays == pytest.approx([0.005, 0.01, 0.02])
    work.forget("a")
    work.add_rate_limited("a")
    assert work.delay() == pytest.approx(0.005)


def test_a_closed_queue_hands_out_nothing() -> None:
    work, _ = queue()
    work.add("a")
    work.close()
    assert work.get() is None
