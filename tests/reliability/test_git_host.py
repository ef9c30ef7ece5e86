"""The Git host on a bad day: away, slow, rewritten, made anew. No revision is lost, and the newest wins."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time

import pytest
from faults import Dribble
from manifests import config
from scale import TIMEOUT, figures, so_many

from labkit.gitops import operations
from labkit.gitops.api.names import REFRESH
from tests.gitops.test_bad_input import condition

AUTOMATED = {"prune": True, "selfHeal": True}


def behind(proxy, repo):
    """The repository's address at the proxy."""
    return {"repoURL": f"{proxy.url}/{repo.url.rpartition('/')[2]}"}


def data(world, app):
    return world.find("ConfigMap", "a", app)["data"]["v"]


def test_a_host_that_goes_away_changes_nothing_and_what_was_pushed_meanwhile_comes_when_it_is_back(
    world, between
):
    repo = world.repository("shop")
    first = repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED, source=behind(between, repo))
    world.settled(app, first)
    between.down()
    second = repo.push({"a.yaml": config("a", v="2")})
    assert "does not answer" in condition(world, app)
    status = world.status(app)
    assert (status["sync"]["status"], status["health"]["status"]) == ("Unknown", "Healthy")
    assert data(world, app) == "1"
    between.up()
    world.settled(app, second)
    assert data(world, app) == "2"


def test_a_host_that_dribbles_holds_up_nobody_else(world, between):
    slow, quick = world.repository("slow"), world.repository("quick")
    head = slow.push({"a.yaml": config("a", v="1")})
    quick.push({"a.yaml": config("a", v="1")})
    between.fault = lambda _request: Dribble(1, 0.1)  # a minute for what takes a moment; no pause long enough
    late = [world.app(f"late-{n}", slow, automated=AUTOMATED, source=behind(between, slow)) for n in range(8)]
    world.until(lambda: len(between.done), lambda count: count >= 1)
    near = world.app("near", quick, automated=AUTOMATED)
    world.settled(near)
    second = quick.push({"a.yaml": config("a", v="2")})
    world.settled(near, second)
    assert not any((world.status(app).get("sync") or {}).get("revision") for app in late)
    between.fault = lambda _request: None
    between.cut()
    for app in late:
        world.settled(app, head)


@pytest.mark.parametrize("running", [True, False])
def test_history_that_was_forced_away_is_left_behind(world, running):
    repo = world.repository("shop")
    world.settled(world.app("shop", repo, automated=AUTOMATED), repo.push({"a.yaml": config("a", v="old")}))
    if not running:  # then the controller knows from the status only which commit it had
        world.stop()
        shutil.rmtree(world.folder / "mirror")
    here = repo.copy.path
    for command in (
        ["checkout", "-q", "--orphan", "other"],
        ["rm", "-qrf", "."],
    ):
        subprocess.run(["git", *command], cwd=here, check=True)
    (here / "b.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n")
    repo.copy.add().commit("Begin anew")
    subprocess.run(["git", "push", "-q", "-f", "origin", "other:main"], cwd=here, check=True)
    if not running:
        store = world.forge.get("shop").path
        subprocess.run(["git", "reflog", "expire", "--expire=now", "--all"], cwd=store, check=True)
        subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=store, check=True)
        world.start()
    world.settled("shop", repo.copy.head.sha)
    assert world.find("ConfigMap", "a", "shop") is None
    assert world.find("ConfigMap", "b", "shop") is not None


