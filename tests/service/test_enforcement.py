"""Over HTTP: who asks is judged on every way to an application, and hears no more than they may."""

from __future__ import annotations

import copy
import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.service.conftest import Person, until

PARTS = ("manifests", "managed-resources", "plan", "loop", "resource-tree", "revision-metadata")


@pytest.fixture(scope="module")
def ann(town):
    return town.person("ann")


@pytest.fixture(scope="module")
def bob(town):
    return town.person("bob")


@pytest.fixture(scope="module")
def carl(town):
    return town.person("carl")


@pytest.fixture(scope="module")
def eve(town):
    return town.person("eve")


def test_lists_show_what_one_may_see(town, ann, bob, eve):
    assert town.owner.names("applications") == ["prod", "vault", "web"]
    assert ann.names("applications") == ["prod", "web"]
    assert bob.names("applications?projects=bank") == ["vault"]
    assert eve.names("applications") == []
    assert ann.names("projects") == ["shop"]
    assert set(town.owner.names("projects")) == {"default", "shop", "bank"}


def test_what_one_may_not_see_is_refused_as_what_is_not_there(ann):
    there, nowhere = ann.get("applications/vault"), ann.get("applications/nowhere")
    assert there.status == nowhere.status == 403
    assert there.message == nowhere.message == "permission denied"
    assert there.body["fix"].replace("vault", "X") == nowhere.body["fix"].replace("nowhere", "X")


def test_who_may_see_everything_hears_that_there_is_none(town, carl):
    for person in (town.owner, carl):
        answer = person.get("applications/nowhere")
        assert (answer.status, answer.body["kind"]) == (404, "ApplicationNotFound")


def test_who_names_a_project_that_they_may_see_hears_not_found_of_another_projects_application(ann):
    assert ann.get("applications/web?project=shop").status == 200
    assert ann.get("applications/vault?project=shop").status == 404
    assert ann.get("applications/nowhere?project=shop").status == 404
    assert ann.get("applications/vault?project=bank").status == 403


@pytest.mark.parametrize("part", [*PARTS, "logs", "events"])
def test_no_part_of_an_application_is_another_way_to_it(eve, part):
    assert eve.get(f"applications/vault/{part}").status == 403


@pytest.mark.parametrize("part", PARTS)
def test_who_may_get_an_application_may_see_its_parts(ann, part):
    assert ann.get(f"applications/web/{part}").status == 200


def test_a_refusal_has_argo_cds_words_and_the_rule_that_is_missing(ann, bob):
    refused = ann.delete("applications/web")
    assert refused.status == 403
    assert refused.message.startswith("permission denied: applications, delete, shop/web, sub: ann, iat: 20")
    assert "p, ann, applications, delete, shop/web, allow" in refused.body["fix"]
    refused = bob.delete("applications/web")
    assert refused.body["fix"] == "What decided: p, bob, applications, delete, shop/*, deny"


def test_a_denial_stands_whichever_way_is_tried(town, ann):
    assert ann.post("applications/prod/sync").status == 403
    assert ann.post("applications/prod/rollback", {"id": 0}).status == 403
    assert ann.delete("applications/prod/operation").status == 403
    found = ann.get("applications/prod").body
    wanted = copy.deepcopy(found) | {"operation": {"sync": {"revision": "main"}}}
    assert ann.put("applications/prod", wanted).status == 403
    assert ann.post("applications?upsert=true", wanted).status == 403
    assert "operation" not in town.owner.get("applications/prod").body


def test_an_operation_is_not_smuggled_in_with_a_change(town, bob):
    """To sync wants ``sync``, also of those who may write the object."""
    made = town.application("smuggled", "shop") | {
        "operation": {"sync": {}},
        "status": {"sync": {"status": "Synced"}},
    }
    made["metadata"] |= {"ownerReferences": [{"kind": "X", "name": "x", "uid": "x", "apiVersion": "v1"}]}
    assert bob.post("applications", made).status == 200
    found = bob.get("applications/smuggled").body
    assert "operation" not in found
    assert "ownerReferences" not in found["metadata"]
    assert not (found.get("status") or {}).get("operationState")
    assert town.owner.delete("applications/smuggled").status == 200


def test_a_sync_is_done_in_the_name_of_who_asked(town, ann):
    assert ann.post("applications/web/sync", {"revision": "main"}).status == 200
    until(
        lambda: ann.get("applications/web").body["status"].get("operationState"),
        lambda state: state and state["operation"]["initiatedBy"] == {"username": "ann"},
    )


