import http.client
import json
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest


def config_map(name):
    return {"metadata": {"name": name}}


PATH = "/api/v1/namespaces/default/configmaps"


def test_what_was_answered_survives_a_kill(fresh):
    server = fresh()
    client = server.http()
    for number in range(20):
        assert client.call("POST", PATH, config_map(f"kept-{number}"))[0] == 201
    client.close()
    server.kill()
    client = server.start().http()
    names = [item["metadata"]["name"] for item in client.call("GET", PATH)[1]["items"]]
    assert set(names) >= {f"kept-{number}" for number in range(20)}
    client.close()


def test_a_cluster_keeps_its_port_and_token_when_it_starts_again(fresh):
    server = fresh()
    before = (server.folder / "kubeconfig").read_text()
    assert server.stop() == 0
    server.start()
    assert (server.folder / "kubeconfig").read_text() == before


def test_files_with_a_credential_are_their_owners_alone(fresh):
    server = fresh()
    for name in ("token", "kubeconfig", "sandbox.json", "tls/server.key"):
        assert stat.S_IMODE((server.folder / name).stat().st_mode) == 0o600, name


def test_a_second_process_on_one_folder_is_refused(fresh):
    server = fresh()
    command = [sys.executable, "-m", "labkit.sandbox", "--dir", str(server.folder)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert second.returncode == 1
    assert "another process runs this cluster" in second.stderr
    assert "Fix:" in second.stderr


def test_a_port_that_is_taken_is_named(fresh, tmp_path):
    server = fresh()
    port = json.loads((server.folder / "sandbox.json").read_text())["port"]
    command = [sys.executable, "-m", "labkit.sandbox", "--dir", str(tmp_path / "other"), "--port", str(port)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (second.returncode, f"port {port} is taken" in second.stderr) == (1, True)


def test_a_state_from_a_newer_version_is_refused(fresh):
    import sqlite3

    server = fresh()
    server.stop()
    database = sqlite3.connect(server.folder / "state.db")
    database.execute("PRAGMA user_version = 7")
    database.close()
    command = [sys.executable, "-m", "labkit.sandbox", "--dir", str(server.folder)]
    again = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (again.returncode, "format 7" in again.stderr) == (1, True)


def test_it_ends_when_its_folder_is_deleted(fresh):
    server = fresh()
    shutil.rmtree(server.folder)
    assert server.process.wait(timeout=30) == 0
    assert not server.folder.exists()


def test_it_ends_when_its_folder_is_that_of_another_cluster(fresh):
    server = fresh()
    server.folder.rename(server.folder.with_name("elsewhere"))
    server.folder.mkdir()
    (server.folder / "lock").touch()
    assert server.process.wait(timeout=30) == 0


def test_it_ends_after_its_owner_was_killed_and_not_before(fresh):
    server = fresh("owned", "--orphan-seconds", "0")
    script = (
        "import sys, pathlib; from labkit.settings import FileLock;"
        "lock = FileLock(pathlib.Path(sys.argv[1])); assert lock.acquire();"
        "print('held', flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(server.folder / "owner")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert owner.stdout.readline() == b"held\n"
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(timeout=2.5)  # it looks every second
    owner.kill()
    assert server.process.wait(timeout=30) == 0
    owner.communicate()


def test_it_ends_at_once_although_watches_are_open(fresh):
    server = fresh()
    client = server.http()
    client.connection.request(
        "GET", f"{PATH}?watch=true", headers={"Authorization": f"Bearer {client.token}"}
    )
    answer = client.connection.getresponse()
    ended = threading.Event()

    def read():
        try:
            while answer.readline():
                pass
        except (OSError, http.client.HTTPException):
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=5) == 0
    assert time.monotonic() - began < 2
    assert ended.wait(2)
    assert not (server.folder / "sandbox.json").exists()
    client.close()
