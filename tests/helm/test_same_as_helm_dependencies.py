"""A chart with dependencies renders as the ``helm`` command prints it: aliases, conditions, tags, imported values."""

import shutil
import subprocess
from pathlib import Path

import pytest

from labkit.helm import Chart, Release

pytestmark = pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")

UMBRELLA = """\
apiVersion: v2
name: shop
version: 0.1.0
dependencies:
  - {name: app, version: 0.1.x, alias: front}
  - {name: app, version: ^0.1.0, alias: back, condition: back.enabled}
  - {name: cache, version: "*", tags: [extras], import-values: [{child: ports, parent: cachePorts}, exported]}
"""
SHOWN = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data: {{seen: {{{{ {seen} | toJson | quote }}}}}}
"""

# What is given, and which objects must be there: agreeing with helm on nothing at all would be no proof.
CASES = [
    ([], {"shop", "front", "back", "cache"}),
    (["back.enabled=false"], {"shop", "front", "cache"}),
    (["tags.extras=false"], {"shop", "front", "back"}),
    (["front.size=7,global.region=eu,cache.ports.main=1"], {"shop", "front", "back", "cache"}),
    (["size=7"], {"shop", "front", "back", "cache"}),
]


@pytest.fixture
def umbrella(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    write_chart(root, UMBRELLA, "{size: 1, back: {enabled: true}}", ("shop", ".Values"))
    app = "apiVersion: v2\nname: app\nversion: 0.1.4\n"
    write_chart(root / "charts" / "app", app, "{size: 2}", ("{{ .Chart.Name }}", ".Values"))
    cache = "apiVersion: v2\nname: cache\nversion: 3.0.0\n"
    values = "{ports: {main: 6379}, exports: {exported: {cacheUser: reader}}}"
    write_chart(root / "charts" / "cache", cache, values, ("cache", ".Values"))
    return root


def write_chart(folder: Path, metadata: str, values: str, shown: tuple[str, str]) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(metadata)
    (folder / "values.yaml").write_text(values)
    (folder / "templates" / "seen.yaml").write_text(SHOWN.format(name=shown[0], seen=shown[1]))


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(("given", "names"), CASES, ids=lambda case: " ".join(sorted(case)))
def test_an_umbrella_renders_as_helm_template_prints_it(
    umbrella: Path, backend: str, given: list[str], names: set[str]
) -> None:
    flags = [part for each in given for part in ("--set", each)]
    command = ["helm", "template", "demo", str(umbrella), *flags]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rendered = Chart(umbrella, with_backend=backend).render(Release("demo"), set=given)
    assert {each.name for each in rendered.objects} == names
    assert lines(rendered.manifest) == lines(printed)
