"""Ranges of versions mean what they mean to Helm: each pair below is also put to Helm itself."""

import json
from pathlib import Path

import pytest

from labkit.errors import ChartError
from labkit.helm import semver
from labkit.helm.semver import Constraint, Version

RANGES = {
    "1.2.3": "1.2.3", "=1.2.3": "1.2.3", "v1.2.3": "1.2.3", "1.2": "1.2.3 1.2.9", "1": "1.2.3 1.2.9 1.3.0",
    "*": "0.0.3 0.2.3 0.2.9 0.3.0 1.2.3 1.2.9 1.3.0 2.0.0 3.1.0", "x": "3.1.0", "1.x": "1.3.0", "1.2.*": "1.2.9",
    "^1.2.3": "1.2.3 1.2.9 1.3.0", "^0.2.3": "0.2.3 0.2.9", "^0.0.3": "0.0.3", "^0": "0.0.3 0.2.3 0.3.0",
    "~1.2.3": "1.2.3 1.2.9", "~1": "1.2.3 1.3.0", "~0.0.0": "0.0.3 3.1.0", "~>1.2": "1.2.9",
    ">1.2": "1.3.0 2.0.0", ">1": "2.0.0 3.1.0", ">=1.2.9": "1.2.9 2.0.0", "<1.2": "0.3.0", "<=1.2": "1.2.9 0.2.3",
    "!=1.2": "1.3.0 0.2.3", "!=1": "2.0.0", "!=1.2.3": "1.2.9", ">=1, <2": "1.2.3 1.3.0", ">=1 <2": "1.3.0",
    "1.2.3 - 1.3.0": "1.2.3 1.2.9 1.3.0", "~1.2 || ^3": "1.2.9 3.1.0", ">=2.0.0-0": "2.0.0-rc.1 2.0.0-rc.2 2.0.0",
    "2.0.0-rc.1": "2.0.0-rc.1", "^2.0.0-rc.2": "2.0.0-rc.2 2.0.0", ">0.0.0-0": "2.0.0-rc.1 3.1.0",
}  # fmt: skip
VERSIONS = [
    "0.0.3",
    "0.2.3",
    "0.2.9",
    "0.3.0",
    "1.2.3",
    "1.2.9",
    "1.3.0",
    "2.0.0-rc.1",
    "2.0.0-rc.2",
    "2.0.0",
    "3.1.0",
]
NONSENSE = ["a", ">1,,<2", "==1", "1.2.3 || ", "1.2.3-01", "latest", "  "]


@pytest.mark.parametrize(("wanted", "some"), RANGES.items(), ids=lambda text: text.replace(" ", "_"))
def test_a_range_holds_these_versions(wanted: str, some: str) -> None:
    constraint = Constraint.parse(wanted)
    for version in some.split():
        found = Version.parse(version)
        assert found is not None
        assert constraint.allows(found), f"{wanted} should allow {version}"


@pytest.mark.parametrize("wanted", NONSENSE)
def test_what_is_no_range_is_refused_with_an_example(wanted: str) -> None:
    with pytest.raises(ChartError, match=r"is not a range of versions[^$]*\^1\.2"):
        Constraint.parse(wanted)


def test_helm_itself_agrees_on_every_pair(tmp_path: Path) -> None:
    helm_python = pytest.importorskip("helm_python")
    for wanted in [*RANGES, *NONSENSE]:
        for version in VERSIONS:
            assert ours(wanted, version) == helms(helm_python, tmp_path, wanted, version), (wanted, version)


def ours(wanted: str, version: str) -> bool | None:
    found = Version.parse(version)
    assert found is not None
    try:
        return Constraint.parse(wanted).allows(found)
    except ChartError:
        return None


def helms(helm_python, folder: Path, wanted: str, version: str) -> bool | None:
    """Whether Helm takes a chart of that version as a dependency; None if it does not understand the range."""
    chart = {"apiVersion": "v2", "name": "needed", "version": version}
    needs = {"name": "needed", "version": wanted, "repository": "file://../needed"}
    parent = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [needs]}
    for each in (chart, parent):
        (folder / each["name"]).mkdir(exist_ok=True)
        (folder / each["name"] / "Chart.yaml").write_text(json.dumps(each))
    try:
        helm_python.dependency_update(folder / "parent", skip_refresh=True)
    except helm_python.HelmError as problem:
        return {"can't get a valid version": False, "constraint": None}[told_apart(problem.detail)]
    return True


def told_apart(words: str) -> str:
    return next(part for part in ("can't get a valid version", "constraint") if part in words)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("", "3.1.0"), ("^1", "1.3.0"), ("2.0.0-rc.1", "2.0.0-rc.1"), ("nightly", "nightly"), (">4", None)],
)
def test_the_highest_version_in_the_range_is_chosen(wanted: str, chosen: str | None) -> None:
    assert semver.best([*VERSIONS, "nightly"], wanted) == chosen


@pytest.mark.parametrize(
    ("text", "exact"), [("1.2.3", True), ("v1.2.3-rc.1+b", True), ("1.2", False), ("^1", False)]
)
def test_an_exact_version_is_told_from_a_range(text: str, exact: bool) -> None:
    assert semver.is_exact(text) is exact


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = (
        "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0"
    )
    parsed = [Version.parse(text) for text in ordered.split()]
    assert sorted(parsed, key=lambda version: version) == parsed
    assert Version.parse("1.0.0+a") == Version.parse("1.0.0+b")
