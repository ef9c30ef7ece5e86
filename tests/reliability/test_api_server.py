"""The API server on a bad day: it goes in the middle of a sync, says 409, 429 and 410, and answers get lost."""

from __future__ import annotations

import pytest
from faults import Answer, Every, Forgotten, Hang_up
from manifests import config, job
from scale import TIMEOUT, figures, so_many

from labkit.cluster import provider
from labkit.gitops.api.names import MADE_BY

AUTOMATED = {"prune": True, "selfHeal": True}
RETRY = {"limit": 10, "backoff": {"duration": "1s", "factor": 1}}


def waves(version):
    """A hook that leaves its Job, and three waves."""
    before = job("before-", hook="PreSync", generate=True)
    before["metadata"]["annotations"]["argocd.argoproj.io/hook-delete-policy"] = "HookFailed"
    files = {"before.yaml": before}
    for number in range(3):
        obj = config(f"wave-{number}", v=version)
        obj["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": str(number)}
        files[f"wave-{number}.yaml"] = obj
    return files


def hooks(world, app):
    """For each try of each sync, how many Jobs it made."""
    found: dict[str, int] = {}
    for one in world.cluster.list("batch/v1", "Job", app).items:
        made = (one["metadata"].get("annotations") or {}).get(MADE_BY)
        found[made] = found.get(made, 0) + 1
    return found


def is_at(world, app, version):
    return [
        (world.find("ConfigMap", f"wave-{number}", app) or {}).get("data") == {"v": version}
        for number in range(3)
    ] == [True] * 3


@pytest.mark.timeout(TIMEOUT)
def test_a_server_that_restarts_in_the_middle_of_a_sync_finds_it_ended(world, home):
    sandboxes = provider("sandbox", home[2] / "clusters")
    repo = world.repository("shop")
    app = world.app("shop", repo, automated=AUTOMATED, syncPolicy={"retry": RETRY})
    head = repo.push(waves("0"))
    world.settled(app, head)
    restarts = so_many(1, 20)
    for number in range(1, restarts + 1):
        head = repo.push(waves(str(number)))
        world.until(
            lambda: world.status(app)["operationState"],
            lambda state, head=head: state["syncResult"]["revision"] == head,
        )
        sandboxes.stop("home")
        sandboxes.start("home")
    world.settled(app, head)
    assert is_at(world, app, str(restarts))
    assert set(hooks(world, app).values()) == {1}
    figures(restarts=restarts, tries=len(hooks(world, app)))


TROUBLE = {
    "409": (Answer(409, "Conflict"), lambda r: r.method in {"PATCH", "PUT"}, 3),
    "429": (
        Answer(429, "TooManyRequests", headers=(("Retry-After", "1"),)),
        lambda r: not r.watches and r.method != "GET",
        7,
    ),
    "503 for a moment": (
        Answer(503, "ServiceUnavailable", headers=(("Retry-After", "0"),)),
        lambda r: not r.watches,
        4,
    ),
    "410 at the beginning of a watch": (Answer(410, "Expired"), lambda r: r.watches, 2),
    "410 in a watch": (Forgotten(), lambda r: r.watches, 2),
    "an answer that is lost": (Hang_up(after=True), lambda r: r.method in {"PATCH", "POST", "DELETE"}, 5),
    "a request that is lost": (Hang_up(), lambda r: not r.watches, 5),
}


@pytest.mark.timeout(TIMEOUT)
@pytest.mark.parametrize("what", TROUBLE)
def test_applications_end_synced_though_the_server_says(world, flaky, what):
    fault, fits, nth = TROUBLE[what]
    repo = world.repository("shop")
    app = world.app("shop", repo, automated=AUTOMATED, syncPolicy={"retry": RETRY})
    world.settled(app, repo.push(waves("0")))
    trouble = flaky.fault = Every(fault, fits, nth, times=so_many(1 if what == "429" else 100, 1000))
    count = so_many(1, 25)
    for number in range(1, count + 1):
        head = repo.push(waves(str(number)))
        if what.startswith("410"):
            flaky.cut()  # else one watch would last all the time
        world.settled(app, head)
        assert is_at(world, app, str(number))
    assert trouble.given > 0, "nothing went wrong: this said nothing"
    assert set(hooks(world, app).values()) == {1}
    ends = [
        e for e in world.cluster.list("v1", "Event", "argocd").items if e["reason"] == "OperationCompleted"
    ]
    assert {end["count"] for end in ends} == {1}, "a sync ends once, however often that had to be written"
    figures(what=what, syncs=count, times=trouble.given)