def test_a_repository_that_is_deleted_takes_nothing_with_it_and_made_again_it_is_followed(world):
    repo = world.repository("shop")
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, repo.push({"a.yaml": config("a", v="1")}))
    world.forge.delete("shop")
    world.cluster.patch(
        "argoproj.io/v1alpha1", "Application", app, "argocd",
        patch={"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}},
    )  # fmt: skip
    assert "There is no Git repository" in condition(world, app)
    assert data(world, app) == "1"
    shutil.rmtree(repo.copy.path)
    again = world.repository("shop")
    head = again.push({"a.yaml": config("a", v="2")})
    world.settled(app, head)
    assert data(world, app) == "2"


def test_a_repository_without_its_history_is_read(world, tmp_path):
    repo = world.repository("full")
    for number in range(3):
        head = repo.push({"a.yaml": config("a", v=str(number))})
    place = world.forge.root / "cut.git"
    source = world.forge.get("full").path
    subprocess.run(
        ["git", "clone", "-q", "--bare", "--depth", "1", f"file://{source}", str(place)], check=True
    )
    url = repo.url.replace("full", "cut")
    for name, revision in (("branch", "main"), ("commit", head), ("short", head[:8])):
        app = world.app(name, repo, automated=AUTOMATED, source={"repoURL": url, "targetRevision": revision})
        world.settled(app, head)
        assert data(world, app) == "2"


def test_a_push_while_a_pass_is_past_asking_git_is_not_lost(world, flaky):
    repo = world.repository("shop")
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, repo.push({"a.yaml": config("a", v="1")}))
    pushed = []

    def push_in_between(request):
        """When the sync of version 2 begins, version 3 is pushed, and told, before the server hears of the sync."""
        begins = request.method == "PATCH" and b'"operation":null' in request.body
        if begins and not pushed:
            pushed.append("")
            pushed[0] = repo.push({"a.yaml": config("a", v="3")})

    flaky.fault = push_in_between
    repo.push({"a.yaml": config("a", v="2")})
    world.until(lambda: pushed and pushed[0], bool)
    world.settled(app, pushed[0])
    assert data(world, app) == "3"


@pytest.mark.parametrize("hard", [True, False])
def test_a_wish_to_refresh_that_stands_there_already_is_heard_again(world, flaky, hard):
    repo = world.repository("shop")
    app = world.app("shop", repo)
    world.until(lambda: world.status(app).get("sync"), bool)
    world.told = False
    repo.push({"a.yaml": config("a", v="1")})
    asked = []

    def ask_in_between(request):
        if request.method == "PATCH" and b'"argocd.argoproj.io/refresh":null' in request.body and not asked:
            asked.append(repo.push({"a.yaml": config("a", v="2")}))
            thread = threading.Thread(target=operations.refresh, args=(world.cluster, app))
            thread.start()
            world.until(
                lambda: world.get(app)["metadata"]["annotations"].get(REFRESH), lambda it: it == "hard"
            )
            asked.append(thread)

    flaky.fault = ask_in_between
    operations.refresh(world.cluster, app, hard=hard)
    world.until(lambda: len(asked), lambda count: count == 2)
    asked[1].join()
    assert world.status(app)["sync"]["revision"] == asked[0]


@pytest.mark.timeout(TIMEOUT)
def test_of_many_commits_that_are_pushed_one_by_one_the_newest_wins_and_none_comes_after_a_newer(world):
    repo = world.repository("shop")
    order = {repo.push({"a.yaml": config("a", v="0")}): 0}
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    began, seen, count = time.monotonic(), [], so_many(12, 1000)
    for number in range(1, count + 1):
        order[repo.push({"a.yaml": config("a", v=str(number))})] = number
        seen.append(data(world, app))
    pushed = time.monotonic()
    head = repo.copy.head.sha
    world.settled(app, head)
    figures(
        commits=count,
        seconds_to_push=pushed - began,
        seconds_from_the_last_push_to_Synced=time.monotonic() - pushed,
        deployed_on_the_way=len(set(seen)),
    )
    assert data(world, app) == str(count)
    assert [int(v) for v in seen] == sorted(int(v) for v in seen)
    deployed = [order[entry["revision"]] for entry in world.status(app)["history"]]
    assert deployed == sorted(deployed)
    assert deployed[-1] == count
