"""A commit costs a render only where it touched what the render reads."""

from __future__ import annotations

import shutil

import pytest
from manifests import config

from labkit.git import Mirror
from labkit.gitops.api import Application
from labkit.gitops.sources import Charts, Sources
from tests.gitops.conftest import CREDENTIAL

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name | default `a` }}\n",
}
LAYOUTS = {
    "a folder": ({"app/a.yaml": config("a")}, {}, "app/b.yaml", config("b")),
    "a chart": ({f"app/{n}": t for n, t in CHART.items()}, {}, "app/values.yaml", "name: b\n"),
    "a chart with values beside it": (
        {f"app/{n}": t for n, t in CHART.items()} | {"shared/values.yaml": "name: a\n"},
        {"helm": {"valueFiles": ["../shared/values.yaml"]}},
        "shared/values.yaml",
        "name: b\n",
    ),
    "a chart with a chart beside it": (
        {f"app/{n}": t for n, t in CHART.items()}
        | {f"lib/{n}": t.replace("name: web", "name: lib") for n, t in CHART.items()}
        | {"app/Chart.yaml": CHART["Chart.yaml"]
           + "dependencies: [{name: lib, version: 0.1.0, repository: 'file://../lib'}]\n"},
        {},
        "lib/values.yaml",
        "name: b\n",
    ),
    "an overlay": (
        {"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [a.yaml]\n",
         "base/a.yaml": config("a")},
        {},
        "base/a.yaml",
        config("b"),
    ),
    "a link": (
        {f"app/{n}": t for n, t in CHART.items()} | {"shared/values.yaml": "name: a\n"},
        {},
        "shared/values.yaml",
        "name: b\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_what_is_read_counts(world, tmp_path, layout):
    files, source, name, change = LAYOUTS[layout]
    if layout == "an overlay" and shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    repo = world.repository("shop")
    if layout == "a link":
        (repo.copy.path / "app").mkdir()
        (repo.copy.path / "app" / "values.yaml").symlink_to("../shared/values.yaml")
    made = Sources(
        Mirror(tmp_path / "own"), credentials=lambda _url: CREDENTIAL, charts=Charts(tmp_path / "own-charts")
    )
    spec = {"source": {"repoURL": repo.url, "path": "app", **source}, "destination": {"name": "in-cluster"}}
    app = Application.from_object(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "shop"},
            "spec": spec,
        }
    )

    def objects(sha):
        return [item.obj for item in made.manifests(app, app.sources, [sha])]

    first = objects(repo.push(files))
    elsewhere = objects(repo.push({"other/a.yaml": config("z")}))
    changed = objects(repo.push({name: change}))
    if layout not in {"a link", "a chart with values beside it", "a chart with a chart beside it"}:
        assert all(one is other for one, other in zip(first, elsewhere, strict=True))
    assert elsewhere == first
    assert changed != first
