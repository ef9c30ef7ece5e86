"""A working copy does what git does, on an ordinary folder."""

from __future__ import annotations

import pytest

from labkit.errors import GitError, MergeConflict, PathNotFound, RepositoryNotFound, RevisionNotFound
from labkit.git import Change, Person, WorkingCopy


def write(copy, path, text):
    file = copy.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_clone_has_the_files_and_the_history(copy, origin):
    assert (copy.path / "values.yaml").read_text() == "replicas: 1\n"
    assert (copy.current_branch, copy.url) == ("main", str(origin))
    assert copy.head.subject == "Begin"
    assert copy.head.author == Person("Ada", "ada@example.org")
    assert repr(copy) == "copy: on main\n  nothing to commit"


def test_the_whole_round_edit_commit_push_pull(copy, origin, tmp_path):
    other = WorkingCopy.clone(str(origin), tmp_path / "other")
    write(copy, "values.yaml", "replicas: 2\n")
    commit = copy.add().commit("Two replicas")
    push = copy.push()
    assert (push.branch, push.after) == ("main", commit.sha)
    assert other.pull() == commit
    assert (other.path / "values.yaml").read_text() == "replicas: 2\n"
    assert [c.subject for c in other.log()] == ["Two replicas", "Begin"]
    assert [c.subject for c in other.log(path="charts")] == ["Begin"]


def test_the_status_names_every_kind_of_change(copy):
    write(copy, "values.yaml", "replicas: 2\n")
    write(copy, "new file.txt", "new\n")
    (copy.path / "charts/web/Chart.yaml").unlink()
    copy.add("values.yaml")
    status = copy.status()
    assert set(status.changes) == {
        Change("values.yaml", "modified", staged=True),
        Change("charts/web/Chart.yaml", "deleted"),
        Change("new file.txt", "untracked"),
    }
    assert not status.clean


def test_a_rename_and_odd_names_are_told(copy):
    (copy.path / "values.yaml").rename(copy.path / "värden ä\n→.yaml")
    copy.add()
    assert copy.status().changes == (
        Change("värden ä\n→.yaml", "renamed", staged=True, old_path="values.yaml"),
    )
    copy.commit("Rename")
    assert "värden ä\n→.yaml" in [change.path for change in copy.diff("HEAD~1", "HEAD").files]


def test_the_status_counts_the_distance_to_the_remote(copy, tmp_path, origin):
    other = WorkingCopy.clone(str(origin), tmp_path / "other")
    write(other, "a", "1")
    other.add().commit("a")
    other.push()
    write(copy, "b", "1")
    copy.add().commit("b")
    copy.fetch()
    status = copy.status()
    assert (status.upstream, status.ahead, status.behind) == ("origin/main", 1, 1)
    assert "1 commit ahead of origin/main" in repr(status)


def test_a_diff_shows_what_changed_new_files_too_and_stages_nothing(copy):
    write(copy, "values.yaml", "replicas: 2\n")
    write(copy, "new.txt", "new\n")
    diff = copy.diff()
    assert "-replicas: 1\n+replicas: 2" in diff.text
    assert {repr(change) for change in diff.files} == {"modified: values.yaml", "added: new.txt"}
    assert copy.diff(path="new.txt").files == (Change("new.txt", "added"),)
    assert all(not change.staged for change in copy.status().changes)
    assert repr(copy.restore("values.yaml").diff(path="values.yaml")) == "no differences"


def test_an_empty_repository_is_worked_on_from_its_first_commit(tmp_path):
    copy = WorkingCopy.init(tmp_path / "new")
    assert (copy.head, list(copy.log()), copy.branches, copy.current_branch) == (None, [], [], "main")
    write(copy, "a.txt", "1\n")
    assert copy.diff().files == (Change("a.txt", "added"),)
    assert copy.add().commit("First").parents == ()


def test_a_commit_needs_a_message_and_something_staged(copy):
    with pytest.raises(GitError, match="message"):
        copy.commit("  \n")
    with pytest.raises(GitError, match="Change a file"):
        copy.commit("Nothing")
    write(copy, "a", "1")
    with pytest.raises(GitError, match=r"Call add\(\) first"):
        copy.commit("Not staged")


def test_a_message_may_hold_anything(copy):
    write(copy, "a", "1")
    commit = copy.add().commit("--amend 'quoted' \"$(id)\" ü\n\n- body\x1f with\x1e separators")
    assert commit.message == "--amend 'quoted' \"$(id)\" ü\n\n- body\x1f with\x1e separators"
    assert copy.log(limit=1)[0] == commit


def test_a_person_without_an_identity_commits_as_trainee_and_it_is_written_nowhere(copy, home):
    write(copy, "a", "1")
    assert copy.add().commit("a").author == Person("Trainee", "trainee@lab.local")
    assert not (home / ".gitconfig").exists()
    assert "trainee" not in (copy.path / ".git" / "config").read_text().lower()


