"""Charts of chart repositories as sources: a range of versions, credentials from Secrets, values from Git."""

from __future__ import annotations

import pytest
from chart_server import USER, ChartServer, archives
from serving import run_server

from labkit.errors import ApplicationError
from labkit.gitops import operations
from labkit.gitops.api.names import NAMESPACE, SECRET_TYPE
from labkit.helm.dependencies import Dependencies
from labkit.helm.repositories import ChartRepository
from labkit.runtime.clock import SystemClock
from tests.gitops.test_bad_input import condition

AUTOMATED = {"prune": True, "selfHeal": True}


@pytest.fixture
def server(tmp_path):
    made = ChartServer()
    made.publish(archives(tmp_path / "charts", ["0.1.0", "0.1.5", "0.2.0"]))
    made.port, stop = run_server(made)
    yield made
    stop()


def chart(server, revision, **helm):
    return {"repoURL": server.url, "chart": "web", "targetRevision": revision, "helm": helm}


def seen(world, app):
    found = world.find("ConfigMap", "seen", app)
    return found and found["data"]["it"]


def test_the_highest_version_in_the_range_is_deployed(world, server, tmp_path):
    app = world.app("web", None, automated=AUTOMATED, source=chart(server, "0.1.x"))
    status = world.settled(app)["status"]
    assert seen(world, app) == "0.1.5"
    assert (status["sync"]["revision"], status["sourceType"]) == ("0.1.5", "Helm")
    server.publish(archives(tmp_path / "newer", ["0.1.5", "0.1.6", "0.2.0"]))
    operations.refresh(world.cluster, app)
    world.until(lambda: seen(world, app), lambda it: it == "0.1.6")
    assert [entry["revision"] for entry in world.settled(app)["status"]["history"]] == ["0.1.5", "0.1.6"]


def test_an_earlier_version_comes_back_by_rollback(world, server):
    app = world.app("web", None, source=chart(server, "0.1.0"))
    operations.sync(world.cluster, app)
    world.settled(app)
    operations.update(
        world.cluster, app, lambda obj: {**obj, "spec": obj["spec"] | {"source": chart(server, "0.2.0")}}
    )
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app)
    world.until(lambda: seen(world, app), lambda it: it == "0.2.0")
    operations.wait_for_operation(world.cluster, app, timeout=30)
    operations.rollback(world.cluster, app)
    operations.wait_for_operation(world.cluster, app, timeout=30)
    assert seen(world, app) == "0.1.0"


def test_values_of_a_chart_may_lie_in_git(world, server):
    values = world.repository("values")
    values.push({"web.yaml": "seen: from Git\n"})
    sources = [
        chart(server, "0.2.0", valueFiles=["$values/web.yaml"]),
        {"repoURL": values.url, "targetRevision": "main", "ref": "values"},
    ]
    app = world.app("web", values, automated=AUTOMATED, sources=sources)
    world.settled(app)
    assert seen(world, app) == "from Git"


def test_the_credential_is_that_of_a_secret_and_is_told_nowhere(world, server):
    server.login = USER
    app = world.app("web", None, automated=AUTOMATED, source=chart(server, "^0.1"))
    assert "login" in condition(world, app)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "charts", "namespace": NAMESPACE, "labels": {SECRET_TYPE: "repository"}},
        "stringData": {"type": "helm", "url": server.url + "/", "username": USER.username},
    }
    world.cluster.create(secret | {"stringData": secret["stringData"] | {"password": USER.password}})
    try:
        operations.refresh(world.cluster, app)
        obj = world.settled(app)
        assert seen(world, app) == "0.1.5"
        assert USER.password not in str(obj)
    finally:
        world.cluster.delete("v1", "Secret", "charts", NAMESPACE)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"chart": "wbe", "targetRevision": "0.1.0"}, ["'wbe'", "There are: web"]),
        ({"chart": "web", "targetRevision": "^3"}, ["'^3'", "0.2.0"]),
        ({"chart": "web", "targetRevision": "newest"}, ["'newest'", "range"]),
        ({"chart": "../web", "targetRevision": "0.1.0"}, ["../web"]),
    ],
)
def test_a_chart_that_is_not_there_is_named(world, server, source, said):
    app = world.app("web", None, source={"repoURL": server.url, **source})
    message = condition(world, app)
    assert [word for word in said if word not in message] == [], message


def test_a_repository_that_does_not_answer_leaves_what_runs_running(world, server, tmp_path):
    app = world.app("web", None, automated=AUTOMATED, source=chart(server, "0.1.x"))
    world.settled(app)
    server.files.clear()
    operations.refresh(world.cluster, app)
    assert "/index.yaml" in condition(world, app)
    assert world.status(app)["sync"]["status"] == "Unknown"
    assert seen(world, app) == "0.1.5"
    server.publish(archives(tmp_path / "again", ["0.1.5"]))
    operations.refresh(world.cluster, app)
    world.settled(app)


def test_a_chart_needs_a_version(world, server):
    with pytest.raises(ApplicationError) as error:
        world.app("web", None, source={"repoURL": server.url, "chart": "web"})
    assert error.value.where == "spec.source.targetRevision"


# -- a chart in Git that needs charts which are not


def umbrella(server, *, version="0.1.x", repository="", **more):
    needs = {"name": "web", "version": version, "repository": repository or server.url, **more}
    metadata = {"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": [needs]}
    return {"chart/Chart.yaml": metadata, "chart/values.yaml": "web:\n  seen: by the parent\n"}


def test_what_a_chart_needs_is_fetched_and_gets_its_values(world, server):
    repo = world.repository("umbrella")
    repo.push(umbrella(server))
    app = world.app("umbrella", repo, path="chart", automated=AUTOMATED)
    world.settled(app)
    assert seen(world, app) == "by the parent"


def test_the_lock_decides_where_there_is_one(world, server, tmp_path):
    repo = world.repository("umbrella")
    repo.push(umbrella(server) | {"chart/values.yaml": ""})
    chart = repo.copy.path / "chart"
    Dependencies(chart, ChartRepository, cache=tmp_path / "mine").update(SystemClock().now())
    for archive in (chart / "charts").iterdir():
        archive.unlink()  # the lock is pushed, the charts are not
    repo.push({})
    server.publish(archives(tmp_path / "newer", ["0.1.5", "0.1.6"]))
    app = world.app("umbrella", repo, path="chart", automated=AUTOMATED)
    world.settled(app)
    assert seen(world, app) == "0.1.5"


def test_a_neighbour_in_the_repository_is_taken_and_what_lies_outside_is_not(world, server):
    repo = world.repository("umbrella")
    repo.push(
        umbrella(server, version="*", repository="file://../neighbour")
        | {
            "neighbour/Chart.yaml": "apiVersion: v2\nname: web\nversion: 3.0.0\n",
            "neighbour/values.yaml": "seen: nobody\n",
            "neighbour/templates/seen.yaml": (
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen}\ndata: {it: '{{ .Values.seen }}'}\n"
            ),
        }
    )
    app = world.app("umbrella", repo, path="chart", automated=AUTOMATED)
    world.settled(app)
    assert seen(world, app) == "by the parent"
    repo.push(umbrella(server, version="*", repository="file://../../../charts"))
    message = condition(world, app)
    assert "leads out of the repository" in message
    assert "chart/Chart.yaml" in message
    assert "/build" not in message


def test_a_chart_that_nobody_has_is_named(world, server):
    repo = world.repository("umbrella")
    repo.push(umbrella(server, version="^7"))
    app = world.app("umbrella", repo, path="chart")
    message = condition(world, app)
    assert "'^7'" in message
    assert "0.2.0" in message
