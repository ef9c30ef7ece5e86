"""What a source may be: several at once, value files of another repository, a range of versions, a folder's part."""

from __future__ import annotations

import pytest
from manifests import config

from labkit.errors import ApplicationError
from labkit.gitops import live, operations
from tests.gitops.test_bad_input import condition

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "values.yaml": "colour: blue\nsize: small\n",
    "templates/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"
        "data:\n  colour: {{ .Values.colour }}\n  size: {{ .Values.size }}\n"
    ),
}
AUTOMATED = {"prune": True, "selfHeal": True}


def two(charts, values, **helm):
    """A chart in one repository, its values in another."""
    return [
        {"repoURL": charts.url, "path": ".", "targetRevision": "main", "helm": helm},
        {"repoURL": values.url, "targetRevision": "main", "ref": "values"},
    ]


def data(world, app, name=None):
    found = world.find("ConfigMap", name or app, app)
    return found and found["data"]


def test_value_files_may_come_from_another_repository(world):
    charts, values = world.repository("charts"), world.repository("values")
    first = charts.push(CHART)
    old = values.push({"prod/web.yaml": "colour: red\n", "all.yaml": "size: large\n"})
    files = ["$values/all.yaml", "$values/prod/*.yaml"]
    app = world.app("web", charts, automated=AUTOMATED, sources=two(charts, values, valueFiles=files))
    status = world.settled(app)["status"]
    assert data(world, app) == {"colour": "red", "size": "large"}
    assert status["sync"]["revisions"] == [first, old]
    new = values.push({"prod/web.yaml": "colour: green\n"})  # a push to the values alone
    world.until(lambda: data(world, app), lambda d: d["colour"] == "green")
    status = world.settled(app)["status"]
    assert status["sync"]["revisions"] == [first, new]
    assert [entry["revisions"] for entry in status["history"]] == [[first, old], [first, new]]
    world.cluster.patch("v1", "ConfigMap", app, app, patch={"data": {"size": "drifted"}})
    world.until(lambda: data(world, app), lambda d: d["size"] == "large")


def test_an_earlier_deployment_of_several_sources_comes_back_whole(world):
    charts, values = world.repository("charts"), world.repository("values")
    first, old = charts.push(CHART), values.push({"a.yaml": "colour: red\n"})
    app = world.app("web", charts, sources=two(charts, values, valueFiles=["$values/a.yaml"]))
    operations.sync(world.cluster, app)
    world.settled(app)
    charts.push({"values.yaml": "colour: blue\nsize: huge\n"})
    values.push({"a.yaml": "colour: green\n"})
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app)
    world.until(lambda: data(world, app), lambda d: d == {"colour": "green", "size": "huge"})
    operations.wait_for_operation(world.cluster, app, timeout=30)
    operations.rollback(world.cluster, app)
    operations.wait_for_operation(world.cluster, app, timeout=30)
    assert data(world, app) == {"colour": "red", "size": "small"}
    assert world.status(app)["history"][-1]["revisions"] == [first, old]


def test_the_last_of_two_sources_wins_and_that_is_said(world):
    one, other = world.repository("one"), world.repository("other")
    one.push({"a.yaml": config("same", v="one"), "b.yaml": config("only", v="one")})
    other.push({"a.yaml": config("same", v="other")})
    sources = [{"repoURL": r.url, "path": ".", "targetRevision": "main"} for r in (one, other)]
    app = world.app("both", one, automated=AUTOMATED, sources=sources)
    world.settled(app)
    assert (data(world, app, "same"), data(world, app, "only")) == ({"v": "other"}, {"v": "one"})
    assert "same" in condition(world, app, "RepeatedResourceWarning")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("$other/a.yaml", ["'$other'", "($values)", "spec.sources[0].helm.valueFiles[0]", "ref: other"]),
        ("$values/b.yaml", ["'$values/b.yaml'", "a.yaml", "spec.sources[0].helm.valueFiles[0]"]),
        ("$values/../../../etc/passwd", ["outside repository root"]),
        ("$values/link.yaml", ["link"]),
        ("/etc/passwd", ["'/etc/passwd'"]),
    ],
)
def test_a_value_file_that_cannot_be_had_is_named(world, file, said):
    charts, values = world.repository("charts"), world.repository("values")
    charts.push(CHART)
    (values.copy.path / "a.yaml").write_text("colour: red\n", encoding="utf-8")
    if "link" in file:
        (values.copy.path / "link.yaml").symlink_to("/etc/hostname")
    values.push({})
    app = world.app("web", charts, sources=two(charts, values, valueFiles=[file]))
    message = condition(world, app)
    assert [word for word in said if word not in message] == [], message


