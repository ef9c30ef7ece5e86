"""What a Git host tells, and whom it concerns."""

from __future__ import annotations

import pytest
from argocd_cases import cases
from manifests import config

from labkit.errors import BadRequest
from labkit.gitops import operations
from labkit.gitops.api.application import Application
from labkit.gitops.api.names import MANIFEST_GENERATE_PATHS
from labkit.gitops.webhooks import Push, compare_revisions, files_changed, names_repository, refresh_paths

COMMITS = [{"added": ["web/new.yaml"], "modified": ["api/values.yaml"], "removed": ["old.yaml"]}]
GITHUB = {
    "ref": "refs/heads/main",
    "commits": COMMITS,
    "repository": {
        "html_url": "https://git.example.org/team/shop",
        "clone_url": "https://git.example.org/team/shop.git",
        "default_branch": "main",
    },
}
GITEA = GITHUB | {"pusher": {"login": "ada"}, "total_commits": 1}
GITLAB = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "commits": COMMITS,
    "project": {"web_url": "https://git.example.org/team/shop", "default_branch": "main"},
    "repository": {"name": "shop", "homepage": "https://git.example.org/team/shop"},
}


def app(path="web", revision="main", paths="", url="https://git.example.org/team/shop.git"):
    annotations = {MANIFEST_GENERATE_PATHS: paths} if paths else {}
    return Application.from_object(
        {
            "metadata": {"name": "a", "namespace": "argocd", "annotations": annotations},
            "spec": {
                "source": {"repoURL": url, "path": path, "targetRevision": revision},
                "destination": {"name": "in-cluster"},
            },
        }
    )


@cases("webhook.web_url_regex")
def test_the_repository_is_known_by_its_web_address(case):
    given = case["input"]
    assert names_repository(given["webURL"], given["repo"]) is case["expected"]["shouldMatch"]


@pytest.mark.parametrize("payload", [GITHUB, GITEA, GITLAB], ids=["GitHub", "Gitea", "GitLab"])
def test_each_hosts_push_says_what_moved(payload):
    push = Push.read(payload)
    assert (push.revision, push.default_branch) == ("main", "main")
    assert set(push.files) == {"web/new.yaml", "api/values.yaml", "old.yaml"}
    assert push.concerns(app())
    assert push.concerns(app(revision="HEAD"))
    assert push.concerns(app(revision="refs/heads/main"))
    assert push.concerns(app(url="git@git.example.org:team/shop.git"))
    assert not push.concerns(app(revision="develop"))
    assert not push.concerns(app(url="https://git.example.org/team/shop2.git"))


@pytest.mark.parametrize(
    ("pushed", "followed", "same"),
    [
        ("main", "main", True),
        ("feature/a", "a", False),
        ("v1.2.0", "1.x", True),
        ("v1.2.0", "^2", False),
        ("v1.2.0", "v1.2.0", True),
        ("main", "*", False),
    ],
)
def test_a_tag_is_followed_by_a_range(pushed, followed, same):
    assert compare_revisions(pushed, followed) is same


def test_a_branch_with_slashes_is_itself():
    push = Push.read(GITHUB | {"ref": "refs/heads/feature/a"})
    assert push.concerns(app(revision="feature/a"))
    assert not push.concerns(app(revision="a"))


@pytest.mark.parametrize(
    ("paths", "concerned"),
    [
        ("", True),
        (".", True),
        ("../api", True),
        ("/api", True),
        ("../docs", False),
        ("/docs; /old.yaml", True),
        ("/docs;;", False),
        ("/api/*.yaml", True),
        ("/*.yaml", True),
        ("/*/new.yaml", True),
        ("/*/*.json", False),
        ("/ap", False),
    ],
)
def test_only_the_files_that_the_annotation_names_count(paths, concerned):
    assert Push.read(GITHUB).concerns(app(paths=paths)) is concerned


def test_where_not_all_files_are_told_any_may_have_changed():
    docs = app(paths="/docs")
    for payload in (
        GITHUB | {"commits": []},
        GITHUB | {"forced": True},
        GITHUB | {"commits": COMMITS * 20},
        GITHUB | {"commits": [{"id": "1"}]},
    ):
        assert Push.read(payload).concerns(docs)
    assert files_changed([], ("a",))
    assert refresh_paths(app(paths=". ; /b"), app().sources[0]) == ["web", "b"]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"ref": "refs/heads/main"},
        {"repository": "shop", "ref": "refs/heads/main"},
        {"repository": {"clone_url": "https://a/b"}},
        {"repository": {"clone_url": ["x"]}, "ref": "refs/heads/main"},
        {"repository": {"clone_url": "https://a/b"}, "ref": 7},
    ],
)
def test_what_is_no_push_is_refused(payload):
    with pytest.raises(BadRequest, match="this is not a push"):
        Push.read(payload)


def test_addresses_that_mean_harm_match_nothing():
    for url in ("http://[bad", "https://", "https://a/" + "(" * 5000):
        push = Push.read({"ref": "refs/heads/main", "repository": {"clone_url": url}})
        assert not push.concerns(app())


def test_a_push_that_does_not_touch_its_paths_leaves_an_application_alone(world):
    repo = world.repository("mono")
    first = repo.push({"web/a.yaml": config("a", v="1"), "docs/readme.md": "one"})
    name = world.app("mono", repo, path="web", automated={})
    operations.update(
        world.cluster,
        name,
        lambda obj: {
            **obj,
            "metadata": {**obj["metadata"], "annotations": {MANIFEST_GENERATE_PATHS: "."}},
        },
    )
    world.settled(name, first)
    repo.push({"docs/readme.md": "two"})
    third = repo.push({"docs/readme.md": "three"})
    assert world.status(name)["sync"]["revision"] == first
    assert third != first
    world.settled(name, repo.push({"web/a.yaml": config("a", v="2")}))
