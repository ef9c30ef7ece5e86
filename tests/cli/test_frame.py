from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labkit.cli import frame
from labkit.cli.frame import COMMANDS, GROUPS, load
from labkit.settings import Settings

ALL = [(name, entry) for name, entry in COMMANDS.items() if not entry.target.endswith(":")]
ALL += [(name, entry) for group in GROUPS.values() for name, entry in group.items()]


@pytest.mark.parametrize(("name", "entry"), ALL, ids=[f"{e.target}" for _, e in ALL])
def test_every_command_loads_and_begins_its_help_like_the_line_that_stands_for_it(name, entry):
    described = load(name, entry).help or ""
    assert described.split()[:2] == entry.help.split()[:2]


@pytest.mark.parametrize(
    "command", [["--help"], ["app", "--help"], ["repo", "-h"], ["cluster", "-h"], ["app", "create", "-h"]]
)
def test_help_is_printed_plainly_and_succeeds(labkit, command):
    done = labkit(*command)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: labkit")
    assert "\033" not in done.stdout


def test_help_imports_nothing_heavy():
    code = "import sys; from labkit.cli.frame import run; run(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.splitlines()[-1].split())
    heavy = {
        "rich",
        "starlette",
        "uvicorn",
        "kubernetes",
        "yaml",
        "git",
        "jinja2",
        "IPython",
        "labkit.lab",
        "urllib3",
    }
    assert not heavy & modules


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(labkit):
    done = labkit("ap")
    assert done.returncode == 2
    assert "Did you mean" in done.stderr


def test_no_command_shows_the_help(labkit):
    assert "Working with it:" in f"{labkit().stdout}{labkit().stderr}"


def test_the_version_is_told(labkit):
    assert labkit("--version").stdout.startswith("labkit ")


def test_a_command_outside_a_lab_folder_says_how_to_make_one(labkit, tmp_path):
    done = labkit("status")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path}: this is not a lab folder")
    assert "Fix: Make one: labkit init DIR" in done.stderr


def test_a_lab_that_is_not_running_is_an_exit_code_of_its_own(labkit, tmp_path):
    Settings.create(tmp_path / "lab")
    done = labkit("status", "--lab", str(tmp_path / "lab"))
    assert done.returncode == 3
    assert "not running" in done.stdout
    assert labkit("--lab", str(tmp_path / "lab"), "status", "-o", "json").returncode == 3


@pytest.mark.parametrize("command", [["app", "list"], ["repo", "create", "shop"], ["app", "sync", "x"]])
def test_working_with_a_lab_that_is_not_running_says_how_to_start_it(labkit, tmp_path, command):
    Settings.create(tmp_path)
    done = labkit(*command)
    assert done.returncode == 1
    assert f"Fix: Start it: labkit --lab {tmp_path} up" in done.stderr


def test_a_lab_folder_of_a_newer_version_is_refused_by_every_command(labkit, tmp_path):
    lab = Settings.create(tmp_path)
    (lab.state / "lab.json").write_text('{"format": 99}', encoding="utf-8")
    for command in (["up"], ["status"], ["app", "list"], ["init", str(tmp_path)]):
        done = labkit(*command)
        assert done.returncode == 1
        assert "newer labkit" in done.stderr
        assert "Fix: Update labkit" in done.stderr


def test_an_error_shows_its_traceback_only_when_asked_for(labkit):
    assert "Traceback" not in labkit("status").stderr
    assert "Traceback" in labkit("status", LABKIT_DEBUG="1").stderr


def test_the_lab_option_counts_wherever_it_stands(labkit, tmp_path):
    Settings.create(tmp_path / "lab")
    where = str(tmp_path / "lab")
    for command in (["--lab", where, "down"], ["down", "--lab", where], ["down", f"--lab={where}"]):
        assert labkit(*command).returncode == 0
    assert labkit("down", LABKIT_HOME=where).returncode == 0


def test_completion_knows_the_commands(labkit):
    done = labkit("app", _LABKIT_COMPLETE="complete_bash", COMP_WORDS="labkit app s", COMP_CWORD="2")
    assert done.stdout.split() == ["set", "sync"]
    done = labkit("app", _LABKIT_COMPLETE="complete_bash", COMP_WORDS="labkit app sync --pr", COMP_CWORD="3")
    assert "--prune" in done.stdout.split()


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        (["app", "delete", "x", "--cascade=false"], ["app", "delete", "x", "--no-cascade"]),
        (["app", "create", "x", "--auto-prune=true"], ["app", "create", "x", "--auto-prune"]),
        (
            ["app", "set", "x", "--helm-set", "--self-heal=false"],
            ["app", "set", "x", "--helm-set", "--no-self-heal"],
        ),
        (["x", "--", "--prune=true"], ["x", "--", "--prune=true"]),
    ],
)
def test_argo_cds_way_to_write_a_switch_is_understood(given, parsed):
    assert frame._global_options(given) == parsed


def test_a_pipe_that_closes_early_is_no_error(clean_environment, tmp_path):
    command = f"{sys.executable} -m labkit.cli app --help | head -1"
    environment = clean_environment | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command,
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout.startswith("Usage")
    assert done.stderr == ""
