"""Lesson 12's checks, from both sides."""

from __future__ import annotations

import subprocess

import pytest

from labkit.lessons.course.history import BAD, FILE, a_week, edit, follow

GIT = ["git", "-c", "user.name=Ana", "-c", "user.email=ana@lab.local"]


@pytest.fixture
def ana(begin):
    ana = begin("12", "market")
    ana.app, ana.work = follow(ana.lab).wait(), ana.lab.repos["market"].clone()
    return ana


@pytest.fixture
def after_the_week(ana):
    a_week(ana.lab)
    return ana


def bad(ana):
    return next(commit for commit in ana.work.log(limit=50) if commit.subject == BAD)


def test_before_the_week_there_is_nothing_to_find_and_nothing_to_undo(ana):
    assert "found.yaml is not filled in yet" in ana.says("found")
    ana.write("found.yaml", 'commit: "1234567"\nentry: 1\ngood: 0')
    assert "the week has not gone by yet" in ana.says("found")
    assert "the week has not gone by yet" in ana.says("undone")


def test_a_wrong_answer_is_told_what_it_names(after_the_week):
    ana = after_the_week
    digits, last = bad(ana).short, ana.work.log(limit=1)[0].short
    wrong = {
        'commit: ""\nentry: 2\ngood: 1': "not filled in yet",
        f'commit: "{last}"\nentry: 2\ngood: 1': f"{last} is: A longer sign",
        'commit: "7654321"\nentry: 2\ngood: 1': "no commit of this repository",
        f'commit: "{digits}"\nentry: 4\ngood: 1': f"entry 4 deployed {last}, not {digits}",
        f'commit: "{digits}"\nentry: 2\ngood: 2': "with entry 2 the apples cost 0",
        f'commit: "{digits}"\nentry: 2\ngood: 9': "the apples cost nothing: there is none",
        f'commit: "{digits}"\nentry: 2': "has not all of commit, entry and good",
    }
    for text, help_ in wrong.items():
        ana.write("found.yaml", text)
        said = ana.says("found")
        assert said.startswith("✗")
        assert help_ in said
    for right in (digits, bad(ana).sha):
        ana.write("found.yaml", f'commit: "{right}"\nentry: 2\ngood: 1')
        assert ana.says("found").startswith("✓")


def nothing(ana):
    pass


def by_hand_in_the_cluster(ana):
    container = [{"name": "hello", "env": [{"name": "PRICE", "value": "3"}]}]
    patch = {"spec": {"template": {"spec": {"containers": container}}}}
    ana.lab.cluster.patch("apps/v1", "Deployment", "stall", "market", patch=patch, patch_type="strategic")


def rollback(ana):
    ana.app.set(automated=False)
    ana.app.rollback(1)


def revert_of_the_last(ana):
    ana.work.revert("HEAD")
    ana.work.push()


def reset_and_force_push(ana):
    subprocess.run([*GIT, "reset", "-q", "--hard", f"{bad(ana).sha}~1"], cwd=ana.work.path, check=True)
    ana.work.push(force=True)


def not_pushed(ana):
    ana.work.revert(bad(ana).sha)


def everything_put_back(ana):
    text = ana.work.read(FILE, f"{bad(ana).sha}~1")
    ana.write(FILE, text)
    ana.work.add(FILE).commit("Back to the good one")
    ana.work.push()


def reverted_and_pinned(ana):
    pushed(ana, ana.work.revert(bad(ana).sha))
    ana.app.set(revision=ana.app.history[1].revision)


def reverted_and_automation_off(ana):
    ana.app.set(automated=False)
    pushed(ana, ana.work.revert(bad(ana).sha))


def pushed(ana, _commit):
    ana.work.push()
    ana.app.refresh()


WRONG = {
    nothing: "Git's main says: price 0",
    by_hand_in_the_cluster: "Git's main says: price 0",
    rollback: "Git's main says: price 0",
    revert_of_the_last: "Git's main says: price 0",
    reset_and_force_push: "has no longer the commits 'Tidy up', 'Two of them', 'A longer sign'",
    not_pushed: "your working copy is right; the Git host's main still says: price 0",
    everything_put_back: "Git's main says 1 replica(s) and the sign 'Apples'",
    reverted_and_pinned: "Git is right; the Application follows",
    reverted_and_automation_off: "automated sync is off, and the Application is OutOfSync",
}


@pytest.mark.parametrize(("does", "help_"), WRONG.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_what_was_undone_otherwise_is_told_what_it_left(after_the_week, does, help_):
    does(after_the_week)
    said = after_the_week.says("undone")
    assert said.startswith("✗")
    assert help_ in said


def a_revert(ana):
    pushed(ana, ana.work.revert(bad(ana).sha))


def a_new_commit(ana):
    edit(ana.lab, ('value: "0"', 'value: "3"'))
    pushed(ana, ana.work.add(FILE).commit("Apples cost 3 again"))


def by_a_pull_request(ana):
    ana.work.checkout("mend", create=True).revert(bad(ana).sha)
    ana.work.push()
    ana.lab.repos["market"].pulls.open("mend").merge()
    ana.app.refresh()


@pytest.mark.parametrize("does", [a_revert, a_new_commit, by_a_pull_request], ids=lambda x: x.__name__)
def test_one_change_may_be_undone_in_several_ways(after_the_week, does):
    does(after_the_week)
    after_the_week.app.wait()
    assert after_the_week.says("undone").startswith("✓")
