"""Lesson 08's checks, from both sides."""

from __future__ import annotations

import subprocess

import pytest

from labkit.lessons.course.truth import CHART, OVEN, PROD, SEEN, bake, follow, hand_over, leak, lose, put

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def ana(begin):
    ana = begin("08", "bakery")
    ana.repo, ana.work = ana.lab.repos["bakery"], ana.lab.repos["bakery"].clone()
    ana.apps = follow(ana.lab)
    return ana


@pytest.fixture
def guarded(ana):
    ana.repo.protect()
    return ana


def change(ana, path=PROD, old="replicas: 2", new="replicas: 3", *, branch="three"):
    ana.work.checkout(branch, create=True)
    put(ana.work, path, old, new)
    ana.work.add().commit("Three Pods for prod")


def asked(ana, *, branch="three", **said):
    change(ana, branch=branch)
    ana.work.push()
    return ana.repo.pulls.open(branch, **said)


# -- exercise 1


def test_without_the_applications_and_without_protection_it_says_so(begin):
    ana = begin("08", "bakery")
    assert "bakery-prod are not there" in ana.says("review")
    follow(ana.lab)
    assert "main is not protected" in ana.says("review")
    assert "has not asked yet" in ana.says("secret")


def nothing(ana):
    pass


def edited(ana):
    put(ana.work, PROD, "replicas: 2", "replicas: 3")


def committed_on_main(ana):
    put(ana.work, PROD, "replicas: 2", "replicas: 3")
    ana.work.add().commit("Three")


def pushed_to_a_branch(ana):
    change(ana)
    ana.work.push()


def by_kubectl(ana):
    ana.apps["prod"].wait()
    ana.apps["prod"].set(automated=False)
    scale = {"spec": {"replicas": 3}}
    ana.lab.cluster.patch("apps/v1", "Deployment", "bakery", "bakery-prod", patch=scale)


def for_everybody(ana):
    change(ana, CHART, "replicas: 1", "replicas: 3")
    ana.work.push()
    ana.repo.pulls.open("three").approve(by="colleague").merge()


def something_else(ana):
    change(ana, PROD, "bread: wheat", "bread: cake")
    ana.work.push()
    ana.repo.pulls.open("three")


def not_approved(ana):
    asked(ana)


def not_merged(ana):
    asked(ana).approve(by="colleague")


def past_the_guard(ana):
    ana.repo.unprotect()
    committed_on_main(ana)
    ana.work.push()
    ana.repo.protect()


def merged_by_nobody_else(ana):
    ana.repo.unprotect()
    asked(ana).merge()
    ana.repo.protect()


WRONG = {
    nothing: "asks for 2 Pods in prod, and no branch asks for three",
    edited: "in your working copy asks for three Pods; no commit has it",
    committed_on_main: "committed in your working copy, on main; the Git host does not have it",
    pushed_to_a_branch: "the branch three asks for three Pods, and nobody was asked",
    by_kubectl: "three Pods run, and Git's main asks for 2",
    for_everybody: "the chart's default is three Pods now",
    something_else: "pull request #1 leaves prod at 2",
    not_approved: "pull request #1 is right, and nobody has approved",
    not_merged: "pull request #1 is approved, and still open",
    past_the_guard: "without a pull request that somebody else approved",
    merged_by_nobody_else: "without a pull request that somebody else approved",
}


