"""Whatever ends in the middle of a push, the client or the server, the repository is whole afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from labkit.forge import Forge, app
from labkit.git import Credential, WorkingCopy

CREDENTIAL = Credential("lab", "token")

SERVER = """
import socket, sys, uvicorn
from pathlib import Path
from labkit.forge import Forge, app
from labkit.git import Credential
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()  # whoever hears of the port may come at once
print(sock.getsockname()[1], flush=True)
application = app(Forge(Path(sys.argv[1])), credentials=Credential("lab", "token"))
uvicorn.Server(uvicorn.Config(application, log_level="warning")).run([sock])
"""


@pytest.fixture
def start(tmp_path):
    """Starts the forge in a process of its own; returns the process and its address."""
    running = []

    def run():
        command = [sys.executable, "-c", SERVER, str(tmp_path / "repos")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process, f"http://127.0.0.1:{int(process.stdout.readline())}"

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def begin_push(copy, address, before):
    """A push as git sends it (gitprotocol-pack(5)), of which only the first half has gone out yet."""
    (copy.path / "noise").write_bytes(os.urandom(2 * 1024 * 1024))
    after = copy.add().commit("Noise").sha
    command = f"{before} {after} refs/heads/main\0report-status".encode()
    pack = subprocess.run(
        ["git", "pack-objects", "--stdout", "--revs", "-q"],
        input=f"{after}\n^{before}\n".encode(), cwd=copy.path, capture_output=True, check=True,
    ).stdout  # fmt: skip
    body = f"{len(command) + 4:04x}".encode() + command + b"0000" + pack
    host, port = address.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    head = "\r\n".join([
        "POST /web.git/git-receive-pack HTTP/1.1",
        f"Host: {host}",
        f"Authorization: {CREDENTIAL.header()}",
        "Content-Type: application/x-git-receive-pack-request",
        f"Content-Length: {len(body)}",
    ])  # fmt: skip
    client.sendall(head.encode() + b"\r\n\r\n" + body[: len(body) // 2])
    return client


@pytest.fixture
def env(tmp_path):
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0", "no_proxy": "*"}


def fsck(repo):
    command = ["git", f"--git-dir={repo.path}", "-c", "safe.directory=*", "fsck", "--full", "--strict"]
    return subprocess.run(command, capture_output=True, text=True)


def receiving(repo):
    return any((repo.path / "objects").glob("tmp_objdir-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("victim", ["server", "client"])
def test_a_push_cut_short_leaves_the_repository_as_it_was(start, env, tmp_path, victim):
    server, address = start()
    forge = Forge(tmp_path / "repos", base_url=address)
    repo = forge.create("web", content={"a": "1"})
    url = repo.clone_url(CREDENTIAL)
    copy = WorkingCopy.clone(url, tmp_path / "copy")
    before = repo.reader.resolve("main")
    with begin_push(copy, address, before):
        wait_until(lambda: receiving(repo))
        if victim == "server":
            server.send_signal(signal.SIGKILL)
    assert repo.reader.resolve("main") == before
    assert fsck(repo).returncode == 0
    if victim == "server":
        server.wait()
        forge.mend()
        assert not receiving(repo)
        _, address = start()
        url = Forge(forge.root, base_url=address).get("web").clone_url(CREDENTIAL)
    again = subprocess.run(["git", "push", "-q", url, "main"], cwd=copy.path, env=env, timeout=60)
    assert again.returncode == 0
    assert repo.reader.resolve("main") == copy.head.sha
    assert fsck(repo).returncode == 0


def test_a_client_that_goes_away_in_the_middle_of_its_request_leaves_no_git_behind(server):
    repo = server.forge.create("web", content={"a": "1"})
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        head = "\r\n".join([
            "POST /web.git/git-receive-pack HTTP/1.1",
            f"Host: {host}",
            f"Authorization: {server.credential.header()}",
            "Content-Type: application/x-git-receive-pack-request",
            "Content-Length: 100000",
        ])  # fmt: skip
        client.sendall(head.encode() + b"\r\n\r\n0094")
        wait_until(lambda: children() != [])
    wait_until(lambda: children() == [])
    assert fsck(repo).returncode == 0


def test_a_request_that_takes_too_long_is_ended(tmp_path, serve):
    forge = Forge(tmp_path / "repos")
    forge.create("web", content={"a": "1"})
    port = serve(app(forge, credentials=CREDENTIAL, seconds=0.3))
    with socket.create_connection(("127.0.0.1", port)) as client:
        head = f"POST /web.git/git-upload-pack HTTP/1.1\r\nHost: x\r\nAuthorization: {CREDENTIAL.header()}"
        head += "\r\nContent-Type: application/x-git-upload-pack-request"
        client.sendall(head.encode() + b"\r\nContent-Length: 1000\r\n\r\n0")
        client.settimeout(10)
        answer = b""
        while part := client.recv(1000):
            answer += part
    assert not answer.endswith(b"0\r\n\r\n")  # broken off, so that nobody takes it for whole
    wait_until(lambda: children() == [])


def children():
    """The git processes that this process started and that still run."""
    return subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "git"], capture_output=True, text=True
    ).stdout.split()
