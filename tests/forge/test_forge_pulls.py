"""Pull requests, over real Git: opened, talked about, approved, merged; protected branches refuse pushes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from labkit.errors import GitError, MergeConflict, PullRequestError, PullRequestNotFound, RevisionNotFound
from labkit.forge import Check, Forge, Pulls
from labkit.git import WorkingCopy
from labkit.runtime.clock import ManualClock

VALUES = "replicas: 1\ncolour: blue\n"


@pytest.fixture
def pulls(server):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    return Pulls(server.forge, clock, on_merge=server.app.merged)


@pytest.fixture
def work(server, tmp_path):
    """A working copy of a repository with one commit on main, on a branch ``two`` with another."""
    server.forge.create("shop", content={"values.yaml": VALUES})
    copy = server.clone("shop", tmp_path / "work")
    on_branch(copy, "two", "values.yaml", VALUES.replace("1", "2"), "Two replicas")
    return copy


def on_branch(copy: WorkingCopy, branch: str, file: str, text: str, message: str):
    known = branch in {each.name for each in copy.branches}
    copy.checkout(branch, create=not known)
    (copy.path / file).write_text(text, encoding="utf-8")
    copy.add().commit(message)
    copy.push()


def main(server):
    return server.forge.get("shop").reader.log("main")


def test_a_request_is_opened_merged_and_told_like_a_push(server, pulls, work):
    pull = pulls.open("shop", head="two", by="ana")
    assert (pull.number, pull.title, pull.base, pull.state) == (1, "Two replicas", "main", "open")
    assert "+replicas: 2" in pulls.diff("shop", pull).text
    assert [check.passed for check in pulls.checks("shop", pull)] == [True, True]
    server.next_event()  # the branch
    merged = pulls.merge("shop", 1, by="ben")
    assert (merged.state, merged.merged.by) == ("merged", "ben")
    newest = main(server)[0]
    assert newest.message.startswith("Merge pull request #1 from two")
    assert newest.author.name == "ben"
    assert len(newest.parents) == 2
    assert server.next_event().after == newest.sha
    assert pulls.all("shop") == []
    assert [each.number for each in pulls.all("shop", "merged")] == [1]


def test_a_squash_is_one_commit_with_all_changes(server, pulls, work):
    on_branch(work, "two", "README.md", "Shop\n", "A readme")
    pulls.open("shop", head="two", title="Two and a readme", by="ana")
    pulls.merge("shop", 1, by="ana", method="squash", delete_branch=True)
    newest = main(server)[0]
    assert newest.message == "Two and a readme (#1)\n\n* Two replicas\n* A readme"
    assert len(newest.parents) == 1
    assert [branch.name for branch in server.forge.get("shop").reader.branches()] == ["main"]
    assert server.forge.get("shop").reader.read("README.md", "main") == b"Shop\n"


def test_plain_git_fetches_a_requests_commits_also_when_its_branch_is_gone(server, pulls, work, sh):
    pulls.open("shop", head="two", by="ana")
    pulls.merge("shop", 1, by="ana", delete_branch=True)
    sh("fetch", "origin", "pull/1/head", cwd=work.path)
    assert sh("show", "FETCH_HEAD:values.yaml", cwd=work.path).stdout == VALUES.replace("1", "2")


def test_nobody_pushes_over_a_requests_commits(server, pulls, work, sh):
    pulls.open("shop", head="two", by="ana")
    done = sh("push", "origin", "HEAD:refs/pull/1/head", "-f", cwd=work.path, check=False)
    assert done.returncode != 0
    assert "hidden ref" in done.stderr


def test_a_merge_made_by_hand_is_seen(server, pulls, work):
    pulls.open("shop", head="two", by="ana")
    work.checkout("main")
    work.merge("two")
    work.push()
    assert pulls.get("shop", 1).state == "merged"


def test_a_conflict_is_said_with_its_files_and_goes_when_the_branch_is_mended(server, pulls, work):
    pulls.open("shop", head="two", by="ana")
    on_branch(work, "main", "values.yaml", VALUES.replace("1", "9"), "Nine")
    pull = pulls.get("shop", 1)
    check = pulls.checks("shop", pull)[0]
    assert (check.passed, check.says) == (False, "both sides changed the same lines: values.yaml")
    with pytest.raises(PullRequestError, match="same lines"):
        pulls.merge("shop", 1, by="ana")
    work.checkout("two")
    with pytest.raises(MergeConflict):
        work.merge("main")
    (work.path / "values.yaml").write_text(VALUES.replace("1", "2"), encoding="utf-8")
    work.add().commit("Two it is")
    work.push()
    assert pulls.merge("shop", 1, by="ana").state == "merged"


def test_a_protected_branch_refuses_pushes_with_the_way_to_do_it(server, pulls, work, sh):
    pulls.protect("shop")
    work.checkout("main")
    (work.path / "values.yaml").write_text("replicas: 5\n", encoding="utf-8")
    work.add().commit("Five")
    done = sh("push", "origin", "main", cwd=work.path, check=False)
    assert done.returncode != 0
    assert "remote: main is protected: it takes changes through pull requests only" in done.stderr
    with pytest.raises(GitError, match="main is protected") as caught:
        work.push()
    assert "labkit pr create" in caught.value.fix
    sh("push", "origin", "main:refs/heads/five", cwd=work.path)
    deleted = sh("push", "origin", ":main", cwd=work.path, check=False)
    assert deleted.returncode != 0
    pulls.unprotect("shop")
    sh("push", "origin", "main", cwd=work.path)


def test_a_protected_branch_wants_approvals_of_the_newest_commit_by_somebody_else(server, pulls, work):
    pulls.protect("shop", approvals=1)
    pulls.open("shop", head="two", by="ana")
    with pytest.raises(PullRequestError, match="1 approval of the newest commit missing"):
        pulls.merge("shop", 1, by="ana")
    with pytest.raises(PullRequestError, match="ana opened #1 and cannot approve it"):
        pulls.review("shop", 1, "approved", by="ana")
    pulls.review("shop", 1, "approved", by="ben")
    on_branch(work, "two", "values.yaml", "replicas: 3\n", "Three")
    assert pulls.obstacles("shop", pulls.get("shop", 1)) == ["1 approval of the newest commit missing"]
    pulls.review("shop", 1, "changes-requested", by="eva", body="Why three?")
    pulls.review("shop", 1, "approved", by="ben")
    assert pulls.obstacles("shop", pulls.get("shop", 1)) == ["eva asked for changes"]
    pulls.review("shop", 1, "approved", by="eva")
    assert pulls.merge("shop", 1, by="ana").state == "merged"


def test_a_check_that_fails_holds_back_a_merge_into_a_protected_branch_only(server, work):
    failing = Pulls(
        server.forge,
        ManualClock(datetime(2026, 1, 1, tzinfo=UTC)),
        more_checks=lambda *_: [Check("render web", False, "values.yaml:1: no")],
    )
    failing.open("shop", head="two", by="ana")
    failing.protect("shop", approvals=0)
    with pytest.raises(PullRequestError, match="the check 'render web' fails"):
        failing.merge("shop", 1, by="ana")
    failing.unprotect("shop")
    assert failing.merge("shop", 1, by="ana").state == "merged"


def test_a_secret_that_slipped_in_is_named_by_its_place_and_not_shown(pulls, work):
    on_branch(work, "two", "db.yaml", "kind: Secret\nstringData:\n  password: hunter2!\n", "A database")
    pull = pulls.open("shop", head="two", by="ana")
    check = pulls.checks("shop", pull)[1]
    assert not check.passed
    assert [detail.split(": ")[0] for detail in check.details] == ["db.yaml:1", "db.yaml:3"]
    assert "hunter2" not in str(check)


def test_what_was_acknowledged_is_there_after_the_host_was_killed(server, pulls, work):
    pulls.open("shop", head="two", by="ana", body="Please")
    pulls.comment("shop", 1, "Why?", by="ben", path="values.yaml", line=1)
    again = Pulls(Forge(server.forge.root), ManualClock(datetime(2026, 1, 2, tzinfo=UTC)))
    pull = again.get("shop", 1)
    assert (pull.body, pull.comments[0].body, pull.comments[0].line) == ("Please", "Why?", 1)


def test_a_squash_that_was_interrupted_before_it_was_noted_is_not_made_twice(server, pulls, work):
    pulls.open("shop", head="two", by="ana")
    pulls.merge("shop", 1, by="ana", method="squash")
    file = server.forge.get("shop").path / "lab-pulls" / "1.json"
    facts = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(facts | {"state": "open"}), encoding="utf-8")
    assert pulls.get("shop", 1).state == "merged"
    with pytest.raises(PullRequestError, match="#1 is merged"):
        pulls.merge("shop", 1, by="ana")


def test_a_merge_that_was_meant_and_not_made_can_be_made(server, pulls, work):
    pulls.open("shop", head="two", by="ana")
    pulls.merge("shop", 1, by="ana", method="squash")
    repo = server.forge.get("shop")
    file = repo.path / "lab-pulls" / "1.json"
    facts = json.loads(file.read_text(encoding="utf-8"))
    repo.reader.git("update-ref", "refs/heads/main", facts["merged"]["base_sha"])
    file.write_text(json.dumps(facts | {"state": "open"}), encoding="utf-8")
    assert pulls.get("shop", 1).state == "open"
    assert pulls.merge("shop", 1, by="ana").merged.sha == main(server)[0].sha


def test_a_request_that_makes_no_sense_is_refused(pulls, work):
    with pytest.raises(RevisionNotFound, match="no branch 'twoo'"):
        pulls.open("shop", head="twoo", by="ana")
    with pytest.raises(PullRequestError, match="nothing that main does not have"):
        pulls.open("shop", head="main", by="ana")
    with pytest.raises(PullRequestError, match="is no name"):
        pulls.open("shop", head="two", by="a\nb <x>")
    pulls.open("shop", head="two", by="ana")
    with pytest.raises(PullRequestError, match="asks for that already"):
        pulls.open("shop", head="two", by="ana")
    with pytest.raises(PullRequestNotFound, match="no pull request #7"):
        pulls.get("shop", 7)
    with pytest.raises(PullRequestError, match="is no way to merge"):
        pulls.merge("shop", 1, by="ana", method="rebase")
    pulls.close("shop", 1)
    with pytest.raises(PullRequestError, match="#1 is closed"):
        pulls.merge("shop", 1, by="ana")
    with pytest.raises(PullRequestError, match="more than"):
        pulls.comment("shop", 1, "x" * 20_001, by="ana")
