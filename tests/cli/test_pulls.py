"""Pull requests from the command line, on a real lab: what they change is rendered for each application."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .conftest import no_traceback

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: page}\ndata: {COLOUR: COLOUR_HERE}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A lab folder with a repository, two applications that follow it, and a branch that was pushed."""
    from labkit.lab import Lab
    from labkit.lab.layout import lay_out

    home = tmp_path_factory.mktemp("pulls") / "lab"
    lay_out(home)
    with Lab(home) as lab:
        repo = lab.repos.create("shop")
        work = repo.clone()
        commit(work, "blue", "Blue")
        for name in ("shop", "shop-test"):
            lab.apps.create(name, repo=repo, automated=True).wait()
        for branch, colour, file in (("green", "green", "page.yaml"), ("broken", "[green", "more.yaml")):
            work.checkout("main").checkout(branch, create=True)
            commit(work, colour, branch.capitalize(), file)
        work.checkout("green")
        yield home
        lab.stop()


def commit(work, colour, message, file="page.yaml"):
    (work.path / file).write_text(MANIFEST.replace("COLOUR_HERE", colour), encoding="utf-8")
    work.add().commit(message)
    work.push()


@pytest.fixture
def pr(here, home):
    def run(*arguments, fails=False):
        done = here("pr", *arguments, cwd=home / "work" / "shop", LABKIT_HOME=str(home))
        assert no_traceback(done)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    return run


def test_a_request_goes_from_the_working_copy_to_the_cluster(pr, labkit, home):
    labkit("repo", "protect", "shop", LABKIT_HOME=str(home))
    made = json.loads(pr("create", "--body", "Green is the season's colour.", "-o", "json"))
    assert (made["number"], made["head"], made["title"]) == (1, "green", "Green")
    assert "#1" in pr("list")
    assert "+data: {COLOUR: green}" in pr("diff", "1")
    rendered = pr("diff", "1", "--rendered")
    for name in ("shop", "shop-test"):
        assert f"=== {name} (namespace {name}): update ConfigMap page" in rendered
    assert rendered.count("+  COLOUR: green") == 2
    assert "1 approval of the newest commit missing" in pr("merge", "1", fails=True)
    pr("review", "1", "--approve", "--by", "colleague")
    assert "merged by trainee (squash)" in pr("merge", "1", "--squash", "--delete-branch")

    from labkit.lab import Lab

    with Lab(home) as lab:
        app = lab.apps["shop-test"].refresh().wait()
        assert app.commit.endswith("Green (#1)")
        assert lab.cluster.get("v1", "ConfigMap", "page", "shop-test")["data"] == {"COLOUR": "green"}


def test_a_request_that_would_not_render_says_so_for_each_application(pr):
    number = json.loads(pr("create", "--head", "broken", "--title", "Broken", "-o", "json"))["number"]
    shown = pr("view", str(number))
    assert "✓ passed  merge" in shown
    assert "✖ failed  render shop " in shown
    assert "✖ failed  render shop-test" in shown
    assert "more.yaml" in shown
    pr("comment", str(number), "--body", "Look at the bracket.", "--by", "colleague")
    assert "colleague: Look at the bracket." in pr("view", str(number))
    pr("close", str(number))
    assert pr("list") == ""


def test_the_page_shows_it_to_those_who_have_the_credential_and_nothing_of_it_is_html(pr, labkit, home):
    from labkit.lab import Lab

    with Lab(home) as lab:
        work = lab.repos["shop"].clone()
        work.checkout("main").pull()
        work.checkout("angle", create=True)
        commit(work, "'<script>alert(1)</script>'", "<b>Angle</b>")
        pull = lab.repos["shop"].pulls.open("angle")
        url = urlsplit(pull.url)
    assert get(url, "") == (401, "The lab wants its credential.\n")
    token = (home / ".lab" / "token").read_text(encoding="utf-8").strip()
    status, page = get(url, token)
    assert status == 200
    assert "&lt;b&gt;Angle&lt;/b&gt;" in page
    assert "<script" not in page
    assert "What changes in the cluster" in page
    assert get(url._replace(path=url.path.rpartition("/")[0]), token)[0] == 200
    assert get(url._replace(path=url.path.rpartition("/")[0] + "/99"), token)[0] == 404


def get(url, token):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    login = base64.b64encode(f"trainee:{token}".encode()).decode()
    connection.request("GET", url.path, headers={"Authorization": f"Basic {login}"} if token else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_a_service_that_was_killed_still_has_what_was_acknowledged(pr, labkit, home):
    from labkit.lab import Lab

    service = json.loads((home / ".lab" / "service.json").read_text(encoding="utf-8"))
    with Lab(home) as lab:
        pulls = lab.repos["shop"].pulls
        before = [pull.facts for pull in pulls.all()]
        os.kill(service["pid"], signal.SIGKILL)
    done = labkit("up", LABKIT_HOME=str(home))
    assert done.returncode == 0, done.stderr
    with Lab(home) as lab:
        assert [pull.facts for pull in lab.repos["shop"].pulls.all()] == before
        assert lab.repos["shop"].protected == {"main": 1}


def test_outside_of_a_working_copy_the_repository_has_to_be_named(labkit, home, tmp_path):
    done = labkit("pr", "list", cwd=tmp_path, LABKIT_HOME=str(home))
    assert done.returncode == 1
    assert "--repo NAME" in done.stderr


def test_an_ordinary_clone_is_a_working_copy_too(labkit, home, tmp_path):
    source = Path(home / "work" / "shop")
    url = subprocess.run(
        ["git", "remote", "get-url", "origin"], cwd=source, check=True, capture_output=True, text=True
    ).stdout.strip()
    subprocess.run([shutil.which("git"), "clone", "-q", url, str(tmp_path / "mine")], check=True)
    done = labkit("pr", "list", "--state", "all", cwd=tmp_path / "mine", LABKIT_HOME=str(home))
    assert "#1" in done.stdout
