"""The sandbox as a process: found again, never confused with another, and its end leaves nothing behind."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from labkit.cluster import provider
from labkit.cluster.providers import SandboxProvider
from labkit.cluster.providers.processes import alive, command_line, wait_for_end
from labkit.errors import ClusterError, ClusterUnreachable

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}


@pytest.fixture
def sandboxes(tmp_path):
    """A provider; every cluster that a test leaves running is stopped."""
    made = SandboxProvider(tmp_path / "clusters")
    yield made
    for state in made.list():
        made.stop(state.name)


def test_a_cluster_is_made_answers_and_is_the_labs_own(sandboxes):
    state = sandboxes.create("one")
    assert (state.name, state.provider, state.state) == ("one", "sandbox", "running")
    with sandboxes.connect("one") as cluster:
        assert cluster.server == state.server
        assert cluster.create(CONFIG)["metadata"]["uid"]


def test_what_was_written_is_there_after_a_stop_and_a_start(sandboxes):
    sandboxes.create("one")
    with sandboxes.connect("one") as cluster:
        cluster.create(CONFIG)
    sandboxes.stop("one")
    assert sandboxes.status("one").state == "stopped"
    with sandboxes.connect("one") as cluster, pytest.raises(ClusterUnreachable) as caught:
        cluster.version()
    assert "labkit up" in caught.value.fix
    sandboxes.start("one")
    with sandboxes.connect("one") as cluster:
        assert cluster.get("v1", "ConfigMap", "a")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_cluster_that_was_killed_is_known_to_be_stopped_and_starts_again(sandboxes):
    killed = sandboxes.create("one").pid
    with sandboxes.connect("one") as cluster:
        cluster.create(CONFIG)
    os.kill(killed, signal.SIGKILL)
    assert wait_for_end(killed, 5)
    assert sandboxes.status("one").state == "stopped"
    assert sandboxes.start("one").pid != killed
    with sandboxes.connect("one") as cluster:
        assert cluster.get("v1", "ConfigMap", "a")


def test_starting_what_runs_changes_nothing(sandboxes):
    first = sandboxes.create("one")
    assert sandboxes.start("one") == first
    assert sandboxes.create("one") == first


def test_two_starts_at_once_make_one_process(sandboxes, tmp_path):
    states = []
    starts = [
        threading.Thread(target=lambda: states.append(SandboxProvider(tmp_path / "clusters").create("one")))
        for _ in range(3)
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len({state.pid for state in states}) == 1


def test_another_provider_finds_the_same_process(sandboxes, tmp_path):
    pid = sandboxes.create("one").pid
    code = (
        "from pathlib import Path; from labkit.cluster import provider;"
        f"print(provider('sandbox', Path({str(tmp_path / 'clusters')!r})).status('one').pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == pid


def test_a_cluster_outlives_the_process_that_started_it(sandboxes, tmp_path):
    code = (
        "from pathlib import Path; from labkit.cluster import provider;"
        f"print(provider('sandbox', Path({str(tmp_path / 'clusters')!r})).create('one').pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sandboxes.status("one").pid == int(done.stdout)
    with sandboxes.connect("one") as cluster:
        assert cluster.version()


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(sandboxes, tmp_path):
    sandboxes.create("one")
    sandboxes.stop("one")
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stale = {"pid": bystander.pid, "port": 1, "url": "https://127.0.0.1:1"}
        (tmp_path / "clusters" / "one" / "sandbox.json").write_text(json.dumps(stale), encoding="utf-8")
        assert sandboxes.status("one").state == "stopped"
        sandboxes.stop("one")
        assert bystander.poll() is None
        assert sandboxes.start("one").pid != bystander.pid
        assert bystander.poll() is None
    finally:
        bystander.communicate()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": -1}', '{"pid": 0}'])
def test_a_damaged_ready_file_means_that_nothing_runs(sandboxes, tmp_path, content):
    folder = tmp_path / "clusters" / "one"
    folder.mkdir(parents=True)
    (folder / "sandbox.json").write_text(content, encoding="utf-8")
    assert sandboxes.status("one").state == "stopped"
    sandboxes.stop("one")


def test_a_process_that_ends_at_once_is_told_with_the_end_of_its_log(tmp_path):
    broken = SandboxProvider(tmp_path, arguments=("--no-such-option",))
    with pytest.raises(ClusterError, match="before it was ready") as caught:
        broken.create("one")
    assert "--no-such-option" in caught.value.problem
    assert caught.value.where.endswith("sandbox.log")
    assert broken.status("one").state == "stopped"


def test_a_process_that_is_not_ready_in_time_is_ended_and_told(tmp_path):
    slow = SandboxProvider(tmp_path, ready_seconds=0.0)
    with pytest.raises(ClusterError, match="not ready after 0 s"):
        slow.create("one")
    assert slow.status("one").state == "stopped"
    assert not list(tmp_path.glob("one/sandbox.json"))


def test_deleting_removes_the_process_and_the_folder(sandboxes, tmp_path):
    pid = sandboxes.create("one").pid
    sandboxes.delete("one")
    assert not alive(pid)
    assert not (tmp_path / "clusters" / "one").exists()
    sandboxes.delete("one")


def test_several_run_side_by_side_and_are_listed(sandboxes):
    for name in ("one", "two"):
        sandboxes.create(name)
    sandboxes.stop("two")
    assert [(s.name, s.state) for s in sandboxes.list()] == [("one", "running"), ("two", "stopped")]


def test_a_cluster_that_was_never_made_is_told_with_how_to_make_it(sandboxes):
    with pytest.raises(ClusterError, match="no cluster 'gone'") as caught:
        sandboxes.start("gone")
    assert "labkit cluster create gone" in caught.value.fix


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_what_holds_a_credential_is_the_owners_alone(sandboxes, tmp_path):
    sandboxes.create("one")
    folder = tmp_path / "clusters" / "one"
    modes = {
        name: stat.S_IMODE((folder / name).stat().st_mode) for name in ("kubeconfig", "token", "sandbox.log")
    }
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_token_is_not_on_the_processs_command_line(sandboxes, tmp_path):
    pid = sandboxes.create("one").pid
    token = (tmp_path / "clusters" / "one" / "token").read_text(encoding="utf-8").strip()
    assert token not in (command_line(pid) or "")


def test_it_is_reached_through_the_providers_table(tmp_path):
    assert isinstance(provider("sandbox", tmp_path), SandboxProvider)


def test_who_owns_a_cluster_takes_it_with_him(tmp_path):
    sandboxes = SandboxProvider(tmp_path / "clusters", arguments=("--orphan-seconds", "0"))
    lock = sandboxes.own("one")
    state = sandboxes.create("one")
    assert lock is not None
    assert alive(state.pid)
    lock.release()  # as the system does when the owner is killed
    assert wait_for_end(state.pid, 30)


def test_a_cluster_that_a_person_started_is_owned_by_nobody(tmp_path):
    sandboxes = SandboxProvider(tmp_path / "clusters", arguments=("--orphan-seconds", "0"))
    lock = sandboxes.own("one")
    state = sandboxes.create("one")
    sandboxes.stop("one")
    lock.release()
    state = sandboxes.create("one")  # by hand, some time after the service has ended
    assert sandboxes.own("one") is None
    assert not wait_for_end(state.pid, 2.5)  # it looks every second
    sandboxes.stop("one")