def test_settings_tell_rollback_from_sync_and_ask_for_override_of_another_revision(town, ann):
    """Argo CD's ``argocd-cm`` has both; without them ``sync`` is enough."""

    def settings(said):
        names = (
            "server.rbac.rollback.enforce.enable",
            "application.sync.requireOverridePrivilegeForRevisionSync",
        )
        patch = {"data": dict.fromkeys(names, said)}
        town.lab.cluster.patch("v1", "ConfigMap", "argocd-cm", "argocd", patch=patch)

    def may_roll_back():
        return ann.get("account/can-i/applications/rollback/shop%2Fweb").body["value"]

    assert may_roll_back() == "yes"
    assert (
        ann.post("applications/web/rollback", {"id": 999}).status == 400
    )  # let through; there is no such entry
    settings("true")
    until(may_roll_back, lambda value: value == "no")
    refused = ann.post("applications/web/rollback", {"id": 999})
    assert refused.message.startswith("permission denied: applications, rollback, shop/web, sub: ann")
    refused = ann.post("applications/web/sync", {"revision": "another", "dryRun": True})
    assert refused.message.startswith("permission denied: applications, override, shop/web, sub: ann")
    settings(None)
    until(may_roll_back, lambda value: value == "yes")


def test_logs_want_their_own_permission(ann, bob):
    refused = ann.get("applications/web/logs")
    assert refused.message.startswith("permission denied: logs, get, shop/web, sub: ann")
    assert bob.get("applications/web/logs").status == 200


def test_an_application_goes_into_another_project_only_by_who_may_create_there(town, bob):
    found = bob.get("applications/web").body
    moved = {**found, "spec": {**found["spec"], "project": "bank"}}
    refused = bob.put("applications/web", moved)
    assert refused.message.startswith("permission denied: applications, create, bank/web, sub: bob")
    assert town.owner.get("applications/web").body["spec"]["project"] == "shop"


def test_a_name_that_another_project_has_is_taken_and_nothing_more_is_said(town, ann):
    assert ann.post("applications", town.application("vault", "shop")).status == 403
    patch = {"data": {"policy.dan.csv": "p, dan, applications, *, shop/*, allow"}}
    town.lab.cluster.patch("v1", "ConfigMap", "argocd-rbac-cm", "argocd", patch=patch)
    dan = town.person("dan")
    made = town.application("vault", "shop")
    refused = until(lambda: dan.post("applications", made), lambda answer: answer.status != 403)
    assert refused.status == 400
    assert refused.message == "the name 'vault' is taken"
    assert town.owner.get("applications/vault").body["spec"]["project"] == "bank"


def test_a_project_that_one_may_not_see_is_not_named(town, bob):
    town.lab.cluster.patch(
        "v1",
        "ConfigMap",
        "argocd-rbac-cm",
        "argocd",
        patch={"data": {"policy.more.csv": "p, bob, applications, create, ghost/*, allow"}},
    )
    made = town.application("new", "ghost")
    refused = until(lambda: bob.post("applications", made), lambda answer: answer.status != 403)
    assert refused.message == "application refers to project 'ghost', which does not exist"
    assert refused.body["fix"] == "There are: shop."


def test_an_older_state_does_not_overwrite_a_newer(town, bob):
    found = bob.get("applications/web").body
    found["metadata"]["labels"] = {"team": "a"}
    town.touch("web")
    assert bob.put("applications/web", found).status == 409
    del found["metadata"]["resourceVersion"]
    assert bob.put("applications/web", found).body["metadata"]["labels"] == {"team": "a"}


def test_sets_reach_only_projects_that_one_may_reach(town, ann):
    def made(project, **more):
        template = {"metadata": {"name": "{{name}}"}, "spec": town.application("x", project)["spec"]}
        elements = [{"name": "one"}, {"name": "two"}]
        generator = {"list": {"elements": elements} | more.pop("generator", {})}
        return {
            "kind": "ApplicationSet",
            "metadata": {"name": "many"},
            "spec": {"generators": [generator], "template": template, **more},
        }

    seen = ann.post("applicationsets/generate", {"applicationSet": made("shop")})
    assert [app["metadata"]["name"] for app in seen.body["applications"]] == ["one", "two"]
    assert town.owner.names("applicationsets") == []
    refused = ann.post("applicationsets", made("bank"))
    assert refused.message.startswith("permission denied: applicationsets, create, bank/many, sub: ann")
    elsewhere = {"template": {"metadata": {}, "spec": {"project": "bank"}}}
    assert ann.post("applicationsets", made("shop", generator=elsewhere)).status == 403
    for trick in (made("{{name}}"), made("shop", templatePatch="spec: {project: bank}")):
        refused = ann.post("applicationsets", trick)
        assert refused.status == 400
        assert "in every project" in refused.message
    assert ann.post("applicationsets", made("shop")).status == 200
    assert ann.names("applicationsets") == ["many"]
    assert until(lambda: ann.names("applications"), lambda names: {"one", "two"} <= set(names))
    assert town.person("eve").get("applicationsets/many").message == "permission denied"
    assert ann.delete("applicationsets/many").status == 200
    until(lambda: ann.names("applications"), lambda names: not {"one", "two"} & set(names))


