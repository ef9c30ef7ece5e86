"""Server-side apply: each manager owns the fields that it sets."""

import pytest

from labkit.errors import Conflict


def test_applying_creates_and_then_changes(cluster, config):
    first = cluster.apply(config(colour="blue"), field_manager="gitops")
    second = cluster.apply(config(colour="red"), field_manager="gitops")
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    assert second["data"] == {"colour": "red"}


def test_what_a_manager_no_longer_sets_goes_away(cluster, config):
    cluster.apply(config(colour="blue", size="big"), field_manager="gitops")
    assert cluster.apply(config(colour="blue"), field_manager="gitops")["data"] == {"colour": "blue"}


def test_what_others_set_stays(cluster, config):
    cluster.apply(config(colour="blue"), field_manager="gitops")
    cluster.apply(config(size="big"), field_manager="person")
    applied = cluster.apply(config(colour="red"), field_manager="gitops")
    assert applied["data"] == {"colour": "red", "size": "big"}


def test_anothers_field_is_a_conflict_that_names_both(cluster, config):
    cluster.apply(config(colour="blue"), field_manager="gitops")
    with pytest.raises(Conflict) as caught:
        cluster.apply(config(colour="red"), field_manager="person")
    assert "gitops" in caught.value.message
    assert ".data.colour" in caught.value.message


def test_force_takes_the_field_over(cluster, config):
    cluster.apply(config(colour="blue"), field_manager="gitops")
    assert cluster.apply(config(colour="red"), field_manager="person", force=True)["data"] == {
        "colour": "red"
    }
    with pytest.raises(Conflict):
        cluster.apply(config(colour="blue"), field_manager="gitops")


def test_the_same_again_changes_nothing(cluster, config):
    first = cluster.apply(config(colour="blue"), field_manager="gitops")
    again = cluster.apply(config(colour="blue"), field_manager="gitops")
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_dry_run_shows_the_outcome_with_defaults(cluster, namespace):
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    shown = cluster.apply(service, field_manager="gitops", dry_run=True)
    assert shown["spec"]["type"] == "ClusterIP"
    assert shown["spec"]["ports"][0]["protocol"] == "TCP"
    assert cluster.find("v1", "Service", "web", namespace) is None
