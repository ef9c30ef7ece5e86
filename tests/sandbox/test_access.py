"""RBAC and impersonation, with kubectl --as and with the tokens of service accounts, on a cluster that runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest

from .conftest import Server


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """A cluster with two namespaces, a team that may edit one of them, and a service account that may read pods."""
    folder = tmp_path_factory.mktemp("access") / "cluster"
    folder.mkdir()
    server = Server(folder).start()
    http = server.http()
    for namespace in ("shop", "bank"):
        http.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    role = {
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}],
    }
    assert http.call("POST", f"{rbac}/namespaces/shop/roles", role)[0] == 201
    for name, kind, roles, subject in (
        (
            "editors",
            "ClusterRole",
            "edit",
            {"kind": "Group", "name": "team", "apiGroup": "rbac.authorization.k8s.io"},
        ),
        ("robots", "Role", "reader", {"kind": "ServiceAccount", "name": "robot", "namespace": "bank"}),
    ):
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": roles},
            "subjects": [subject],
        }
        assert http.call("POST", f"{rbac}/namespaces/shop/rolebindings", binding)[0] == 201
    http.call("POST", "/api/v1/namespaces/bank/serviceaccounts", {"metadata": {"name": "robot"}})
    http.close()
    yield server
    server.stop()


@pytest.fixture
def http(team):
    client = team.http()
    yield client
    client.close()


@pytest.fixture
def kubectl(team):
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")

    def run(*arguments, stdin=None):
        command = ["kubectl", "--kubeconfig", str(team.kubeconfig), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, input=stdin)

    return run


def test_a_group_may_edit_its_namespace_and_no_other(kubectl):
    as_ann = ("--as=ann", "--as-group=team")
    assert kubectl(*as_ann, "-n", "shop", "create", "configmap", "a").returncode == 0
    refused = kubectl(*as_ann, "-n", "bank", "create", "configmap", "a")
    assert (
        'configmaps is forbidden: User "ann" cannot create resource "configmaps" in API group "" '
        'in the namespace "bank"'
    ) in refused.stderr
    assert 'cannot list resource "nodes"' in kubectl(*as_ann, "get", "nodes").stderr


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("create", "deployments.apps", "-n", "shop"), "yes"),
        (("create", "rolebindings", "-n", "shop"), "no"),
        (("get", "pods", "--subresource=log", "-n", "shop"), "yes"),
        (("delete", "pods", "-n", "bank"), "no"),
        (("get", "/healthz"), "yes"),
        (("get", "/metrics"), "no"),
    ],
)
def test_can_i_tells_beforehand(kubectl, question, answer):
    said = kubectl("--as=ann", "--as-group=team", "auth", "can-i", *question)
    assert said.stdout.split()[-1] == answer


def test_can_i_lists_what_one_may(kubectl):
    rows = kubectl("--as=ann", "--as-group=team", "auth", "can-i", "--list", "-n", "shop").stdout
    assert "deployments.apps" in rows
    assert "selfsubjectaccessreviews.authorization.k8s.io" in rows


def test_who_one_is(kubectl):
    who = kubectl("--as=ann", "--as-group=team", "--as-uid=7", "auth", "whoami", "-o", "json")
    said = json.loads(who.stdout)["status"]["userInfo"]
    assert said == {"username": "ann", "uid": "7", "groups": ["team", "system:authenticated"]}


def test_a_service_account_reads_with_its_token(kubectl, http):
    token = kubectl("-n", "bank", "create", "token", "robot").stdout.strip()
    assert http.call("GET", "/api/v1/namespaces/shop/pods", token=token)[0] == 200
    status, said, _ = http.call("GET", "/api/v1/namespaces/shop/secrets", token=token)
    assert status == 403
    assert 'User "system:serviceaccount:bank:robot" cannot list resource "secrets"' in said["message"]
    assert http.call("GET", "/api/v1/namespaces/shop/pods", token=token[:-2] + "xx")[0] == 401


def test_a_token_ends_with_its_account(kubectl, http):
    kubectl("-n", "bank", "create", "serviceaccount", "brief")
    token = kubectl("-n", "bank", "create", "token", "brief").stdout.strip()
    assert http.call("GET", "/api", token=token)[0] == 200
    kubectl("-n", "bank", "delete", "serviceaccount", "brief")
    assert http.call("GET", "/api", token=token)[0] == 401


def test_who_may_not_impersonate_is_refused(kubectl, http):
    token = kubectl("-n", "bank", "create", "token", "robot").stdout.strip()
    for headers, what in (
        ({"Impersonate_User": "ann"}, 'cannot impersonate resource "users"'),
        (
            {"Impersonate_User": "system:serviceaccount:bank:robot"},
            'cannot impersonate resource "serviceaccounts"',
        ),
    ):
        status, said, _ = http.call("GET", "/api/v1/pods", token=token, **headers)
        assert status == 403
        assert what in said["message"]


def test_each_part_of_an_impersonation_is_asked_for(kubectl, http):
    rules = [{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["ann"]}]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "act"},
        "rules": rules,
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(role))
    kubectl("create", "clusterrolebinding", "act", "--clusterrole=act", "--serviceaccount=bank:robot")
    token = kubectl("-n", "bank", "create", "token", "robot").stdout.strip()

    def asked(**headers):
        status, said, _ = http.call("GET", "/api", token=token, Impersonate_User="ann", **headers)
        return said["message"] if status == 403 else status

    assert asked() == 200
    assert 'cannot impersonate resource "groups"' in asked(Impersonate_Group="team")
    assert 'cannot impersonate resource "uids"' in asked(Impersonate_Uid="7")
    assert 'cannot impersonate resource "userextras/reason"' in asked(Impersonate_Extra_Reason="x")


def test_a_group_without_a_user_is_no_impersonation(http):
    status, text, _ = http.call("GET", "/api/v1/pods", Impersonate_Group="team")
    assert status == 500
    assert "without impersonating a user" in text


def test_nobody_gives_more_than_he_has(kubectl):
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    own = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "more", "namespace": "shop"},
    }
    kubectl("-n", "shop", "create", "rolebinding", "bob", "--clusterrole=admin", "--user=bob")
    assert kubectl("--as=bob", "apply", "-f", "-", stdin=json.dumps({**own, "rules": rules})).returncode == 0
    rules[0]["apiGroups"] = ["*"]
    refused = kubectl("--as=bob", "apply", "-f", "-", stdin=json.dumps({**own, "rules": rules}))
    assert "attempting to grant RBAC permissions not currently held" in refused.stderr


def test_an_aggregated_role_follows_its_parts(kubectl, http):
    part = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "carts", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        "rules": [{"apiGroups": ["shop.example"], "resources": ["carts"], "verbs": ["get"]}],
    }
    kubectl("create", "clusterrolebinding", "eve", "--clusterrole=view", "--user=eve")
    kubectl("apply", "-f", "-", stdin=json.dumps(part))

    def may():
        asked = {"group": "shop.example", "resource": "carts", "verb": "get"}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        said = http.call("POST", path, {"spec": {"user": "eve", "resourceAttributes": asked}})[1]
        return said["status"]["allowed"]

    deadline = time.monotonic() + 20
    while not may():
        assert time.monotonic() < deadline
    kubectl("delete", "clusterrole", "carts")
    while may():
        assert time.monotonic() < deadline
