"""Charts made for one test, and both forms of Helm to render them with."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.helm import Chart
from labkit.helm.backend import available

MakeChart = Callable[..., Path]
CHART_YAML = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n"


@pytest.fixture(params=["sdk", "binary"])
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each form of Helm in turn; the same tests hold for both."""
    if request.param not in available():
        pytest.skip("no `helm` command here" if request.param == "binary" else "no helm-python-sdk here")
    return str(request.param)


@pytest.fixture
def make_chart(tmp_path: Path) -> MakeChart:
    """Writes a chart ``web`` from its files; a file of None is left out."""

    def make(files: dict[str, str | bytes | None] | None = None, folder: str = "web") -> Path:
        root = tmp_path / folder
        for name, content in ({"Chart.yaml": CHART_YAML} | (files or {})).items():
            if content is None:
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return make


@pytest.fixture
def chart(make_chart: MakeChart, backend: str) -> Callable[..., Chart]:
    """A chart with these templates and values, for each form of Helm."""

    def build(template: str = CONFIG_MAP, values: str = "", **files: str) -> Chart:
        named = {name.replace("__", "/"): text for name, text in files.items()}
        path = make_chart({"templates/a.yaml": template, "values.yaml": values} | named)
        return Chart(path, with_backend=backend, shown_as="web")

    return build


@pytest.fixture
def packed(tmp_path: Path) -> Callable[[Path], Path]:
    """Packs a folder as an archive, without asking whether it is a good chart."""

    def pack(folder: Path) -> Path:
        made = shutil.make_archive(str(tmp_path / "packed"), "gztar", folder.parent, folder.name)
        return Path(made).rename(tmp_path / f"{folder.name}-0.1.0.tgz")

    return pack
