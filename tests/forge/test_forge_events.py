"""Every push is told once, in GitHub's words, and nothing that a listener does comes back to the pusher."""

from __future__ import annotations

import queue
import threading

import pytest

from labkit.forge import Forge, app
from labkit.forge.events import NOTHING
from labkit.git import Credential


def commit(copy, path, text, message):
    file = copy.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return copy.add().commit(message)


@pytest.fixture
def copy(server, tmp_path):
    server.forge.create("web", content={"charts/web/values.yaml": "replicas: 1\n", "old.txt": "old"})
    return server.clone("web", tmp_path / "copy")


def test_a_push_is_told_with_its_commits_and_their_files(server, copy):
    before = copy.head.sha
    (copy.path / "old.txt").unlink()
    first = commit(copy, "new.txt", "new", "Add new, drop old")
    second = commit(copy, "charts/web/values.yaml", "replicas: 2\n", "Two replicas\n\nBecause one is none.")
    copy.push()
    payload = server.next_event().payload()
    assert (payload["ref"], payload["before"], payload["after"]) == ("refs/heads/main", before, second.sha)
    assert [c["id"] for c in payload["commits"]] == [first.sha, second.sha]
    assert payload["head_commit"]["message"] == "Two replicas\n\nBecause one is none."
    one, two = payload["commits"]
    assert (one["added"], one["removed"], one["modified"]) == (["new.txt"], ["old.txt"], [])
    assert two["modified"] == ["charts/web/values.yaml"]
    assert payload["repository"]["name"] == "web"
    assert payload["repository"]["clone_url"] == f"{server.url}/web.git"
    assert payload["repository"]["html_url"] == f"{server.url}/web"
    assert payload["repository"]["default_branch"] == "main"
    assert payload["pusher"]["name"] == "lab"
    assert (payload["created"], payload["deleted"], payload["forced"]) == (False, False, False)


def test_a_new_branch_is_told_with_the_commits_that_no_branch_had(server, copy):
    copy.checkout("feature", create=True)
    made = commit(copy, "a", "1", "On a branch")
    copy.push()
    event = server.next_event()
    assert (event.before, [c["id"] for c in event.commits]) == (NOTHING, [made.sha])


def test_a_deleted_branch_and_a_tag_are_told(server, copy):
    copy.checkout("feature", create=True).push()
    server.next_event()
    copy._remote("push", specs=[":refs/heads/feature"])
    gone = server.next_event().payload()
    assert (gone["ref"], gone["deleted"], gone["head_commit"]) == ("refs/heads/feature", True, None)
    copy.checkout("main").tag("v1", "Version 1")
    copy.push(tags=True)
    told = server.next_event()
    assert (told.ref, told.after) == ("refs/tags/v1", copy.head.sha)


def test_a_merge_is_told_with_what_it_brought_to_the_branch(server, copy):
    copy.checkout("feature", create=True)
    commit(copy, "a", "1", "On a branch")
    copy.checkout("main")
    commit(copy, "b", "1", "On main")
    copy.merge("feature")
    copy.push()
    changes = {c["message"]: c["added"] for c in server.next_event().commits}
    assert changes == {"On a branch": ["a"], "On main": ["b"], "Merge feature into main": ["a"]}


def test_a_push_that_changes_nothing_is_not_told(server, copy):
    copy.push()
    commit(copy, "a", "1", "Something")
    copy.push()
    assert server.next_event().commits[-1]["message"] == "Something"
    assert server.events.empty()


def test_creating_a_repository_with_content_is_not_a_push(server):
    server.forge.create("new", content={"a": "1"})
    assert server.app.notice() == []


def test_a_listener_that_fails_or_hangs_does_not_touch_the_push(tmp_path, copy, server, caplog):
    hold, called = threading.Event(), threading.Event()

    def listener(event):
        called.set()
        hold.wait(10)
        raise RuntimeError("the listener is broken")

    server.app._announcer._on_push = listener
    commit(copy, "a", "1", "Something")
    copy.push()  # comes back although the listener still holds
    assert called.wait(10)
    hold.set()
    assert server.forge.get("web").reader.files() == ["a", "charts/", "old.txt"]


def test_a_push_by_path_is_told_when_somebody_looks(server, copy, sh):
    made = commit(copy, "a", "1", "By path")
    sh("push", str(server.forge.get("web").path), "main", cwd=copy.path)
    assert [event.after for event in server.app.notice()] == [made.sha]
    assert server.app.notice() == []


def test_a_push_that_nobody_was_told_of_is_told_at_the_next_start(copy, server, sh, tmp_path):
    made = commit(copy, "a", "1", "Just before the end")
    sh("push", str(server.forge.get("web").path), "main", cwd=copy.path)
    told: queue.Queue = queue.Queue()
    again = app(Forge(server.forge.root), credentials=Credential("lab", "x"), on_push=told.put)
    again.notice()
    assert told.get_nowait().after == made.sha


def test_a_repository_that_cannot_be_read_does_not_silence_the_others(server, copy, sh):
    broken = server.forge.create("broken", content={"a": "1"})
    (broken.path / "config").write_text("[core\n")
    made = commit(copy, "a", "1", "Fine")
    sh("push", str(server.forge.get("web").path), "main", cwd=copy.path)
    assert [event.after for event in server.app.notice()] == [made.sha]
