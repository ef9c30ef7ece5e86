"""``up``, ``down`` and what happens to them: with the real service, in a temporary lab folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit.k8s import yaml
from labkit.lab.background import Background
from labkit.settings import Settings

pytestmark = pytest.mark.timeout(180)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(tmp_path):
    settings = Settings.create(tmp_path / "lab")
    yield settings
    from labkit.lab.lifecycle import bring_down

    if (settings.state / "lab.json").read_text(encoding="utf-8").find('"format": 1') >= 0:
        bring_down(settings)


@pytest.fixture
def run(labkit, lab):
    """``labkit`` on the temporary lab folder."""
    return lambda *arguments, **environment: labkit("--lab", str(lab.home), *arguments, **environment)


def status(run) -> dict:
    return json.loads(run("status", "-o", "json").stdout)


def lives(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_up_status_down(run, lab):
    up = run("up")
    assert up.returncode == 0, up.stderr
    assert up.stdout.startswith("The lab is ready.\n")
    assert str(lab.kubeconfig) in up.stdout
    seen = status(run)
    assert seen["running"]
    assert [c["state"] for c in seen["clusters"]] == ["running"]
    again = run("up")
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "The lab is already running.")
    assert status(run)["pid"] == seen["pid"]
    down = run("down")
    assert (down.returncode, down.stdout) == (0, "Stopped: the service.\n")
    assert run("status").returncode == 3
    assert not lives(seen["pid"])
    assert run("down").stdout == "The lab was not running.\n"


def test_two_ups_at_once_make_one_lab(run):
    with ThreadPoolExecutor(2) as pool:
        first, second = [f.result() for f in [pool.submit(run, "up"), pool.submit(run, "up")]]
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    words = sorted(done.stdout.splitlines()[0] for done in (first, second))
    assert words == ["The lab is already running.", "The lab is ready."]


def test_the_port_stays_and_a_taken_one_makes_way_and_is_told(run, lab):
    run("up")
    port = status(run)["port"]
    run("down")
    run("up")
    assert status(run)["port"] == port
    made = json.loads(run("repo", "create", "shop", "-o", "json").stdout)
    run("down")
    with socket.create_server(("127.0.0.1", port)):
        moved = run("up")
    assert moved.returncode == 0
    assert f"port {port} is another program's now" in moved.stderr
    assert status(run)["port"] != port
    now = json.loads(run("repo", "list", "-o", "json").stdout)[0]
    assert now["url"] != made["url"]


def test_a_port_that_was_asked_for_and_is_taken_fails_and_leaves_nothing_running(run, lab):
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = run("up", "--port", str(server.getsockname()[1]))
    assert done.returncode == 1
    assert "another program listens there" in done.stderr
    assert run("status").returncode == 3


def test_after_kill_minus_nine_of_everything_up_goes_on(run, lab):
    run("up")
    run("repo", "create", "shop")
    seen = status(run)
    os.kill(seen["pid"], signal.SIGKILL)
    for sandbox in lab.clusters.glob("*/sandbox.json"):
        os.kill(json.loads(sandbox.read_text())["pid"], signal.SIGKILL)
    assert run("status").returncode == 3
    up = run("up")
    assert up.returncode == 0, up.stderr
    assert [r["name"] for r in json.loads(run("repo", "list", "-o", "json").stdout)] == ["shop"]
    assert status(run)["url"] == seen["url"]


def test_down_ends_the_cluster_that_a_killed_service_left_behind(run, lab):
    run("up")
    seen = status(run)
    sandbox = json.loads(next(lab.clusters.glob("*/sandbox.json")).read_text())["pid"]
    os.kill(seen["pid"], signal.SIGKILL)
    assert lives(sandbox)
    done = run("down")
    assert done.stdout == "Stopped: cluster lab.\n"
    assert not lives(sandbox)


def test_a_sandbox_that_died_is_started_again(run, lab):
    run("up")
    record = next(lab.clusters.glob("*/sandbox.json"))
    before = json.loads(record.read_text())["pid"]
    os.kill(before, signal.SIGKILL)
    again = wait_for(lambda: record.exists() and (pid := read_pid(record)) and pid != before and lives(pid))
    assert again
    assert run("app", "list").returncode == 0


def read_pid(record: Path) -> int:
    try:
        return json.loads(record.read_text())["pid"]
    except (OSError, ValueError):
        return 0


def wait_for(condition, seconds: float = 30) -> bool:
    import time

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_ctrl_c_while_it_starts_exits_130_and_leaves_nothing_running(run, lab, clean_environment):
    command = [sys.executable, "-m", "labkit.cli", "--lab", str(lab.home), "up"]
    environment = clean_environment | {"PYTHONPATH": str(ROOT)}
    for _ in range(5):
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            process.stderr.readline()  # "Starting the cluster"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        if process.returncode:
            break
        run("down")  # on a busy machine it was up before the signal came: again
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert Background(lab).running() is None
    assert lab.lock("service").holder() is None
    assert not any(lives(read_pid(record)) for record in lab.clusters.glob("*/sandbox.json"))


def test_no_secret_is_readable_by_others_or_in_the_log(run, lab):
    run("up")
    run("repo", "create", "shop", "-o", "json")
    run("down")
    secrets = [lab.token(), lab.token("controller-token")]
    log = lab.log.read_text(encoding="utf-8")
    assert not any(secret in log for secret in secrets)
    for private in ("token", "controller-token", "kubeconfig", "service.log"):
        assert (lab.state / private).stat().st_mode & 0o077 == 0, private


def test_plain_kubectl_works_with_the_kubeconfig_that_is_printed(run, lab):
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("no kubectl here")
    run("up")
    path = run("kubeconfig").stdout.strip()
    done = subprocess.run(
        [kubectl, "get", "applications", "-n", "argocd"], env=os.environ | {"KUBECONFIG": path},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_plain_git_clones_what_repo_create_names(run, tmp_path):
    run("up")
    made = json.loads(run("repo", "create", "shop", "-o", "json").stdout)
    assert sorted(made) == ["clone_url", "name", "url"]
    assert "@" not in made["url"]
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", made["clone_url"], str(clone)], check=True, capture_output=True, timeout=60
    )
    (clone / "a.txt").write_text("a\n", encoding="utf-8")
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    for command in (["add", "."], [*identity, "commit", "-qm", "a"], ["push", "-q", "origin", "HEAD"]):
        subprocess.run(["git", *command], cwd=clone, check=True, capture_output=True, timeout=60)
    refused = subprocess.run(
        ["git", "ls-remote", made["url"]],
        env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0


def test_a_chart_goes_from_the_lab_s_registry_into_the_cluster(run, lab, tmp_path):
    run("up")
    seen = status(run)
    run("chart", "create", str(tmp_path / "web"))
    run("chart", "package", str(tmp_path / "web"), "-d", str(tmp_path))
    pushed = run("chart", "push", str(tmp_path / "web-0.1.0.tgz"), f"{seen['registry']}/team")
    assert pushed.returncode == 0, pushed.stderr
    flags = ["--repo", f"{seen['registry']}/team", "--helm-chart", "web", "--revision", "^0.1"]
    made = run("app", "create", "web", *flags, "--dest-namespace", "default", "--sync-policy", "automated")
    assert made.returncode == 0, made.stderr
    waited = run("app", "wait", "web", "--timeout", "60")
    assert waited.returncode == 0, waited.stderr
    folder = lab.chart_repositories / "own"
    folder.mkdir(parents=True)
    (tmp_path / "web-0.1.0.tgz").replace(folder / "web-0.1.0.tgz")
    run("chart", "repo", "index", str(folder))
    added = run("chart", "repo", "add", "own", f"{seen['chart_repositories']}/own")
    assert added.returncode == 0, added.stderr
    assert "own/web" in run("chart", "search", "web").stdout


def test_a_second_cluster_comes_and_goes(run):
    run("up")
    made = run("cluster", "create", "second")
    assert made.returncode == 0, made.stderr
    assert run("cluster", "list", "-o", "name").stdout.split() == ["lab", "second"]
    assert Path(run("kubeconfig", "second").stdout.strip()).is_file()
    assert run("cluster", "delete", "second").returncode == 1  # nobody agreed
    assert run("cluster", "delete", "second", "--yes").returncode == 0
    assert run("cluster", "list", "-o", "name").stdout.split() == ["lab"]
    assert "holds the lab's applications" in run("cluster", "delete", "lab", "--yes").stderr


def test_a_context_of_ones_own_is_used_only_after_a_yes(run, lab, tmp_path, labkit):
    run("up")
    run("cluster", "create", "other")
    other = run("kubeconfig", "other").stdout.strip()
    mine = tmp_path / "my-kubeconfig"
    shutil.copy(other, mine)
    second = tmp_path / "second-lab"
    labkit("init", str(second))
    context = yaml.load(mine.read_text(encoding="utf-8"))["current-context"]
    asked = labkit("--lab", str(second), "up", "--cluster", f"context:{context}", KUBECONFIG=str(mine))
    assert asked.returncode == 1
    assert "not the lab's own cluster" in asked.stderr
    assert "--yes" in asked.stderr
    try:
        agreed = labkit(
            "--lab", str(second), "up", "--cluster", f"context:{context}", "--yes", KUBECONFIG=str(mine)
        )
        assert agreed.returncode == 0, agreed.stderr
    finally:
        labkit("--lab", str(second), "down", KUBECONFIG=str(mine))
    listed = json.loads(run("cluster", "list", "-o", "json").stdout)
    assert [c["state"] for c in listed if c["name"] == "other"] == ["running"]  # it was not ours to stop


def test_an_unknown_cluster_is_named_with_what_there_is(run):
    done = run("up", "--cluster", "minikube")
    assert done.returncode == 1
    assert "there is no cluster 'minikube'" in done.stderr
    assert "sandbox (needs nothing)" in done.stderr
