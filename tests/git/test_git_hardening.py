"""Nothing that a repository holds or names is executed, and no link in it leads out."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from labkit.errors import GitError, MergeConflict, PathNotFound, RepositoryUnreachable
from labkit.git import Credential, Mirror, WorkingCopy
from labkit.git.command import environment, run
from labkit.git.export import check_links

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and shell commands are POSIX's")


def push_tree(git, origin, tmp_path, entries):
    """Pushes a commit whose root has these (mode, path, content) entries, past every check of the index."""
    lines = []
    for mode, name, content in entries:
        sha = git("hash-object", "-w", "--stdin", cwd=origin, stdin=content.encode())
        lines.append(f"{mode} blob {sha}\t{name}")
    tree = git("mktree", cwd=origin, stdin="\n".join(lines).encode())
    commit = git("commit-tree", tree, "-m", "Links", cwd=origin)
    git("update-ref", "refs/heads/links", commit, cwd=origin)


@posix
@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../outside", "a/../../outside", "..", "./../x", "link2/../../x"]
)
def test_a_link_that_leads_out_refuses_the_export(mirror, origin, git, tmp_path, target):
    push_tree(git, origin, tmp_path, [("120000", "link", target), ("100644", "a.yaml", "a: 1\n")])
    sha = mirror.resolve(str(origin), "links").sha
    with pytest.raises(PathNotFound, match="'link' leads out"):
        mirror.export(str(origin), sha)
    assert list((mirror.cache_dir / "exports").glob("*")) == []


@posix
def test_a_link_inside_is_kept(mirror, origin, git, tmp_path):
    push_tree(git, origin, tmp_path, [("120000", "link", "a.yaml"), ("100644", "a.yaml", "a: 1\n")])
    root = mirror.export(str(origin), mirror.resolve(str(origin), "links").sha)
    assert (root / "link").is_symlink()
    assert (root / "link").read_text() == "a: 1\n"


@posix
def test_many_links_are_read_by_one_command(mirror, origin, git, tmp_path):
    entries = [("120000", f"link{n:03}", f"a\n{n % 7}.yaml") for n in range(60)]
    push_tree(git, origin, tmp_path, entries)
    root = mirror.export(str(origin), mirror.resolve(str(origin), "links").sha)
    assert {path.name: str(path.readlink()) for path in root.iterdir()} == {e[1]: e[2] for e in entries}


@pytest.mark.parametrize(
    "links",
    [
        {"a": "b", "b": "c/d", "c": ".."},  # by way of other links
        {"x/a": "../y", "y": "../z"},
        {"x/a": "b", "x/b": "../../z"},
        {"deep": "one/two", "out": "deep/../../../x"},
        {"a": "b/../..", "b": "."},
        {"a": "/"},
    ],
)
def test_a_link_is_followed_at_every_hop(links):
    with pytest.raises(PathNotFound):
        check_links(links, where="test")


@pytest.mark.parametrize(
    "links", [{"a": "b", "b": "a"}, {"a": "a"}, {"a": "none/at/all"}, {"x/y/a": "../../z"}, {"a": "."}]
)
def test_a_link_in_a_circle_or_to_nothing_stays_inside(links):
    check_links(links, where="test")


@posix
@pytest.mark.parametrize("name", [".git", "..", "a/../../b", ".GIT", "git~1"])
def test_a_tree_with_a_forbidden_name_writes_nothing_outside(mirror, origin, git, tmp_path, name):
    blob = git("hash-object", "-w", "--stdin", cwd=origin, stdin=b"evil")
    entry = f"100644 {name}\0".encode() + bytes.fromhex(blob)
    tree = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"], input=entry, cwd=origin,
        capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    git("update-ref", "refs/heads/evil", git("commit-tree", tree, "-m", "Evil", cwd=origin), cwd=origin)
    with pytest.raises(GitError):
        mirror.export(str(origin), mirror.resolve(str(origin), "evil").sha)
    assert list((mirror.cache_dir / "exports").glob("[!.]*")) == []


@posix
def test_neither_filters_nor_submodules_nor_lfs_do_anything_in_an_export(
    mirror, origin, copy, change, home, git
):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n"
    (copy.path / ".gitattributes").write_text("*.bin filter=lfs\n*.evil filter=evil\n")
    (copy.path / "model.bin").write_text(pointer)
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub", cwd=copy.path)
    evil = f"touch {home}/ran; cat"
    (home / ".gitconfig").write_text(
        f'[filter "evil"]\nsmudge = {evil}\nclean = {evil}\n[core]\nfsmonitor = {evil}\n'
    )
    change(".gitmodules", '[submodule "sub"]\npath = sub\nurl = ext::sh -c id\n', push=False)
    change("x.evil", "x")
    root = mirror.export(str(origin), mirror.resolve(str(origin)).sha)
    assert (root / "model.bin").read_text() == pointer
    assert (root / "x.evil").read_text() == "x"
    assert not (home / "ran").exists()


@posix
def test_a_working_copy_from_elsewhere_runs_nothing_of_its_configuration(copy, home, git):
    ran = home / "ran"
    evil = f"touch {ran}"
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.editor", "core.pager", "core.askPass", "diff.external",
        "core.alternateRefsCommand", "gpg.program", "credential.helper", "filter.x.clean", "filter.x.smudge",
        "filter.x.process", "diff.x.command", "diff.x.textconv", "merge.x.driver", "sequence.editor",
        "remote.origin.uploadpack", "remote.origin.receivepack",
    ):  # fmt: skip
        git("config", key, f"{evil};:", cwd=copy.path)
    git("config", "core.hooksPath", ".hooks", cwd=copy.path)
    git("config", "commit.gpgSign", "true", cwd=copy.path)
    git("config", "filter.x.required", "true", cwd=copy.path)
    (copy.path / ".gitattributes").write_text("*.txt filter=x diff=x merge=x\n")
    for hook in (
        "pre-commit",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "pre-push",
        "post-merge",
        "reference-transaction",
    ):
        for folder in (copy.path / ".hooks", copy.path / ".git" / "hooks"):
            folder.mkdir(exist_ok=True)
            (folder / hook).write_text(f"#!/bin/sh\n{evil}\n")
            (folder / hook).chmod(0o755)
    (copy.path / "a.txt").write_text("1\n")
    copy.add().commit("One")
    copy.checkout("feature", create=True)
    (copy.path / "a.txt").write_text("2\n")
    assert "+2" in copy.diff().text
    copy.add().commit("Two")
    copy.checkout("main")
    (copy.path / "a.txt").write_text("3\n")
    copy.add().commit("Three")
    with pytest.raises(MergeConflict):  # not by the driver that the repository wants
        copy.merge("feature")
    copy.abort()
    copy.push()
    copy.fetch()
    copy.pull()
    copy.log()
    copy.status()
    assert WorkingCopy(copy.path).read("a.txt") == "3\n"
    assert not ran.exists()


@posix
def test_a_work_tree_that_the_configuration_puts_elsewhere_is_not_followed(copy, home, git):
    (home / "private.txt").write_text("secret")
    git("config", "core.worktree", str(home), cwd=copy.path)
    opened = WorkingCopy(copy.path)
    opened.add()
    assert "private.txt" not in [change.path for change in opened.status().changes]


def test_a_password_is_in_no_argument_and_not_in_the_clones_display(tmp_path, monkeypatch):
    seen = []
    real = subprocess.Popen

    def popen(args, **options):
        seen.append(args)
        return real(args, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    mirror = Mirror(tmp_path / "cache")
    for call in (
        lambda: mirror.resolve("http://lab:t0p-secret@127.0.0.1:1/x.git"),
        lambda: WorkingCopy.clone("http://lab:t0p-secret@127.0.0.1:1/x.git", tmp_path / "copy"),
    ):
        with pytest.raises(RepositoryUnreachable):
            call()
    assert len(seen) >= 2
    assert "t0p-secret" not in repr(seen)


def test_a_credential_is_for_its_own_host_only():
    env = environment(url="https://host/a.git", credential=Credential("lab", "pw"))
    keys = [value for name, value in env.items() if name.startswith("GIT_CONFIG_KEY_")]
    assert "http.https://host/a.git.extraHeader" in keys
    assert "GIT_TERMINAL_PROMPT" in env
    assert not [
        name for name in env if name in {"GIT_DIR", "GIT_SSH", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND"}
    ]


def test_variables_that_would_steer_git_are_not_passed_on(copy, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.fsmonitor'='touch ran'")
    monkeypatch.setenv("GIT_SSH_COMMAND", "touch ran")
    assert copy.status().clean


def test_a_command_that_takes_too_long_is_stopped(tmp_path):
    # A host that takes the connection and then says nothing.
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.git"
        begin = time.monotonic()
        with pytest.raises(RepositoryUnreachable, match="did not end within"):
            run("ls-remote", url, env=environment(), seconds=0.5, where=url)
        assert time.monotonic() - begin < 5


def test_output_without_end_is_cut_off(copy, change):
    change("big", "x" * 3_000_000)
    with pytest.raises(GitError, match="more than 1 MB"):
        copy._reader.read("big", megabytes=1)


@posix
def test_no_child_is_left_when_the_waiting_is_interrupted(tmp_path, monkeypatch):
    started = []
    real = subprocess.Popen.wait

    def interrupted(self, timeout=None):
        started.append(self)
        monkeypatch.setattr(subprocess.Popen, "wait", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("hash-object", "--stdin-paths", cwd=tmp_path)
    assert started[0].returncode is not None


def test_runs_from_many_threads_do_not_mix(copy):
    failures = []

    def look():
        try:
            for _ in range(3):
                assert copy.log()[0].subject == "Begin"
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_missing_git_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "defpath", str(tmp_path))
    with pytest.raises(GitError, match="Install Git"):
        run("--version", env={"PATH": str(tmp_path)})
