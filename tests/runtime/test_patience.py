"""Who waits for a host that takes long: a few, and not everybody."""

from __future__ import annotations

import contextlib
import threading

import pytest

from labkit.errors import ChartNotFound, ChartRepositoryError, RepositoryBusy
from labkit.runtime.clock import ManualClock
from labkit.runtime.patience import AWAY, LONG, Patience, Turn


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def patience(clock):
    return Patience(clock.monotonic, ChartRepositoryError)


def visit(patience, error=None, host="host"):
    with patience.visit(host, "here"):
        if error:
            raise error


def test_two_requests_to_a_host_may_take_long_and_a_third_is_refused_at_once(patience, clock):
    with patience.visit("host", "a"), patience.visit("host", "b"):
        visit(patience)  # they have just begun
        clock.turn(2 * LONG)
        with pytest.raises(RepositoryBusy) as caught:
            visit(patience)
        assert caught.value.where == "here"
        visit(patience, host="another")
    visit(patience)


def test_a_host_that_used_up_its_time_is_left_alone_and_then_asked_by_one(patience, clock):
    with contextlib.suppress(ChartRepositoryError), patience.visit("host", "a"):
        clock.turn(90)
        raise ChartRepositoryError("no answer", where="a", fix="wait")
    with pytest.raises(ChartRepositoryError, match="no answer") as caught:
        visit(patience)
    assert (caught.value.where, caught.value.fix) == ("here", "wait")
    clock.turn(AWAY)
    with patience.visit("host", "a"), pytest.raises(RepositoryBusy):
        visit(patience)
    visit(patience)  # it answered


@pytest.mark.parametrize(
    ("error", "seconds"), [(ChartRepositoryError("refused"), 0.1), (ChartNotFound("no such chart"), 90)]
)
def test_a_quick_no_and_an_answer_are_no_reason_to_stay_away(patience, clock, error, seconds):
    with contextlib.suppress(ChartRepositoryError), patience.visit("host", "a"):
        clock.turn(seconds)
        raise error
    visit(patience)


def test_nobody_waits_for_a_turn_that_takes_long(clock):
    turn = Turn("here", clock.monotonic)
    with turn:
        clock.turn(2 * LONG)
        with pytest.raises(RepositoryBusy, match="takes long"), turn:
            pass
    with turn:
        pass


def test_a_turn_that_is_over_soon_is_waited_for():
    from time import monotonic

    turn, inside, done = Turn("here", monotonic), threading.Event(), []

    def second():
        inside.wait()
        with turn:
            done.append(True)

    thread = threading.Thread(target=second)
    thread.start()
    with turn:
        inside.set()
    thread.join()
    assert done == [True]
