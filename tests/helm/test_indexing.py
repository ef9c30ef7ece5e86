"""The index of a folder is the one that ``helm repo index`` writes."""

import datetime
import shutil
import subprocess
from pathlib import Path

import pytest
from chart_server import archives

from labkit.errors import ChartError
from labkit.helm.repositories import write_index
from labkit.k8s import yaml

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
LATER = NOON + datetime.timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    archives(tmp_path, ["0.2.0", "0.10.0", "0.9.0-rc.1"])
    below = tmp_path / "packed" / "more"
    below.mkdir()
    shutil.copy(archives(tmp_path / "b", ["1.0.0"], "other")[0], below)
    return tmp_path / "packed"


def read(file: Path) -> dict:
    found = yaml.load(file.read_text(), file=str(file))
    for entries in found["entries"].values():
        for entry in entries:
            entry.pop("created")
    found.pop("generated")
    return found


@pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")
@pytest.mark.parametrize("url", ["", "https://example.org/charts/"])
def test_helm_writes_the_same_index(folder: Path, tmp_path: Path, url: str) -> None:
    write_index(folder, url=url)
    ours = read(folder / "index.yaml")
    subprocess.run(["helm", "repo", "index", str(folder), "--url", url], check=True, capture_output=True)
    assert ours == read(folder / "index.yaml")
    assert [entry["version"] for entry in ours["entries"]["web"]] == ["0.10.0", "0.9.0-rc.1", "0.2.0"]


@pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")
def test_a_merge_keeps_what_the_folder_no_longer_has(folder: Path, tmp_path: Path) -> None:
    write_index(folder, now=NOON)
    earlier = tmp_path / "earlier.yaml"
    shutil.copy(folder / "index.yaml", earlier)
    (folder / "web-0.2.0.tgz").unlink()
    shutil.copy(archives(tmp_path / "n", ["0.11.0"])[0], folder)
    index = write_index(folder, merge=earlier, now=LATER)
    assert [each.version for each in index.charts["web"]] == ["0.11.0", "0.10.0", "0.9.0-rc.1", "0.2.0"]
    ours = read(folder / "index.yaml")
    subprocess.run(
        ["helm", "repo", "index", str(folder), "--merge", str(earlier)], check=True, capture_output=True
    )
    assert ours == read(folder / "index.yaml")


def test_a_chart_that_has_not_changed_keeps_the_time_when_it_came(folder: Path, tmp_path: Path) -> None:
    write_index(folder, now=NOON)
    shutil.copy(archives(tmp_path / "n", ["0.11.0"])[0], folder)
    write_index(folder, merge=folder / "index.yaml", now=LATER)
    entries = yaml.load((folder / "index.yaml").read_text())["entries"]["web"]
    assert [str(entry["created"])[:10] for entry in entries] == ["2026-01-03", *["2026-01-02"] * 3]


def test_an_archive_that_is_no_chart_is_named(folder: Path) -> None:
    (folder / "odd-1.0.0.tgz").write_bytes(b"not an archive")
    with pytest.raises(ChartError, match=r"odd-1.0.0.tgz: this is not a packaged chart"):
        write_index(folder)
    assert not (folder / "index.yaml").exists()
