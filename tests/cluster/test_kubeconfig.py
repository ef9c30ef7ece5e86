"""Kubeconfigs as people have them: several, damaged, with paths, with secrets."""

import base64

import pytest
import yaml

from labkit.cluster import Cluster, Kubeconfig
from labkit.errors import ClusterError

GOOD = {
    "current-context": "one",
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:6443"}}],
    "users": [{"name": "me", "user": {"token": "s3cret"}}],
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me", "namespace": "shop"}}],
}


@pytest.fixture
def write(tmp_path):
    def write(content, name="config"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


def changed(section, **fields):
    """The good one with fields of a section's first entry changed."""
    inner = {"clusters": "cluster", "users": "user", "contexts": "context"}[section]
    entry = GOOD[section][0]
    return GOOD | {section: [entry | {inner: entry[inner] | fields}]}


def test_the_current_context_says_server_namespace_and_credential(write):
    access = Kubeconfig.load(write(GOOD)).access()
    assert (access.name, access.server, access.namespace) == ("one", "https://127.0.0.1:6443", "shop")
    assert access.headers() == [("Authorization", "Bearer s3cret")]


def test_of_several_files_the_first_that_has_a_name_wins(write):
    other = changed("clusters", server="https://other:1") | {"current-context": "two"}
    other["contexts"] = [*other["contexts"], {"name": "two", "context": {"cluster": "one", "user": "me"}}]
    loaded = Kubeconfig.load(write(GOOD, "a"), write(other, "b"))
    assert loaded.contexts == ["one", "two"]
    assert loaded.current == "one"
    assert loaded.access("two").server == "https://127.0.0.1:6443"


def test_of_several_files_some_may_be_absent(write, tmp_path):
    assert Kubeconfig.load(tmp_path / "gone", write(GOOD)).current == "one"


def test_json_is_a_kubeconfig_too(write):
    import json

    assert Kubeconfig.load(write(json.dumps(GOOD))).current == "one"


def test_paths_in_a_kubeconfig_are_relative_to_it(write):
    write("PEM", "folder/ca.crt")
    path = write(changed("clusters", **{"certificate-authority": "ca.crt"}), "folder/config")
    assert Kubeconfig.load(path).access().ca == "PEM"


def test_data_wins_over_a_file(write):
    data = base64.b64encode(b"DATA").decode()
    fields = {"certificate-authority": "gone.crt", "certificate-authority-data": data}
    assert Kubeconfig.load(write(changed("clusters", **fields))).access().ca == "DATA"


def test_a_token_file_is_read_at_each_request(write):
    token = write("first\n", "token")
    access = Kubeconfig.load(write(changed("users", tokenFile="token"))).access()
    assert access.headers() == [("Authorization", "Bearer first")]
    token.write_text("second")
    assert access.headers() == [("Authorization", "Bearer second")]


def test_a_user_name_and_password_are_basic_authentication(write):
    access = Kubeconfig.load(write(changed("users", token=None, username="ann", password="pw"))).access()
    assert access.headers() == [("Authorization", "Basic " + base64.b64encode(b"ann:pw").decode())]


def test_impersonation_is_passed_on(write):
    access = Kubeconfig.load(write(changed("users", **{"as": "bob", "as-groups": ["dev", "ops"]}))).access()
    assert [pair for pair in access.headers() if pair[0] != "Authorization"] == [
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
    ]


def test_no_secret_is_in_a_repr(write):
    key = base64.b64encode(b"PRIVATE").decode()
    fields = {"password": "pw-s3cret", "client-key-data": key, "client-certificate-data": key}
    path = write(changed("users", **fields))
    loaded = Kubeconfig.load(path)
    shown = repr(loaded.access()) + repr(loaded) + repr(loaded.entries())
    assert not [word for word in ("s3cret", "PRIVATE", key) if word in shown]


def use(path):
    Cluster.from_kubeconfig(path).access.headers()


@pytest.mark.parametrize(
    ("content", "problem", "where"),
    [
        ("clusters: [", "not YAML", "config:"),
        ("just text", "not a kubeconfig", "config"),
        ({"kind": "Pod"}, "not a kubeconfig", "config"),
        ("", "no context is chosen", "current-context"),
        ({"clusters": "x"}, "must be a list", "clusters"),
        ({"users": [{"user": {}}]}, "must have a name", "users[0]"),
        (GOOD | {"current-context": "onne"}, "no context 'onne'", "config"),
        (changed("contexts", cluster="gone"), "no cluster 'gone'", "contexts[0].context.cluster"),
        (changed("contexts", user="gone"), "no user 'gone'", "contexts[0].context.user"),
        (changed("clusters", server=None), "must be the API server's URL", "clusters[0].cluster.server"),
        (
            changed("clusters", server="127.0.0.1:6443"),
            "must be the API server's URL",
            "clusters[0].cluster.server",
        ),
        (changed("clusters", server="https://u:p@host"), "must be the API server's URL", "cluster.server"),
        (changed("clusters", server="https://host:99999"), "must be the API server's URL", "cluster.server"),
        (changed("users", token=12345), "must be text", "users[0].user.token"),
        (changed("users", token=None, tokenFile="gone"), "token file cannot be read", "config"),
        (changed("users", **{"client-key": "gone"}), "names a file that cannot be read", "client-key"),
        (changed("users", **{"client-key-data": "%%%"}), "not base64 of a PEM", "client-key-data"),
        (changed("users", **{"client-key-data": "Tk8="}), "needs its key", "client-certificate"),
        (changed("users", **{"client-key-data": "/////w=="}), "not base64 of a PEM", "client-key-data"),
        (changed("clusters", **{"certificate-authority-data": "Tk8="}), "certificate-authority", "config"),
    ],
    ids=lambda value: value.replace("'", "") if isinstance(value, str) else "",
)
def test_a_damaged_kubeconfig_is_told_with_its_field_and_a_fix(write, content, problem, where):
    path = write(content)
    with pytest.raises(ClusterError) as caught:
        use(path)
    assert problem in caught.value.problem
    assert where in caught.value.where
    assert str(path) in caught.value.where
    assert caught.value.fix


def test_the_value_of_a_field_is_not_in_the_error(write):
    with pytest.raises(ClusterError) as caught:
        Kubeconfig.load(write(changed("users", token=12345678))).access()
    assert "12345678" not in str(caught.value)


def test_a_kubeconfig_that_is_gone_is_told_with_its_path(tmp_path):
    with pytest.raises(ClusterError, match="there is no kubeconfig here") as caught:
        Cluster.from_kubeconfig(tmp_path / "gone")
    assert caught.value.where == str(tmp_path / "gone")


def test_a_misspelt_context_gets_near_names(write):
    with pytest.raises(ClusterError) as caught:
        Kubeconfig.load(write(GOOD)).access("onee")
    assert "one" in caught.value.fix


def test_loopback_is_known_by_address_and_name(write):
    for url, local in [
        ("https://127.0.0.1:1", True),
        ("https://[::1]:1", True),
        ("http://localhost", True),
        ("https://example.com", False),
    ]:
        assert Kubeconfig.load(write(changed("clusters", server=url))).access().loopback is local