@pytest.mark.parametrize(("does", "help_"), WRONG.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_how_far_it_has_come_is_told(guarded, does, help_):
    does(guarded)
    said = guarded.says("review")
    assert said.startswith("✗")
    assert help_ in said


def test_a_merge_that_is_not_deployed_yet_is_waited_for(guarded):
    guarded.apps["prod"].wait()
    guarded.apps["prod"].set(automated=False)
    asked(guarded).approve(by="colleague").merge()
    assert "2 are ready in prod" in guarded.says("review")


def merged(ana):
    asked(ana).approve(by="colleague").merge(delete_branch=True)


def squashed(ana):
    asked(ana, title="More Pods").approve(by="ben").merge(method="squash")


def with_plain_git_and_two_commits(ana):
    change(ana, branch="more")
    put(ana.work, PROD, "bread: wheat", "bread: cake")
    ana.work.add().commit("And cake")
    git = ["git", "-C", str(ana.work.path)]
    subprocess.run([*git, "push", "--quiet", "origin", "HEAD:refs/heads/more"], check=True)
    ana.repo.pulls.open("more").approve(by="colleague").merge()


@pytest.mark.parametrize("does", [merged, squashed, with_plain_git_and_two_commits], ids=lambda x: x.__name__)
def test_through_review_there_are_several_ways(guarded, does):
    does(guarded)
    guarded.apps["prod"].refresh().wait()
    assert guarded.says("review").startswith("✓")


# -- exercise 2


@pytest.fixture
def leaked(guarded):
    guarded.apps["prod"].wait(health=False)  # the namespace is there
    guarded.pull = leak(guarded.lab)
    return guarded


def the_oven(ana, *, method="merge", branch="only-the-oven"):
    ana.work.checkout("main").pull()
    ana.work.checkout(branch, create=True)
    put(ana.work, PROD, "bread: wheat\n", f"bread: wheat\noven: {OVEN}\n")
    ana.work.add().commit("An oven")
    ana.work.push()
    ana.repo.pulls.open(branch).approve(by="colleague").merge(method=method, delete_branch=True)


def merged_as_it_is(ana):
    ana.repo.unprotect()
    ana.pull.merge()


def taken_out_and_merged(ana, *, method="merge"):
    ana.work.checkout("oven")
    put(ana.work, PROD, f"ovenPassword: {SEEN}\n", "")
    ana.work.add().commit("Sorry")
    ana.work.push()
    ana.pull.approve(by="ben").merge(method=method)


def taken_out_and_squashed(ana):
    taken_out_and_merged(ana, method="squash")


def closed(ana):
    ana.pull.close()


def beside_the_branch(ana):
    the_oven(ana)


def branch_gone_and_request_open(ana):
    the_oven(ana)
    ana.work.delete_branch("oven", remote=True)


def cleaned(ana):
    ana.pull.close()
    the_oven(ana)
    ana.work.delete_branch("oven", remote=True)


def same_password(ana):
    cleaned(ana)
    hand_over(ana.lab, SEEN)


SPILT = {
    nothing: "the colleague's pull request is open",
    merged_as_it_is: "main has the password",
    taken_out_and_merged: "its commit 'An oven for the bakery' does",
    taken_out_and_squashed: "the branch oven on the Git host still has the password",
    closed: "the oven's address is not on main",
    beside_the_branch: "the branch oven on the Git host still has the password",
    branch_gone_and_request_open: "the colleague's pull request is still open",
    cleaned: "no Secret oven in bakery-prod",
    same_password: "holds the password that everybody has seen",
}


@pytest.mark.parametrize(("does", "help_"), SPILT.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_where_the_password_still_is_is_told(leaked, does, help_):
    does(leaked)
    said = leaked.says("secret")
    assert said.startswith("✗")
    assert help_ in said


def begun_anew(ana):
    cleaned(ana)
    hand_over(ana.lab, "another-one")


def the_branch_rewritten(ana):
    """Force-pushed, approved, merged: fine, if the password is changed as well."""
    ana.work.checkout("oven").reset("origin/main")
    put(ana.work, PROD, "bread: wheat\n", f"bread: wheat\noven: {OVEN}\n")
    ana.work.add().commit("An oven")
    ana.work.push(force=True)
    ana.pull.approve(by="ben").merge(method="squash")
    hand_over(ana.lab, "another-one")


@pytest.mark.parametrize("does", [begun_anew, the_branch_rewritten], ids=lambda x: x.__name__)
def test_without_the_secret_there_are_several_ways(leaked, does):
    does(leaked)
    assert leaked.says("secret").startswith("✓")


def test_a_namespace_that_is_lost_comes_back_without_what_was_not_in_git(ana):
    bake(ana.lab)
    orders = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "orders", "namespace": "bakery-test"},
    }
    ana.lab.cluster.create(orders)
    lose(ana.lab, "test")
    assert "test: rye bread, from 1 Pod" in repr(bake(ana.lab))
    assert ana.lab.cluster.find("v1", "ConfigMap", "orders", "bakery-test") is None