def test_a_persons_own_identity_is_respected(copy, home, git, monkeypatch):
    (home / ".gitconfig").write_text(
        "[user]\nname = Grace\nemail = grace@example.org\n[commit]\ngpgSign = true\n"
    )
    write(copy, "a", "1")
    assert copy.add().commit("a").author == Person("Grace", "grace@example.org")
    git("config", "user.name", "Grace here", cwd=copy.path)
    write(copy, "a", "2")
    assert copy.add().commit("a").author == Person("Grace here", "grace@example.org")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace now")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-01-01T00:00:00+00:00")
    write(copy, "a", "3")
    commit = copy.add().commit("a")
    assert (commit.author.name, commit.date.year) == ("Grace now", 2026)


def test_branches_are_made_changed_and_merged(copy):
    copy.branch("feature")
    copy.checkout("feature")
    write(copy, "a", "1")
    made = copy.add().commit("On the branch")
    copy.checkout("main")
    assert not (copy.path / "a").exists()
    assert copy.merge("feature") == made  # nothing happened on main, so it goes forward
    assert [repr(branch) for branch in copy.branches] == [f"  feature {made.short}", f"* main {made.short}"]


def test_a_branch_of_the_remote_is_checked_out_by_its_name(copy, origin, tmp_path):
    copy.checkout("feature", create=True).push()
    other = WorkingCopy.clone(str(origin), tmp_path / "other").checkout("feature")
    assert (other.current_branch, other.status().upstream) == ("feature", "origin/feature")
    assert other.remote_branches().keys() == {"main", "feature"}


def test_a_clone_can_begin_on_another_branch(copy, origin, tmp_path):
    copy.checkout("feature", create=True).push()
    assert WorkingCopy.clone(str(origin), tmp_path / "other", branch="feature").current_branch == "feature"
    with pytest.raises(RevisionNotFound):
        WorkingCopy.clone(str(origin), tmp_path / "third", branch="none")
    assert not (tmp_path / "third").exists()


def test_a_conflict_names_the_files_and_can_be_put_right(copy):
    copy.checkout("feature", create=True)
    write(copy, "values.yaml", "replicas: 2\n")
    copy.add().commit("Two")
    copy.checkout("main")
    write(copy, "values.yaml", "replicas: 3\n")
    copy.add().commit("Three")
    with pytest.raises(MergeConflict, match=r"In conflict: values\.yaml"):
        copy.merge("feature")
    assert copy.status().conflicts == ("values.yaml",)
    with pytest.raises(MergeConflict, match="not finished"):
        copy.commit("Too early")
    write(copy, "values.yaml", "replicas: 5\n")
    assert len(copy.add().commit("Agree on five").parents) == 2


def test_a_conflict_can_be_given_up(copy):
    copy.checkout("feature", create=True)
    write(copy, "values.yaml", "replicas: 2\n")
    copy.add().commit("Two")
    copy.checkout("main")
    write(copy, "values.yaml", "replicas: 3\n")
    copy.add().commit("Three")
    with pytest.raises(MergeConflict):
        copy.merge("feature")
    assert copy.abort().status().clean
    write(copy, "values.yaml", "replicas: 4\n")
    four = copy.add().commit("Four")
    with pytest.raises(MergeConflict):
        copy.revert("HEAD~1")
    assert copy.abort().head == four


def test_a_revert_is_a_new_commit_that_undoes_an_old_one(copy):
    write(copy, "values.yaml", "replicas: 2\n")
    bad = copy.add().commit("Two")
    undone = copy.revert("HEAD")
    assert undone.parents == (bad.sha,)
    assert copy.read("values.yaml") == "replicas: 1\n"
    assert copy.read("values.yaml", bad.sha) == "replicas: 2\n"


def test_a_push_that_lacks_commits_is_refused_with_what_to_do(copy, origin, tmp_path):
    other = WorkingCopy.clone(str(origin), tmp_path / "other")
    for who in (copy, other):
        write(who, f"{who.path.name}.txt", "1")
        who.add().commit("Mine")
    copy.push()
    with pytest.raises(GitError, match=r"Call pull\(\)"):
        other.push()
    other.pull()
    other.push()
    assert (other.path / "copy.txt").exists()


def test_a_forced_push_does_not_overwrite_what_it_has_not_seen(copy, origin, tmp_path):
    other = WorkingCopy.clone(str(origin), tmp_path / "other")
    write(copy, "a", "1")
    copy.add().commit("a")
    copy.push()
    write(other, "b", "1")
    other.add().commit("b")
    with pytest.raises(GitError):
        other.push(force=True)
    other.fetch()
    other.push(force=True)


