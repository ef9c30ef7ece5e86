"""The same picture where there is no page: in a notebook's objects and in a terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .conftest import config, deployment, service


@pytest.fixture
def web(shop):
    made = shop("web")
    made.push(deployment("web"), service("web"), config("settings", colour="green"), message="The first one")
    return made.create(automated=True).wait()


def top(lab, *arguments):
    command = [sys.executable, "-m", "labkit.cli", "--lab", str(lab.home), "top", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_terminal_shows_all_applications(lab, web):
    done = top(lab, "--once")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("web"))
    for said in ("✓ Synced", "♥ Healthy", "automated", "The first one", "Trainee"):
        assert said in line


def test_a_terminal_shows_one_application_with_its_loop_and_its_tree(lab, web):
    shown = top(lab, "web").stdout  # nobody looks at a pipe, so it is printed once
    for said in (
        "✓ received",
        "✓ rendered",
        "3 objects from 3 files",
        "✓ wave 0",
        "♥ healthy",
        "Deployment web",
    ):
        assert said in shown
    assert "→ There is nothing to do: live is what Git says." in shown


def test_top_of_an_application_that_is_not_there_says_which_there_are(lab, web):
    done = top(lab, "wbe")
    assert done.returncode == 1
    assert "There are: web" in done.stderr


def test_a_link_is_printed_and_opens_no_browser(lab, web):
    command = [sys.executable, "-m", "labkit.cli", "--lab", str(lab.home), "dashboard", "web", "--url"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{lab.url}/dashboard/enter?key=")
    assert done.stdout.endswith("&to=web\n")


def test_a_notebook_has_the_same_views(lab, web):
    assert "3 objects from 3 files" in web.loop.text
    assert "Service web" in web.network.text
    assert "tiles" in lab.picture()._repr_html_()
    assert "The first one" in lab.live()._repr_html_()
    assert "Deployment" in repr(web.live())
