"""What the pieces of the page say, and what can be asked for, over plain HTTP."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlencode, urlsplit

import pytest

from .conftest import HOSTILE, config, deployment, service, until


def piece(visitor, app, part, **options):
    answer = visitor.ask(f"/dashboard/fragments/applications/{app}/{part}?{urlencode(options)}")
    assert answer.status == 200, answer.text
    return answer.text


def details(visitor, app, tab, kind, obj, group="", namespace=None):
    named = {"group": group, "kind": kind, "namespace": namespace or app, "name": obj}
    return piece(visitor, app, "details", tab=tab, **named)


@pytest.fixture
def web(shop):
    """An application that has been synced: a Deployment, a Service, a ConfigMap."""
    made = shop("web")
    made.push(deployment("web"), service("web"), config("settings", colour="green"), message="The first one")
    made.create(automated=True).wait()
    return made


def test_a_card_says_what_runs_from_where_and_who_committed_it(visitor, web):
    text = visitor.ask("/dashboard/fragments/applications").text
    for said in ("web", "✓ Synced", "♥ Healthy", "The first one", "Trainee", "automated"):
        assert said in text
    table = visitor.ask("/dashboard/fragments/applications?as=table").text
    assert "<table" in table
    assert "The first one" in table


def test_the_tree_has_what_git_wants_and_what_was_made_of_it(visitor, web):
    nodes = json.loads(visitor.ask("/dashboard/data/applications/web/tree").text)["nodes"]
    kinds = [node["kind"] for node in nodes]
    assert kinds[0] == "Application"
    assert {"Deployment", "ReplicaSet", "Pod", "Service", "EndpointSlice", "ConfigMap"} <= set(kinds)
    known = {node["uid"] for node in nodes}
    assert all(node["parent"] in known for node in nodes[1:])


def test_what_git_wants_and_the_cluster_lacks_is_in_the_tree(visitor, shop):
    made = shop("waiting")
    made.push(config("settings", colour="green"))
    app = made.create()
    until(lambda: app.status.sync, lambda sync: sync == "OutOfSync")
    nodes = json.loads(visitor.ask("/dashboard/data/applications/waiting/tree").text)["nodes"]
    assert [(n["kind"], n["sync"], n["health"]) for n in nodes[1:]] == [("ConfigMap", "OutOfSync", "Missing")]


def test_a_difference_names_the_field_both_values_and_the_writer(visitor, web, lab):
    patch = {"data": {"colour": "red"}}
    lab.cluster.patch("v1", "ConfigMap", "settings", "web", patch=patch, field_manager="a-person")
    until(lambda: lab.apps["web"].status.sync, lambda sync: sync == "OutOfSync")
    for text in (
        piece(visitor, "web", "differences"),
        details(visitor, "web", "difference", "ConfigMap", "settings"),
    ):
        for said in ("data.colour", "red", "green", "a-person", "configmap-settings.yaml"):
            assert said in text


def test_the_loop_says_which_gate_held(visitor, web, lab):
    lab.cluster.patch("v1", "ConfigMap", "settings", "web", patch={"data": {"colour": "red"}})
    text = until(lambda: piece(visitor, "web", "loop"), lambda text: "selfHeal is off" in text)
    assert "does not sync by itself" in text
    assert "no: it stops here" in text


def test_live_desired_events_and_logs_of_one_object(visitor, web, lab):
    pod = next(n for n in lab.apps["web"].logs())
    assert "uid:" in details(visitor, "web", "live", "Pod", pod)
    assert "Git says nothing of it: ReplicaSet" in details(visitor, "web", "desired", "Pod", pod)
    assert "colour: green" in details(visitor, "web", "desired", "ConfigMap", "settings")
    assert "Pulled" in details(visitor, "web", "events", "Pod", pod)
    assert "nginx" in details(visitor, "web", "logs", "Deployment", "web", group="apps")
    assert "MinimumReplicasAvailable" in details(visitor, "web", "summary", "Deployment", "web", group="apps")
    assert "Application" in details(
        visitor, "web", "live", "Application", "web", group="argoproj.io", namespace="argocd"
    )


def test_what_does_not_belong_to_the_application_is_not_shown(visitor, web):
    named = urlencode(
        {"group": "", "kind": "Secret", "namespace": "argocd", "name": "lab-git-host", "tab": "live"}
    )
    answer = visitor.ask(f"/dashboard/fragments/applications/web/details?{named}")
    assert answer.status == 404
    assert "password" not in answer.text


def test_a_secrets_values_are_never_in_the_page(visitor, shop):
    made = shop("hidden")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"k": "dont-tell"},
    }
    made.push(secret)
    made.create(automated=True).wait()
    for tab in ("live", "desired", "difference", "summary"):
        text = details(visitor, "hidden", tab, "Secret", "s")
        assert "dont-tell" not in text
        assert "ZG9udC10ZWxs" not in text


def test_text_from_cluster_and_repository_is_never_markup(visitor, shop):
    made = shop("hostile")
    made.push(
        deployment("web", note=HOSTILE), config("settings", text=HOSTILE), message=f"{HOSTILE} as a message"
    )
    made.create(automated=True).wait()
    shown = [visitor.ask("/dashboard/fragments/applications").text, piece(visitor, "hostile", "head")]
    shown += [
        piece(visitor, "hostile", part) for part in ("loop", "events", "history", "network", "manifest")
    ]
    shown.append(details(visitor, "hostile", "live", "ConfigMap", "settings"))
    assert sum("&lt;img src=x" in text for text in shown) >= 3
    assert not [text for text in shown if "<img src=x" in text]


def test_the_network_shows_who_reaches_whom(visitor, web):
    text = piece(visitor, "web", "network")
    assert "Service web" in text
    assert "1 of 1 Pods ready" in text
    assert "80→80" in text


def test_a_sync_shows_its_plan_first_and_is_then_done(visitor, shop, lab):
    def data(name):
        return lab.cluster.get("v1", "ConfigMap", name, "planned")["data"]

    made = shop("planned")
    made.push(config("a", v="1"), config("b", v="1"))
    app = made.create()
    until(lambda: app.status.sync, lambda sync: sync == "OutOfSync")
    assert piece(visitor, "planned", "plan").count("it is missing") == 2
    assert visitor.act("planned", "sync").status == 200
    app.wait()
    made.push(config("a", v="2"), config("b", v="2"))
    until(lambda: app.status.sync, lambda sync: sync == "OutOfSync")
    assert 'value=":ConfigMap:planned/a"' in piece(visitor, "planned", "plan")
    assert visitor.act("planned", "sync", json.dumps({"dryRun": True})).status == 200
    app.wait(sync=False)
    assert (data("a"), data("b")) == ({"v": "1"}, {"v": "1"})
    assert visitor.act("planned", "sync", json.dumps({"resources": [":ConfigMap:planned/a"]})).status == 200
    app.wait(sync=False)
    assert (data("a"), data("b")) == ({"v": "2"}, {"v": "1"})


def test_a_rollback_is_planned_and_done_and_refused_under_automation(visitor, shop, lab):
    made = shop("back")
    made.push(config("a", v="1"))
    app = made.create()
    app.refresh().sync()
    made.push(config("a", v="2"))
    app.refresh().sync()
    assert "Roll back to this" in piece(visitor, "back", "history")
    assert "it differs" in piece(visitor, "back", "plan", entry="0")
    assert visitor.act("back", "rollback", '{"id": 0}').status == 200
    until(lambda: lab.cluster.get("v1", "ConfigMap", "a", "back")["data"], lambda data: data == {"v": "1"})
    app.wait(sync=False, health=False).set(automated=True)
    assert "Automated sync is on" in piece(visitor, "back", "history")
    refused = visitor.act("back", "rollback", '{"id": 0}')
    assert refused.status == 400
    assert "auto-sync" in json.loads(refused.text)["problem"]


def test_a_deletion_shows_what_goes_and_wants_the_name(visitor, web, lab):
    text = piece(visitor, "web", "deletion")
    assert "delete Deployment web" in text
    assert visitor.act("web", "delete", '{"cascade": true, "confirm": "wbe"}').status == 400
    assert "web" in lab.apps
    assert visitor.act("web", "delete", '{"cascade": true, "confirm": "web"}').status == 200
    until(lambda: "web" in lab.apps, lambda there: not there)
    assert lab.cluster.find("apps/v1", "Deployment", "web", "web") is None


@pytest.mark.parametrize(
    ("action", "body", "says"),
    [
        ("sync", "[]", "not a JSON object"),
        ("sync", "{", "not JSON"),
        ("sync", '{"prune": "yes"}', "prune is not true or false"),
        ("sync", '{"resources": [1]}', "not a list of texts"),
        ("rollback", "{}", "needs the number"),
        ("rollback", '{"id": 99}', "no entry 99"),
        ("terminate", "{}", "no operation is running"),
        ("invented", "{}", "no such action"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(visitor, shop, action, body, says):
    shop("wishes").create()
    answer = visitor.act("wishes", action, body)
    assert answer.status in (400, 404)
    assert says in json.loads(answer.text)["problem"]


def test_an_application_that_is_not_there_is_a_page_that_says_so(visitor):
    answer = visitor.ask("/dashboard/applications/nobody")
    assert answer.status == 404
    assert "there is no application" in answer.text
    assert visitor.ask("/dashboard/data/applications/nobody/tree").status == 404


def test_news_of_an_application_comes_as_an_event(visitor, lab, shop):
    address = urlsplit(lab.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    cookie = "; ".join(f"{k}={v}" for k, v in visitor.cookies.items())
    connection.request("GET", "/dashboard/events", headers={"Cookie": cookie})
    stream = connection.getresponse()
    assert stream.getheader("content-type", "").startswith("text/event-stream")
    assert stream.readline().startswith(b"retry")
    shop("news").create()
    lines = iter(stream.readline, b"")
    assert any(line.startswith(b"data: ") and "news" in json.loads(line[6:]) for line in lines)
    connection.close()