def test_a_project_is_not_opened_to_what_one_may_not_open(bob):
    found = bob.get("projects/shop").body
    wider = copy.deepcopy(found)
    wider["spec"]["destinations"].append({"server": "https://bank.example", "namespace": "*"})
    refused = bob.put("projects/shop", {"project": wider})
    assert refused.message.startswith("permission denied: clusters, update, https://bank.example, sub: bob")
    wider = copy.deepcopy(found)
    wider["spec"]["clusterResourceWhitelist"] = [{"group": "*", "kind": "*"}]
    assert bob.put("projects/shop", {"project": wider}).status == 403
    described = copy.deepcopy(found)
    described["spec"]["description"] = "The shop"
    described["metadata"]["resourceVersion"] = "1"
    assert bob.put("projects/shop", {"project": described}).status == 409  # it was made of an older state
    described["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
    assert bob.put("projects/shop", {"project": described}).body["spec"]["description"] == "The shop"


def test_a_project_is_not_closed_to_applications_that_are_in_it(town):
    found = town.owner.get("projects/bank").body
    found["spec"]["destinations"] = [{"server": "*", "namespace": "other"}]
    refused = town.owner.put("projects/bank", {"project": found})
    assert refused.message == "as a result of project update 1 applications destination became invalid"
    assert town.owner.delete("projects/bank").message == "project is referenced by 1 application"


def test_repositories_come_without_the_owners_credential(town, ann, eve):
    (mine,) = town.owner.get("repositories").body["items"]
    assert town.owner.token in mine["clone_url"]
    (seen,) = ann.get("repositories").body["items"]
    assert town.owner.token not in json.dumps(seen)
    assert eve.get("repositories").body["items"] == []
    assert ann.post("repositories", {"name": "new"}).status == 403
    assert ann.delete("repositories/web").status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "shutdown"),
        ("GET", "repositories/web/pulls"),
        ("POST", "repositories/web/protection"),
    ],
)
def test_what_policies_know_nothing_of_is_the_owners_alone(bob, method, path):
    refused = bob.ask(method, f"/api/v1/{path}", {} if method == "POST" else None)
    assert (refused.status, refused.message[:17]) == (403, "permission denied")


def test_clusters_are_listed_without_what_opens_them(town, ann):
    assert [c["name"] for c in town.owner.get("clusters").body["items"]] == ["in-cluster"]
    assert ann.get("clusters").body["items"] == []


def next_of(stream):
    """The metadata of the next application that a stream tells of."""
    while not (line := stream.readline().strip()):
        pass
    return json.loads(line)["result"]["application"]["metadata"]


def test_changes_are_streamed_to_those_who_may_see_them(town, ann):
    address = urlsplit(town.lab.url)

    def follow(person):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=40)
        connection.request(
            "GET", "/api/v1/stream/applications", headers={"Authorization": f"Bearer {person.token}"}
        )
        return connection, connection.getresponse()

    connection, stream = follow(ann)
    try:
        found = {json.loads(stream.readline())["result"]["application"]["metadata"]["name"] for _ in range(2)}
        assert found == {"web", "prod"}
        for name in ("vault", "prod"):  # the change of the one that she may not see comes first
            town.touch(name)
        while "touched" not in (told := next_of(stream)).get("labels", {}):
            assert told["name"] in ("web", "prod")
        assert told["name"] == "prod"
    finally:
        connection.close()


def test_a_guest_is_a_stranger_until_the_settings_let_them_in(town):
    guest = Person(town.lab.url)
    assert guest.get("applications").status == 401
    patch = {"data": {"users.anonymous.enabled": "true"}}
    town.lab.cluster.patch("v1", "ConfigMap", "argocd-cm", "argocd", patch=patch)
    until(lambda: guest.get("applications").status, lambda status: status == 200)
    assert guest.names("applications") == []
    assert guest.get("session/userinfo").body["loggedIn"] is False
    patch = {"data": {"users.anonymous.enabled": None}}
    town.lab.cluster.patch("v1", "ConfigMap", "argocd-cm", "argocd", patch=patch)
    until(lambda: guest.get("applications").status, lambda status: status == 401)


def test_what_gives_no_manifests_is_not_made_unless_that_is_said(town, bob):
    """As Argo CD's API server: `validate` renders the sources first."""
    wanted = town.application("nowhere", "shop")
    wanted["spec"]["source"]["path"] = "no/such/folder"
    refused = bob.post("applications", wanted)
    assert refused.status == 400
    assert "no/such/folder" in refused.message
    assert bob.get("applications/nowhere").status == 403
    assert bob.post("applications?validate=false", wanted).status == 200
    assert bob.put("applications/nowhere", wanted).status == 400
    assert town.owner.delete("applications/nowhere").status == 200
