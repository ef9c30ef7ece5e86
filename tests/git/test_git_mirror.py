"""The controller's mirror: every revision to one commit, at the price of one request when nothing changed."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from labkit.errors import (
    GitError,
    PathNotFound,
    RepositoryNotFound,
    RepositoryUnreachable,
    RevisionNotFound,
)
from labkit.git import Credential, Limits, Mirror, Person
from labkit.git import mirror as mirror_module


@pytest.fixture
def commands(monkeypatch):
    """The git commands that mirrors run, as they are run."""
    seen = []
    real = mirror_module.run

    def run(*args, **options):
        seen.append(next(arg for arg in args if not arg.startswith("-")))
        return real(*args, **options)

    monkeypatch.setattr(mirror_module, "run", run)
    return seen


def test_every_kind_of_revision_becomes_its_commit(mirror, origin, copy, change):
    first = copy.head
    copy.tag("v1", "Annotated")
    copy.tag("light")
    second = change("values.yaml", "replicas: 2\n")
    copy.push(tags=True)
    copy.checkout("feature", create=True)
    third = change("values.yaml", "replicas: 3\n")
    url = str(origin)
    expected = {
        "": second, "HEAD": second, "main": second, "refs/heads/main": second, "v1": first, "light": first,
        "refs/tags/v1": first, "feature": third, third.sha: third, first.short: first, third.sha[:12].upper(): third,
    }  # fmt: skip
    assert {name: mirror.resolve(url, name) for name in expected} == expected


def test_a_range_of_versions_is_the_highest_tag_in_it(mirror, origin, copy, change):
    copy.tag("v1.2.0")
    ninth = change("values.yaml", "replicas: 9\n")
    copy.tag("v1.9.0")
    tenth = change("values.yaml", "replicas: 10\n")
    copy.tag("v1.10.0", "Annotated")
    change("values.yaml", "replicas: 20\n")
    copy.tag("v2.0.0-rc.1")
    copy.tag("not-a-version")
    copy.push(tags=True)
    expected = {"1.x": tenth, "^1.2": tenth, ">=1.0 <1.10": ninth, "v1.9.0": ninth, "~1.9": ninth}
    assert {name: mirror.resolve(str(origin), name) for name in expected} == expected
    with pytest.raises(RevisionNotFound) as none:
        mirror.resolve(str(origin), "^2")
    assert none.value.problem == "No tag is a version in the range '^2'."
    assert "v1.10.0" in none.value.fix


def test_a_branch_may_look_like_a_range_where_no_tag_is_in_it(mirror, origin, copy, change):
    copy.checkout("2.x", create=True)
    there = change("values.yaml", "replicas: 2\n")
    assert mirror.resolve(str(origin), "2.x") == there


def test_a_commit_tells_who_when_and_what(mirror, origin):
    commit = mirror.resolve(str(origin), "main")
    assert commit.author == Person("Ada", "ada@example.org")
    assert (commit.subject, commit.message) == ("Begin", "Begin\n\nWith one replica.")
    assert commit.date.tzinfo is not None
    assert mirror.commit_info(str(origin), commit.sha) == commit


def test_an_unchanged_branch_costs_one_request_and_a_commit_none(mirror, origin, commands):
    commit = mirror.resolve(str(origin), "main")
    assert commands == ["ls-remote", "init", "fetch"]
    commands.clear()
    mirror.resolve(str(origin), "main")
    assert commands == ["ls-remote"]
    commands.clear()
    mirror.resolve(str(origin), commit.sha)
    mirror.resolve(str(origin), "main", max_age=60)
    assert commands == []


def test_who_asks_at_the_same_time_shares_one_request(mirror, origin, commands):
    mirror.resolve(str(origin), "main")
    commands.clear()
    start = threading.Barrier(8)

    def ask(_):
        start.wait()
        return mirror.resolve(str(origin), "main").sha

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert commands.count("ls-remote") <= 3


def test_a_push_after_asking_is_never_missed(mirror, origin, change):
    for n in range(3):
        made = change("values.yaml", f"replicas: {n}\n")
        assert mirror.resolve(str(origin), "main") == made


def test_many_threads_on_a_new_mirror_get_the_same(tmp_path, origin):
    mirror = Mirror(tmp_path / "cache", allow_files=True)

    def ask(_):
        commit = mirror.resolve(str(origin), "main")
        return commit.sha, mirror.export(str(origin), commit.sha)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1


def test_a_forced_push_and_a_deleted_branch_are_followed(mirror, origin, copy, change, git):
    copy.checkout("feature", create=True)
    change("a", "1")
    old = mirror.resolve(str(origin), "feature")
    git("commit", "-q", "--amend", "-m", "Rewritten", cwd=copy.path)
    copy.push(force=True)
    new = mirror.resolve(str(origin), "feature")
    assert (new.subject, new.sha != old.sha) == ("Rewritten", True)
    assert mirror.export(str(origin), old.sha).is_dir()  # what was deployed can still be compared
    git("push", "-q", "origin", ":feature", cwd=copy.path)
    with pytest.raises(RevisionNotFound):
        mirror.resolve(str(origin), "feature")


def test_a_missing_revision_names_its_neighbours(mirror, origin, copy):
    copy.checkout("release", create=True).push()
    for revision in ("relaese", "0" * 40, "deadbee"):
        with pytest.raises(RevisionNotFound) as failure:
            mirror.resolve(str(origin), revision)
        assert "release" in failure.value.fix
    assert mirror.resolve(str(origin), "main")  # and the mirror is as good as before


def test_an_empty_repository_says_that_it_is_empty(mirror, tmp_path, git):
    git("init", "-q", "--bare", "-b", "main", "empty.git", cwd=tmp_path)
    with pytest.raises(RevisionNotFound, match="empty"):
        mirror.resolve(str(tmp_path / "empty.git"))


def test_a_shortened_id_that_two_commits_share_is_refused(mirror, origin, monkeypatch):
    mirror.resolve(str(origin), "main")
    reader = mirror.reader(str(origin))
    twice = [reader.resolve(reader.refs()[0].name)] * 2
    monkeypatch.setattr(type(reader), "disambiguate", lambda self, name: twice)
    with pytest.raises(RevisionNotFound, match="2 commits"):
        mirror.resolve(str(origin), twice[0][:7])


@pytest.mark.parametrize("damage", ["emptied", "locked", "gone", "half"])
def test_a_damaged_mirror_is_made_anew(mirror, origin, change, damage):
    first = mirror.resolve(str(origin), "main")
    git_dir = mirror.reader(str(origin)).git_dir
    if damage == "emptied":
        shutil.rmtree(git_dir / "objects")
        (git_dir / "objects").mkdir()
    elif damage == "locked":
        (git_dir / "shallow.lock").write_text("")
    elif damage == "gone":
        shutil.rmtree(git_dir)
    else:
        (git_dir / "config").write_text("[core\n")
    second = change("values.yaml", "replicas: 2\n")
    assert mirror.resolve(str(origin), "main") == second
    assert (mirror.export(str(origin), second.sha) / "values.yaml").read_text() == "replicas: 2\n"
    assert mirror.export(str(origin), first.sha).is_dir()


def test_a_mirror_does_not_grow_for_ever(mirror, origin, change, monkeypatch):
    monkeypatch.setattr(mirror_module, "_KEPT_COMMITS", 3)
    for n in range(8):
        mirror.resolve(str(origin), change("values.yaml", f"{n}\n").sha)
    assert len(mirror.reader(str(origin)).refs()) <= 4


def test_an_export_has_the_files_and_no_git_folder(mirror, origin):
    sha = mirror.resolve(str(origin)).sha
    root = mirror.export(str(origin), sha)
    assert sorted(path.name for path in root.iterdir()) == ["charts", "values.yaml"]
    assert mirror.export(str(origin), sha, "charts/web") == root / "charts" / "web"
    assert mirror.export(str(origin), sha, "./charts//web/") == root / "charts" / "web"


def test_equal_content_is_one_folder(mirror, origin, change):
    first = mirror.resolve(str(origin)).sha
    change("values.yaml", "replicas: 2\n")
    back = change("values.yaml", "replicas: 1\n")
    assert mirror.export(str(origin), first) == mirror.export(str(origin), back.sha)


def test_a_missing_path_says_what_is_there(mirror, origin):
    sha = mirror.resolve(str(origin)).sha
    for path, there in (("chart", "charts/"), ("charts/wbe", "web/"), ("values.yaml/x", "values.yaml")):
        with pytest.raises(PathNotFound) as failure:
            mirror.export(str(origin), sha, path)
        assert there in failure.value.fix


@pytest.mark.parametrize("path", ["..", "../x", "/etc", "charts/../..", "a\0"])
def test_no_path_leads_out_of_an_export(mirror, origin, path):
    sha = mirror.resolve(str(origin)).sha
    with pytest.raises(PathNotFound, match="leads out"):
        mirror.export(str(origin), sha, path)


def test_what_is_not_there_or_does_not_answer_is_told_apart(mirror, tmp_path):
    with pytest.raises(RepositoryNotFound):
        mirror.resolve(str(tmp_path / "none.git"))
    with pytest.raises(RepositoryUnreachable):
        mirror.resolve("http://127.0.0.1:1/x.git")


def test_a_path_is_no_repository_unless_told(tmp_path, origin):
    with pytest.raises(GitError, match="not read by path"):
        Mirror(tmp_path / "cache").resolve(str(origin))


def test_a_repository_too_large_is_refused(tmp_path, origin, change):
    change("big", "x" * 2_000_000)
    mirror = Mirror(tmp_path / "cache", allow_files=True, limits=Limits(tree_megabytes=1))
    with pytest.raises(GitError, match="more than the lab reads"):
        mirror.export(str(origin), mirror.resolve(str(origin)).sha)
    few = Mirror(tmp_path / "cache2", allow_files=True, limits=Limits(files=2))
    with pytest.raises(GitError, match="3 files"):
        few.export(str(origin), few.resolve(str(origin)).sha)


def test_a_password_in_the_url_is_in_no_error(mirror):
    credential = Credential("lab", "t0p-secret")
    for call in (
        lambda: mirror.resolve("http://lab:t0p-secret@127.0.0.1:1/x.git"),
        lambda: mirror.resolve("http://127.0.0.1:1/x.git", credential=credential),
        lambda: mirror.resolve("http://lab:t0p-secret@127.0.0.1:x/x.git"),
        lambda: mirror.resolve("ftp://lab:t0p-secret@127.0.0.1/x.git"),
    ):
        with pytest.raises(GitError) as failure:
            call()
        assert "t0p-secret" not in f"{failure.value} {failure.value!r} {failure.value.where}"


def test_exports_that_nobody_used_are_pruned(tmp_path, origin, change):
    limits = Limits(kept_exports=1, kept_seconds=-1)
    mirror = Mirror(tmp_path / "cache", allow_files=True, limits=limits)
    kept = []
    for n in range(3):
        sha = change("values.yaml", f"replicas: {n}\n").sha
        mirror.resolve(str(origin), sha)
        kept.append(mirror.export(str(origin), sha))
    (tmp_path / "cache" / "exports" / ".new-left-behind").mkdir()
    gone = mirror.prune()
    assert len(gone) == 3
    assert [path.exists() for path in kept].count(True) == 1


def test_an_export_used_lately_is_not_pruned(tmp_path, origin):
    mirror = Mirror(tmp_path / "cache", allow_files=True, limits=Limits(kept_exports=0))
    folder = mirror.export(str(origin), mirror.resolve(str(origin)).sha)
    assert mirror.prune() == []
    assert folder.is_dir()
