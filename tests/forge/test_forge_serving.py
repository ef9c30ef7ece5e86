"""The forge speaks Git's smart protocol to plain git."""

from __future__ import annotations

import gzip
import http.client
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from labkit.errors import AuthenticationRequired, RepositoryNotFound
from labkit.git import Credential, Mirror, WorkingCopy

USE_THE_LABS = object()


def request(server, method, path, *, body=None, headers=None, credential=USE_THE_LABS):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    credential = server.credential if credential is USE_THE_LABS else credential
    sent = {"Authorization": credential.header()} if credential else {}
    try:
        connection.request(method, path, body=body, headers=sent | (headers or {}))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def test_plain_git_clones_and_pushes_with_the_clone_url(server, sh, tmp_path):
    url = server.forge.create("web").clone_url(server.credential)
    sh("clone", url, "copy")
    (tmp_path / "copy" / "values.yaml").write_text("replicas: 1\n")
    sh("add", ".", cwd=tmp_path / "copy")
    sh("commit", "-m", "One replica", cwd=tmp_path / "copy")
    sh("push", "origin", "HEAD", cwd=tmp_path / "copy")
    sh("clone", url, "other")
    assert (tmp_path / "other" / "values.yaml").read_text() == "replicas: 1\n"
    assert server.next_event().ref == "refs/heads/main"


def test_an_empty_repository_is_cloned_on_main(server, tmp_path):
    server.forge.create("web")
    assert server.clone("web", tmp_path / "copy").current_branch == "main"


@pytest.mark.parametrize(
    "credential", [None, Credential("lab", "wrong"), Credential("", ""), Credential("é", "ü")]
)
def test_without_the_labs_credential_the_answer_is_401(server, credential):
    server.forge.create("web")
    path = "/web.git/info/refs?service=git-upload-pack"
    status, headers, _ = request(server, "GET", path, credential=credential)
    assert (status, headers["www-authenticate"][:5]) == (401, "Basic")


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Bearer abc", "Basic " + "A" * 5000, ""])
def test_a_malformed_authorization_header_is_401(server, header):
    status, _, _ = request(server, "GET", "/web", headers={"Authorization": header}, credential=None)
    assert status == 401


def test_a_wrong_credential_is_an_error_that_does_not_show_it(server, tmp_path):
    server.forge.create("web")
    url = f"{server.url}/web.git".replace("://", "://lab:wr0ng-one@")
    with pytest.raises(AuthenticationRequired) as failure:
        WorkingCopy.clone(url, tmp_path / "copy")
    assert "wr0ng-one" not in str(failure.value)
    assert not (tmp_path / "copy").exists()


def test_an_unknown_repository_is_not_found(server, tmp_path):
    with pytest.raises(RepositoryNotFound):
        Mirror(tmp_path).resolve(f"{server.url}/none.git", credential=server.credential)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/web.git/info/refs", 403),
        ("GET", "/web.git/info/refs?service=git-shell", 403),
        ("GET", "/web.git/HEAD", 404),
        ("GET", "/web.git/config", 404),
        ("GET", "/web.git/objects/info/packs", 404),
        ("GET", "/..%2Frepos%2Fweb.git/info/refs?service=git-upload-pack", 404),
        ("GET", "/%2e%2e.git/info/refs?service=git-upload-pack", 404),
        ("GET", "/-x.git/info/refs?service=git-upload-pack", 404),
        ("GET", "/web.git/git-upload-pack", 405),
        ("POST", "/web.git/info/refs", 405),
    ],
)
def test_nothing_but_the_smart_protocol_is_served(server, method, path, status):
    server.forge.create("web")
    assert request(server, method, path)[0] == status


def test_protocol_version_two_is_spoken(server):
    server.forge.create("web")
    path = "/web.git/info/refs?service=git-upload-pack"
    _, headers, body = request(server, "GET", path, headers={"Git-Protocol": "version=2"})
    assert headers["content-type"] == "application/x-git-upload-pack-advertisement"
    assert b"version 2" in body


def test_a_gzipped_body_is_read(server):
    server.forge.create("web", content={"a": "1"})
    body = gzip.compress(b"0014command=ls-refs\n0000")
    headers = {"Content-Encoding": "gzip", "Git-Protocol": "version=2"}
    headers["Content-Type"] = "application/x-git-upload-pack-request"
    status, _, answer = request(server, "POST", "/web.git/git-upload-pack", body=body, headers=headers)
    assert (status, b"refs/heads/main" in answer) == (200, True)


def test_another_content_encoding_is_refused(server):
    server.forge.create("web")
    headers = {"Content-Encoding": "br"}
    assert request(server, "POST", "/web.git/git-upload-pack", body=b"x", headers=headers)[0] == 415


def test_a_person_sees_a_page(server):
    server.forge.create("web", content={"a": "1"})
    status, _, body = request(server, "GET", "/web")
    assert (status, b"git clone" in body, server.credential.password.encode() in body) == (200, True, False)


