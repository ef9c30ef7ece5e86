"""Which resources ``--resource`` means."""

from __future__ import annotations

import pytest

from labkit.errors import ApplicationError
from labkit.gitops.selection import named, selected

WEB = {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web"}
FACE = {"group": "", "version": "v1", "kind": "Service", "namespace": "shop", "name": "web"}
OTHER = {"group": "", "version": "v1", "kind": "Service", "namespace": "other", "name": "db"}
ALL = [WEB, FACE, OTHER]


@pytest.mark.parametrize(
    ("filters", "meant"),
    [
        (["apps:Deployment:web"], [WEB]),
        ([":Service:web"], [FACE]),
        ([":Service:*"], [FACE, OTHER]),
        (["*:*:shop/*"], [WEB, FACE]),
        (["*:*:*", "!*:Service:*"], [WEB]),
        (["!apps:Deployment:web"], [FACE, OTHER]),
        (["apps:Deployment:web", ":Service:other/db"], [WEB, OTHER]),
    ],
)
def test_what_a_filter_means(filters, meant):
    assert selected(filters, ALL) == meant


def test_an_operation_names_them_without_their_version():
    assert named([WEB]) == [{"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"}]


@pytest.mark.parametrize(
    "text", ["web", "Deployment:web", "a:b:c:d", "apps::web", "apps:Deployment:", ":Service:a/b/c"]
)
def test_a_filter_that_is_none_says_how_one_looks(text):
    with pytest.raises(ApplicationError) as caught:
        selected([text], ALL)
    assert "GROUP:KIND:NAME" in caught.value.fix


def test_a_filter_that_matches_nothing_says_what_there_is():
    with pytest.raises(ApplicationError) as caught:
        selected(["apps:Deployment:wbe"], ALL)
    assert "apps:Deployment:wbe" in caught.value.problem
    assert "apps:Deployment:web" in caught.value.fix
