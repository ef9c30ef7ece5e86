"""Somebody sets the machine's clock, far ahead or far back: nothing waits for the time to come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from manifests import config

from labkit.gitops.status import since
from labkit.runtime.clock import SystemClock

AUTOMATED = {"prune": True, "selfHeal": True}
JUMPS = {"back": timedelta(days=-2), "ahead": timedelta(days=2)}
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class SteppedClock(SystemClock):
    """The machine's clock, with its hands moved; what has passed is measured as ever."""

    def __init__(self):
        super().__init__()
        self.offset = timedelta(0)

    def now(self):
        return super().now() + self.offset


@pytest.fixture
def stepped(world):
    """The controller on a clock of ours; it polls, because nobody tells it of pushes."""
    world.stop()
    world.clock, world.poll, world.told = SteppedClock(), (1.0, 0.1), False
    world.start()
    return world.clock


def test_of_a_moment_that_is_to_come_the_wait_is_over():
    assert since(NOON, NOON + timedelta(seconds=7)) == 7
    assert since(NOON, NOON - timedelta(seconds=0.9)) < 0  # a stamp that was rounded, no step
    assert since(NOON, NOON - timedelta(hours=2)) == float("inf")


@pytest.mark.parametrize("jump", JUMPS)
def test_git_is_polled_and_waves_go_on_after_the_clock_jumped(world, stepped, jump):
    repo = world.repository("shop")
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, repo.push({"a.yaml": config("a", v="1")}))
    later = config("b", v="2")
    later["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "1"}
    head = repo.push({"a.yaml": config("a", v="2"), "b.yaml": later})
    stepped.offset = JUMPS[jump]
    world.settled(app, head)
    assert world.find("ConfigMap", "b", "shop")["data"] == {"v": "2"}


@pytest.mark.parametrize("jump", JUMPS)
def test_a_sync_that_pauses_before_its_next_try_does_not_pause_for_days(world, stepped, jump):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    retry = {"limit": 50, "backoff": {"duration": "1s", "factor": 1}}
    name = f"nowhere-{jump}"
    app = world.app(name, repo, syncPolicy={"automated": AUTOMATED, "retry": retry, "syncOptions": []})
    world.until(lambda: world.status(app).get("operationState") or {}, lambda state: state.get("retryCount"))
    stepped.offset = JUMPS[jump]
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    world.settled(app)


def test_drift_is_healed_after_the_clock_was_set_back(world, stepped):
    repo = world.repository("shop")
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, repo.push({"a.yaml": config("a", v="1")}))
    for value in ("by hand", "once more"):
        world.cluster.patch("v1", "ConfigMap", "a", "shop", patch={"data": {"v": value}})
        world.until(lambda: world.find("ConfigMap", "a", "shop")["data"], lambda data: data == {"v": "1"})
        stepped.offset -= timedelta(hours=2)
