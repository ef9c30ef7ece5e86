"""What the lab renders is what the ``helm`` command prints, line by line."""

import shutil
import subprocess
from pathlib import Path

import pytest

from labkit.helm import Chart, Release

STARTER = Path(__file__).parents[2] / "charts" / "starter"
pytestmark = pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")

FLAGS = [
    [],
    ["--set", "replicaCount=3,image.tag=2.0.0", "--set-string", "message=true"],
    ["--set-json", 'probes.readiness={"periodSeconds": 7}', "--set", "resources=null"],
    ["--set", r"message=a\,b", "--set", "colour=#ff0000"],
]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_a_chart_renders_as_helm_template_prints_it(tmp_path: Path, backend: str, flags: list[str]) -> None:
    path = Chart.create(tmp_path, "web", starter=STARTER).path
    extra = "apiVersion: v1\nkind: {}\nmetadata: {{name: x, annotations: {}}}\n"
    kinds = [("Job", "{helm.sh/hook: pre-install}"), ("Namespace", "{a: b}"), ("Widget", "{a: b}")]
    (path / "templates" / "more.yaml").write_text("---\n".join(extra.format(*kind) for kind in kinds))
    values = tmp_path / "values.yaml"
    values.write_text("message: from a file\nservice: {port: 8080}\n")
    arguments = ["helm", "template", "shop", str(path), "--namespace", "prod", "-f", str(values), *flags]
    printed = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    given = {
        name: [
            value
            for flag, value in zip(flags[::2], flags[1::2], strict=True)
            if flag == f"--{name.replace('_', '-')}"
        ]
        for name in ("set", "set_string", "set_json")
    }
    rendered = Chart(path, with_backend=backend).render(
        Release("shop", "prod"), value_files=[values], **given
    )
    assert lines(rendered.manifest) == lines(printed)
