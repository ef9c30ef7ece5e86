"""Versions and ranges, held against the library that Helm and Argo CD use: asked through Helm's own templates."""

from __future__ import annotations

import itertools
import json

import pytest

from labkit.errors import HelmError
from labkit.helm import Chart, Release
from labkit.versions import Range, Version, VersionError, is_exact, is_range, newest

VERSIONS = """
0.0.0 0.0.1 0.1.0 0.2.3 1.0.0 1.2.0 1.2.3 1.3.0 2.0.0 2.1.0-rc.1 1.2.3-alpha 1.2.3-beta.2 1.2.4-0
1.2.3-1.x 1.2.3+build v1.5 3 11.1.0
""".split()  # noqa: SIM905  # a table is easier to read so
SIGNS = ["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"]
BASES = """
0 0.0 0.1 1 1.2 1.2.3 1.x 1.2.x * 2.0.0 1.2.3-alpha 0.0.0 0.0.1 x 1.2.* 11 1.*.3 0.0.x v1 1.2-0
""".split()  # noqa: SIM905
OTHERS = [
    *(">=1.0, <2", ">=1.0 <2", "1.2 - 1.4", "1.2.0 - 2 || 3", "^1 || ^0.1", ">=1.0.0-0 <2.0.0", ">1, 2"),
    *("~ 1.2", ">= 1.0.0 , < 3", "1.2 -1.4", "a", "", ">>1", "1..2", "1.2.3.4", "1,", ">1<3", ">1 <3,"),
    *(
        "1-2",
        "||",
        "1 ||",
        "1.0.0 2.0.0",
        "latest",
        "1.2.3 || a",
        "1.2.3-01",
        "==1",
        ">1,,<2",
        "  ",
        "<1.2.3-beta.2 >1.2.3-alpha",
    ),
]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """What Helm's ``semverCompare`` says of all `VERSIONS`; ``None`` where it takes the range for none."""
    folder = tmp_path_factory.mktemp("chart")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: versions\nversion: 0.1.0\n", encoding="utf-8")
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"

    def ask(text):
        asked = (f"{{{{ semverCompare {json.dumps(text)} {json.dumps(v)} }}}}" for v in VERSIONS)
        lines = "".join(f'  "{i}": "{line}"\n' for i, line in enumerate(asked))
        (folder / "templates" / "it.yaml").write_text(head + lines, encoding="utf-8")
        try:
            data = Chart.load(folder).render(Release("a", "b")).objects[0].obj["data"]
        except HelmError:
            return None
        return {v: data[str(i)] == "true" for i, v in enumerate(VERSIONS)}

    return ask


@pytest.mark.parametrize("text", [*map("".join, itertools.product(SIGNS, BASES)), *OTHERS])
def test_a_range_admits_what_helm_admits(theirs, text):
    try:
        range_ = Range(text)
    except VersionError:
        mine = None
    else:
        mine = {v: Version.parse(v) in range_ for v in VERSIONS}
    assert mine == theirs(text)


def test_a_pin_is_no_range():
    assert not any(is_range(text) for text in ("1.0.0", "v1.0", "1", "main", "feature/x", "HEAD"))
    assert all(is_range(text) for text in ("1.x", "^1.0.0", ">=1.0", "*", "1.0 - 2.0"))


def test_versions_are_ordered_as_the_specification_says():
    rising = """
    1.0.0-1 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0
    """.split()  # noqa: SIM905
    parsed = [Version.parse(text) for text in rising]
    assert all(a < b for a, b in itertools.pairwise(parsed))
    assert Version.parse("1.0.0+a") == Version.parse("1.0.0+b")


def test_the_newest_in_a_range_is_given_as_it_was_written():
    tags = ["v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0", "latest", "v1.11.0-rc.1"]
    assert newest(tags, "1.x") == "v1.10.0"
    assert newest(tags, ">=1.11.0-0 <2") == "v1.11.0-rc.1"
    assert newest(tags, "^3") is None
    assert newest(tags) == "v2.0.0"
    assert newest(tags, "latest") == "latest"


def test_an_exact_version_is_told_from_one_that_leaves_something_open():
    assert all(is_exact(text) for text in ("1.2.3", "v1.2.3-rc.1+b"))
    assert not any(is_exact(text) for text in ("1.2", "^1", "1.2.3-01", "main"))


@pytest.mark.parametrize("text", ["", "v", "1.2.3.4", "one", "1." * 200])
def test_what_is_no_version_is_refused_with_an_example(text):
    with pytest.raises(VersionError) as error:
        Version.parse(text)
    assert "1.2.3" in error.value.fix