def test_a_large_push_streams_through(server, sh, tmp_path):
    url = server.forge.create("big").clone_url(server.credential)
    sh("clone", url, "copy")
    copy = tmp_path / "copy"
    (copy / "noise").write_bytes(os.urandom(24 * 1024 * 1024))
    sh("add", ".", cwd=copy)
    sh("commit", "-m", "Noise", cwd=copy)
    sh("-c", "http.postBuffer=65536", "push", "origin", "HEAD", cwd=copy)  # chunked, as it exceeds the buffer
    assert server.forge.get("big").reader.entries("main")[0].size == 24 * 1024 * 1024


def test_two_pushes_at_once_to_two_branches_both_arrive(server, tmp_path):
    server.forge.create("web", content={"a": "1"})
    copies = [server.clone("web", tmp_path / f"copy{n}") for n in range(4)]
    for n, copy in enumerate(copies):
        copy.checkout(f"branch{n}", create=True)
        (copy.path / f"file{n}").write_text("x")
        copy.add().commit(f"File {n}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda copy: copy.push(), copies))
    told = {server.next_event().ref for _ in copies}
    assert told == {f"refs/heads/branch{n}" for n in range(4)}


def test_of_two_pushes_at_once_to_one_branch_one_is_refused_and_none_is_lost(server, tmp_path):
    server.forge.create("web", content={"a": "1"})
    copies = [server.clone("web", tmp_path / f"copy{n}") for n in range(2)]
    for n, copy in enumerate(copies):
        (copy.path / f"file{n}").write_text("x")
        copy.add().commit(f"File {n}")
    start = threading.Barrier(2)

    def push(copy):
        start.wait()
        try:
            return copy.push()
        except Exception as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(push, copies))
    failed = [n for n, result in enumerate(results) if isinstance(result, Exception)]
    assert len(failed) == 1
    copies[failed[0]].pull()
    copies[failed[0]].push()
    assert set(server.forge.get("web").reader.files()) == {"a", "file0", "file1"}


def test_a_damaged_object_is_refused(server, sh, tmp_path):
    url = server.forge.create("web").clone_url(server.credential)
    sh("clone", url, "copy")
    copy = tmp_path / "copy"
    tree = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        input=b"40000 .git\0" + bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
        cwd=copy, capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    subprocess.run(["git", "mktree"], input=b"", cwd=copy, check=True, capture_output=True)
    commit = sh("commit-tree", tree, "-m", "evil", cwd=copy).stdout.strip()
    pushed = sh("push", "origin", f"{commit}:refs/heads/evil", cwd=copy, check=False)
    assert pushed.returncode != 0
    assert server.forge.get("web").reader.branches() == []


def test_a_forced_push_is_allowed_and_the_old_commit_stays_in_the_reflog(server, tmp_path):
    server.forge.create("web", content={"a": "1"})
    copy = server.clone("web", tmp_path / "copy")
    old = copy.head.sha
    copy._git("commit", "--amend", "-m", "Another history")
    copy.push(force=True)
    assert server.next_event().forced
    assert old in (server.forge.get("web").path / "logs/refs/heads/main").read_text()


def test_the_current_branch_cannot_be_deleted(server, sh, tmp_path):
    url = server.forge.create("web", content={"a": "1"}).clone_url(server.credential)
    sh("clone", url, "copy")
    assert sh("push", "origin", ":main", cwd=tmp_path / "copy", check=False).returncode != 0


def test_no_hook_of_a_repository_runs(server, tmp_path):
    repo = server.forge.create("web", content={"a": "1"})
    hook = repo.path / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    copy = server.clone("web", tmp_path / "copy")
    (copy.path / "b").write_text("2")
    copy.add().commit("b")
    copy.push()
    server.next_event()
    assert not (tmp_path / "ran").exists()


def test_the_forge_works_below_another_path(server, serve, sh, tmp_path):
    server.forge.create("web", content={"a": "1"})
    port = serve(Starlette(routes=[Mount("/git", app=server.app)]))
    server.forge.base_url = f"http://127.0.0.1:{port}/git"
    sh("clone", server.forge.get("web").clone_url(server.credential), "copy")
    assert (tmp_path / "copy" / "a").read_text() == "1"


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(server, sh, tmp_path):
    sh("clone", server.forge.create("web", content={"a": "1"}).clone_url(server.credential), "copy")
    copy = tmp_path / "copy"
    (copy / "b").write_bytes(os.urandom(300_000))
    sh("add", ".", cwd=copy)
    sh("commit", "-m", "b", cwd=copy)
    sh("-c", "http.postBuffer=65536", "-c", "http.extraHeader=Expect: 100-continue", "push", "-q", cwd=copy)
    assert server.next_event().commits[-1]["added"] == ["b"]