def test_a_tag_names_a_commit_and_is_pushed(copy, origin, tmp_path):
    sha = copy.tag("v1")
    copy.tag("v2", "Version two\n\nwith words", revision=sha)
    assert copy.tags == {"v1": sha, "v2": sha}
    copy.push(tags=True)
    assert WorkingCopy.clone(str(origin), tmp_path / "other").tags == {"v1": sha, "v2": sha}


def test_uncommitted_changes_are_not_overwritten_by_a_checkout(copy):
    copy.checkout("feature", create=True)
    write(copy, "values.yaml", "replicas: 2\n")
    copy.add().commit("Two")
    write(copy, "values.yaml", "replicas: 3\n")
    with pytest.raises(GitError, match="Commit them first"):
        copy.checkout("main")


def test_a_detached_head_cannot_be_pushed(copy):
    copy.checkout(copy.head.sha)
    assert copy.current_branch == ""
    with pytest.raises(GitError, match=r"checkout\(\) a branch first"):
        copy.push()


def test_a_folder_that_is_no_working_copy_says_so(tmp_path):
    with pytest.raises(RepositoryNotFound):
        WorkingCopy(tmp_path)
    with pytest.raises(RepositoryNotFound):
        WorkingCopy(tmp_path / "none")


def test_a_folder_inside_a_working_copy_is_not_taken_for_it(copy):
    with pytest.raises(RepositoryNotFound):
        WorkingCopy(copy.path / "charts")


def test_a_clone_does_not_go_over_what_is_there(copy, origin):
    with pytest.raises(GitError, match="already"):
        WorkingCopy.clone(str(origin), copy.path)


def test_a_clone_of_nothing_leaves_nothing(tmp_path):
    with pytest.raises(RepositoryNotFound):
        WorkingCopy.clone(str(tmp_path / "none.git"), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a\0b"])
def test_no_path_leads_out(copy, path):
    with pytest.raises(PathNotFound):
        copy.add(path)
    with pytest.raises(PathNotFound):
        copy.read(path)


def test_a_path_with_wildcards_is_taken_as_it_is(copy):
    write(copy, "a1", "1")
    write(copy, "a*", "1")
    copy.add("a*")
    assert [change.path for change in copy.status().changes if change.staged] == ["a*"]


@pytest.mark.parametrize("name", ["--help", "-d", "a b", "a..b", "x.lock", ""])
def test_no_name_is_taken_for_an_option(copy, name):
    with pytest.raises(GitError):
        copy.branch(name)
    with pytest.raises(GitError):
        copy.tag(name)


def test_plain_git_goes_on_where_the_lab_stopped(copy, git):
    write(copy, "a", "1")
    copy.add()
    git("commit", "-qm", "By hand", cwd=copy.path)
    git("push", "-q", cwd=copy.path)
    assert copy.status().clean
    assert copy.head.subject == "By hand"


def test_who_wrote_each_line_is_told(copy):
    ben = Person("Ben", "ben@example.org")
    write(copy, "values.yaml", "replicas: 1\ncolour: blue\n\tindented\n")
    made = copy.add().commit("A colour", author=ben)
    assert made.author == ben
    found = copy.blame("values.yaml")
    assert [(line.text, line.commit.author.name) for line in found] == [
        ("replicas: 1", "Ada"),
        ("colour: blue", "Ben"),
        ("\tindented", "Ben"),
    ]
    assert repr(found).splitlines()[1] == "Ben: A colour  | colour: blue"
    assert [line.commit.subject for line in copy.blame("values.yaml", "HEAD~1")] == ["Begin"]
    with pytest.raises(PathNotFound):
        copy.blame("nosuch.yaml")


def test_a_branch_goes_here_or_at_the_remote(copy):
    copy.checkout("try", create=True)
    write(copy, "values.yaml", "replicas: 2\n")
    copy.add().commit("Two replicas")
    copy.push()
    assert set(copy.remote_branches()) == {"main", "try"}
    copy.checkout("main").delete_branch("try", remote=True)
    assert set(copy.remote_branches()) == {"main"}
    with pytest.raises(GitError, match="no branch 'try'"):
        copy.delete_branch("try", remote=True)
    copy.delete_branch("try")
    assert [branch.name for branch in copy.branches] == ["main"]
    with pytest.raises(GitError):
        copy.delete_branch("main")


def test_a_branch_can_be_put_back_to_what_the_remote_has(copy):
    write(copy, "values.yaml", "replicas: 9\n")
    copy.add().commit("Nine replicas")
    write(copy, "values.yaml", "replicas: 10\n")
    copy.reset("origin/main")
    assert (copy.path / "values.yaml").read_text() == "replicas: 1\n"
    assert copy.status().clean
    assert copy.log(limit=1)[0].subject == "Begin"
    with pytest.raises(RevisionNotFound):
        copy.reset("nosuch")
