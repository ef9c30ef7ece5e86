"""Repositories are made whole, under names that every system can hold, and deleted at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from labkit.errors import GitError, RepositoryNotFound, RevisionNotFound
from labkit.forge import Forge
from labkit.git import Person


@pytest.fixture
def forge(tmp_path):
    return Forge(tmp_path / "repos", base_url="http://127.0.0.1:8080/git/")


def test_a_new_repository_is_empty_and_on_main(forge):
    repo = forge.create("web")
    assert (repo.default_branch, repo.url) == ("main", "http://127.0.0.1:8080/git/web.git")
    assert repo.reader.branches() == []
    assert repr(forge) == "Forge(web)"


def test_a_repository_may_begin_with_texts(forge):
    repo = forge.create("web", content={"charts/web/Chart.yaml": "name: web\n"}, message="Begin")
    assert repo.reader.files("charts/web") == ["Chart.yaml"]
    assert repo.reader.commit().author == Person("GitOps Lab", "lab@lab.local")
    assert repo.reader.commit().message == "Begin"


def test_a_repository_may_begin_with_a_folder(forge, tmp_path):
    folder = tmp_path / "content"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.bin").write_bytes(b"\0\xff")
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "x.log").write_text("left out")
    repo = forge.create("web", content=folder, default_branch="trunk")
    assert repo.reader.files() == [".gitignore", "sub/"]
    assert repo.reader.read("sub/a.bin") == b"\0\xff"
    assert repo.default_branch == "trunk"
    assert not (folder / ".git").exists()


@pytest.mark.parametrize("path", ["../out", "/etc/x", "a/../../b"])
def test_content_that_leads_out_is_refused(forge, path):
    with pytest.raises(GitError):
        forge.create("web", content={path: "x"})
    assert forge.list() == []


@pytest.mark.parametrize(
    "name",
    ["", ".", "-x", "a/b", "../x", "a\\b", "a b", "x.lock", ".git", "con", "NUL.t", "a..b", "é", "a\0", "x" * 65],
)  # fmt: skip
def test_a_name_that_cannot_be_a_folder_everywhere_is_refused(forge, name):
    with pytest.raises(GitError) as failure:
        forge.create(name)
    assert failure.value.fix


def test_a_name_that_ends_in_git_means_the_same_repository(forge):
    assert forge.create("web.git").name == "web"


@pytest.mark.parametrize("again", ["web", "WEB"])
def test_a_name_is_given_once(forge, again):
    forge.create("web")
    with pytest.raises(GitError, match="already"):
        forge.create(again)


def test_of_many_who_create_the_same_name_one_gets_it(forge):
    def create(_):
        try:
            return forge.create("web", content={"a": "1"})
        except GitError:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [repo for repo in pool.map(create, range(4)) if repo]
    assert len(made) == 1
    assert [path.name for path in forge.root.iterdir()] == ["web.git"]


def test_an_unknown_name_says_which_there_are(forge):
    forge.create("web")
    with pytest.raises(RepositoryNotFound, match="There is: web"):
        forge.get("wbe")


@pytest.mark.parametrize("name", ["../web", "-web", "", "web/../web"])
def test_no_name_reaches_outside_the_folder(forge, name):
    forge.create("web")
    with pytest.raises(RepositoryNotFound):
        forge.get(name)


def test_a_deleted_repository_is_gone(forge):
    forge.create("web", content={"a": "1"})
    forge.delete("web")
    assert forge.list() == []
    assert list(forge.root.iterdir()) == []


def test_a_repository_copied_in_by_hand_is_one_of_the_labs(forge, tmp_path):
    forge.create("web", content={"a": "1"}).path.rename(forge.root / "other.git")
    (forge.root / "notes.git").mkdir()
    assert [repo.name for repo in forge.list()] == ["other"]


def test_what_a_killed_git_left_behind_is_mended(forge):
    repo = forge.create("web", content={"a": "1"})
    lock = repo.path / "refs/heads/main.lock"
    lock.write_text("")
    (repo.path / "packed-refs.lock").write_text("")
    (repo.path / "objects" / "tmp_objdir-incoming-x").mkdir()
    (forge.root / ".new-abc").mkdir()
    assert len(forge.mend()) == 4
    assert not lock.exists()
    assert forge.get("web").reader.files() == ["a"]
    assert forge.mend() == []


def test_two_revisions_are_compared_as_a_pull_request_does(forge, tmp_path):
    from labkit.git import WorkingCopy

    repo = forge.create("web", content={"a.txt": "1\n"})
    copy = WorkingCopy.clone(str(repo.path), tmp_path / "copy")
    copy.checkout("feature", create=True)
    (copy.path / "b.txt").write_text("2\n")
    copy.add().commit("b")
    copy.push()
    copy.checkout("main")
    (copy.path / "c.txt").write_text("3\n")
    copy.add().commit("c")
    copy.push()
    diff = repo.reader.diff("main", "feature", since_fork=True)
    assert [repr(change) for change in diff.files] == ["added: b.txt"]
    assert "+2" in diff.text
    assert [b.name for b in repo.reader.branches()] == ["feature", "main"]
    with pytest.raises(RevisionNotFound, match="Did you mean feature"):
        repo.reader.log("feture")
