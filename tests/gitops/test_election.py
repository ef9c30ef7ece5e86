"""Two controllers on one cluster: one acts, and the other takes over when it is gone."""

from __future__ import annotations

import pytest
from manifests import config

from labkit.git import Mirror
from labkit.gitops.api.names import NAMESPACE
from labkit.gitops.controller import LEASE, Controller
from labkit.gitops.sources import Charts, Sources
from labkit.runtime.clock import SystemClock
from labkit.runtime.election import API_VERSION, KIND, Election


@pytest.fixture
def lease(home):
    cluster, *_ = home
    yield lambda: cluster.find(API_VERSION, KIND, LEASE, NAMESPACE)
    cluster.delete(API_VERSION, KIND, LEASE, NAMESPACE)


def controller(world, folder, identity):
    made = Controller(
        world.cluster,
        make_sources=lambda secrets: Sources(
            Mirror(folder / identity),
            credentials=secrets.credential,
            charts=Charts(folder / identity / "charts"),
        ),
        connect=lambda *_: pytest.fail("one cluster"),
        clock=SystemClock(),
        poll_seconds=3600,
        wave_seconds=0.05,
        identity=identity,
    )
    made.start()
    return made


def test_of_two_controllers_one_acts_and_the_other_takes_over(world, lease, tmp_path):
    world.stop()
    first, second = controller(world, tmp_path, "one"), controller(world, tmp_path, "two")
    try:
        assert lease()["spec"]["holderIdentity"] == "one"
        repo = world.repository("shop")
        repo.push({"a.yaml": config("a", v="1")})
        app = world.app("shop", repo, automated={})
        world.settled(app)
        first.stop()  # it gives the lease back
        head = repo.push({"a.yaml": config("a", v="2")})
        world.until(lambda: lease()["spec"]["holderIdentity"], lambda holder: holder == "two")
        second.webhook({"ref": "refs/heads/main", "repository": {"clone_url": repo.url}})
        world.settled(app, head)
        assert lease()["spec"]["leaseTransitions"] == 1
    finally:
        first.stop()
        second.stop()


def test_a_lease_that_is_not_renewed_is_taken_over_and_its_holder_acts_no_longer(home, lease):
    cluster, *_ = home

    def candidate(identity):
        return Election(
            cluster, SystemClock(), namespace=NAMESPACE, name=LEASE, identity=identity, seconds=3.0
        )

    dead, other, same = candidate("dead"), candidate("other"), candidate("dead")
    dead._round()
    assert dead.leading
    other._round()
    assert (other.leading, other.holder) == (False, "dead")
    same._round()  # after a restart, nobody is waited for
    assert same.leading
    ended = SystemClock().monotonic() + 30
    while not other.leading and SystemClock().monotonic() < ended:
        other._round()
        SystemClock().sleep(0.2)
    assert other.leading
    dead._round()
    assert (dead.leading, dead.holder) == (False, "other")
    other.stop()