def test_a_reference_needs_a_source_to_refer_to(world):
    charts = world.repository("charts")
    charts.push(CHART)
    app = world.app("web", charts, source={"helm": {"valueFiles": ["$values/a.yaml"]}})
    assert "no source has a 'ref' field defined" in condition(world, app)


def test_the_name_of_a_reference_is_checked(world):
    charts, values = world.repository("charts"), world.repository("values")
    wrong = two(charts, values)
    wrong[1]["ref"] = "$values"
    with pytest.raises(ApplicationError) as error:
        world.app("web", charts, sources=wrong)
    assert error.value.where == "spec.sources[1].ref"


def test_a_range_of_versions_follows_the_tags(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1.0")})
    repo.copy.tag("v1.0.0")
    repo.copy.push(tags=True)
    app = world.app("shop", repo, automated=AUTOMATED, source={"targetRevision": "1.x"})
    world.settled(app)
    assert data(world, app, "a") == {"v": "1.0"}
    repo.push({"a.yaml": config("a", v="1.1")})
    repo.copy.tag("v1.1.0")
    repo.copy.push(tags=True)  # the tag's push is told, and nobody refreshes
    world.until(lambda: data(world, app, "a"), lambda d: d == {"v": "1.1"})
    repo.push({"a.yaml": config("a", v="2.0")})
    repo.copy.tag("v2.0.0")
    repo.copy.push(tags=True)
    operations.refresh(world.cluster, app)
    assert data(world, app, "a") == {"v": "1.1"}


def test_a_folder_may_be_taken_in_part(world):
    repo = world.repository("shop")
    repo.push(
        {
            "app/a.yaml": config("a", v="1"),
            "app/deep/b.yaml": config("b", v="1"),
            "app/deep/skip-c.yaml": config("c", v="1"),
            "app/deep/d.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}}',
        }
    )
    app = world.app("shop", repo, path="app", automated=AUTOMATED)
    names = lambda: sorted(entry["name"] for entry in world.status(app)["resources"])  # noqa: E731
    world.settled(app)
    assert names() == ["a"]
    world.cluster.patch(
        "argoproj.io/v1alpha1",
        "Application",
        app,
        "argocd",
        patch={"spec": {"source": {"directory": {"recurse": True, "exclude": "{deep/skip-*,*.json}"}}}},
    )
    world.until(names, lambda found: found == ["a", "b"])


def test_the_status_says_what_rendered_each_source(world):
    repo = world.repository("many")
    plain = {"plain/a.yaml": config("plain")}
    chart = {f"chart/{name}": text for name, text in CHART.items()}
    repo.push(plain | chart)
    at = {"repoURL": repo.url, "targetRevision": "main"}
    one = world.app("one", repo, path="chart")
    assert world.until(lambda: world.status(one), lambda s: s.get("sourceType"))["sourceType"] == "Helm"
    both = [at | {"path": "plain"}, at | {"path": "chart"}, at | {"ref": "values"}]
    two = world.app("two", None, sources=both)
    status = world.until(lambda: world.status(two), lambda s: s.get("sourceTypes"))
    assert status["sourceTypes"] == ["Directory", "Helm"]
    assert "sourceType" not in status


def test_a_folder_is_read_as_the_source_says_even_if_it_looks_like_a_chart(world):
    repo = world.repository("shop")
    repo.push({"Chart.yaml": CHART["Chart.yaml"], "more/a.yaml": config("a", v="1")})
    told = world.app("told", repo, source={"directory": {"recurse": True, "include": "more/*"}})
    status = world.until(lambda: world.status(told), lambda s: s.get("resources"))
    assert (status["sourceType"], [r["name"] for r in status["resources"]]) == ("Directory", ["a"])
    app = world.app("both", repo, source={"directory": {"recurse": True}, "helm": {"releaseName": "x"}})
    said = condition(world, app, "ComparisonError")
    assert "multiple application sources defined: Helm,Directory" in said
    assert "spec.source" in said


WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}


def test_a_chart_sees_the_kinds_of_the_cluster_that_it_goes_to(world, monkeypatch):
    monkeypatch.setattr(live, "KINDS_SECONDS", 0.0)
    asking = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n"
        '  widgets: {{ .Capabilities.APIVersions.Has "example.com/v1/Widget" | quote }}\n'
        '  deployments: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}\n'
        '  others: {{ .Capabilities.APIVersions.Has "example.com/v2" | quote }}\n'
    )
    repo = world.repository("shop")
    repo.push({"Chart.yaml": CHART["Chart.yaml"], "templates/config.yaml": asking})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    assert data(world, app) == {"widgets": "false", "deployments": "true", "others": "false"}
    world.cluster.create(WIDGETS)
    try:
        operations.refresh(world.cluster, app)
        world.until(lambda: data(world, app)["widgets"], lambda seen: seen == "true")
    finally:
        world.cluster.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.com")
