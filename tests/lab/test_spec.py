from __future__ import annotations

import pytest

from labkit.errors import LabError
from labkit.lab.spec import FINALIZER, IN_CLUSTER, Wishes, changed, new


def test_the_least_that_can_be_said_makes_a_whole_application():
    made = new("shop", Wishes(repo="http://x/shop.git"))
    assert made["metadata"] == {"name": "shop", "namespace": "argocd", "finalizers": [FINALIZER]}
    assert made["spec"] == {
        "project": "default",
        "source": {"repoURL": "http://x/shop.git", "path": ".", "targetRevision": "HEAD"},
        "destination": {"namespace": "shop", "server": IN_CLUSTER},
    }


def test_without_a_repository_there_is_no_application():
    with pytest.raises(LabError, match="needs a repository"):
        new("shop", Wishes())


def test_automated_sync_carries_its_flags():
    made = new("shop", Wishes(repo="r", automated=True, prune=True, self_heal=True))
    assert made["spec"]["syncPolicy"] == {"automated": {"prune": True, "selfHeal": True}}


def test_prune_without_automated_sync_is_refused_with_the_fix():
    with pytest.raises(LabError, match="automated sync, which is off") as caught:
        new("shop", Wishes(repo="r", prune=True))
    assert "--sync-policy automated" in caught.value.fix


def test_turning_automated_sync_off_leaves_the_other_options():
    made = new("shop", Wishes(repo="r", automated=True, sync_options=["CreateNamespace=true"]))
    assert changed(made, Wishes(automated=False))["spec"]["syncPolicy"] == {
        "syncOptions": ["CreateNamespace=true"]
    }


def test_a_sync_option_replaces_its_other_value_and_a_mark_takes_it_away():
    made = new("shop", Wishes(repo="r", sync_options=["CreateNamespace=true", "Prune=false"]))
    changed(made, Wishes(sync_options=["CreateNamespace=false", "!Prune=false"]))
    assert made["spec"]["syncPolicy"]["syncOptions"] == ["CreateNamespace=false"]


def test_helm_parameters_are_replaced_by_name():
    made = new("shop", Wishes(repo="r", parameters=["replicas=1", "image.tag=1.0"]))
    changed(made, Wishes(parameters={"replicas": 2, "debug": True}, string_parameters=["image.tag=1.10"]))
    assert made["spec"]["source"]["helm"]["parameters"] == [
        {"name": "replicas", "value": "2"},
        {"name": "debug", "value": "true"},
        {"name": "image.tag", "value": "1.10", "forceString": True},
    ]


def test_values_as_text_and_as_data_exclude_each_other():
    made = new("shop", Wishes(repo="r", values="a: 1\n"))
    assert changed(made, Wishes(values={"a": 2}))["spec"]["source"]["helm"] == {"valuesObject": {"a": 2}}


def test_a_destination_by_name_replaces_the_one_by_server():
    made = new("shop", Wishes(repo="r", cluster="second"))
    assert made["spec"]["destination"] == {"namespace": "shop", "name": "second"}
    assert changed(made, Wishes(server="https://x"))["spec"]["destination"] == {
        "namespace": "shop",
        "server": "https://x",
    }


def test_what_is_not_said_stays():
    made = new("shop", Wishes(repo="r", path="web", revision="main", namespace="n"))
    assert changed(made, Wishes(revision="v2"))["spec"]["source"] == {
        "repoURL": "r",
        "path": "web",
        "targetRevision": "v2",
    }


@pytest.mark.parametrize(
    "wishes", [Wishes(parameters=["replicas"]), Wishes(sync_options=["CreateNamespace"])]
)
def test_a_flag_without_its_value_names_the_flag(wishes):
    with pytest.raises(LabError, match="not NAME=VALUE") as caught:
        changed(new("shop", Wishes(repo="r")), wishes)
    assert caught.value.where.startswith("--")


def test_a_chart_of_a_repository_stands_in_place_of_a_path():
    wishes = Wishes(repo="https://charts.example.org", chart="web", revision="^1.2")
    source = new("web", wishes)["spec"]["source"]
    assert source == {"repoURL": "https://charts.example.org", "chart": "web", "targetRevision": "^1.2"}


def test_a_chart_without_a_version_is_left_for_the_engine_to_refuse():
    source = new("web", Wishes(repo="https://charts.example.org", chart="web"))["spec"]["source"]
    assert "targetRevision" not in source
