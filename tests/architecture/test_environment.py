"""``environment.yml`` gives with conda, and on Binder, what ``pyproject.toml`` gives with pip."""

import re
import tomllib

import pytest
import yaml

from .source import ROOT


@pytest.fixture
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def packages(environment):
    return {re.split(r"[ <>=]", d)[0]: d for d in environment["dependencies"] if isinstance(d, str)}


def test_everything_comes_from_conda_forge(environment):
    assert environment["channels"] == ["conda-forge"]


def test_conda_brings_the_programs_and_pip_brings_this_checkout(environment, packages):
    assert set(packages) == {"python", "pip", "git", "kubernetes-helm", "kubernetes-client"}
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}  # so pyproject.toml says the rest, once


def test_both_ask_for_the_same_python(packages, project):
    assert packages["python"].split(" ", 1)[1] == project["requires-python"]


def test_the_programs_that_python_packages_only_wrap_are_there(packages, project):
    wrapped = {"gitpython": "git", "helm-python-sdk": "kubernetes-helm", "kubernetes": "kubernetes-client"}
    needed = {re.split(r"[ <>=;]", d)[0] for d in project["dependencies"]}
    assert {program for library, program in wrapped.items() if library in needed} <= set(packages)


def test_binder_finds_it_at_the_root_and_nothing_that_would_win_over_it():
    assert (ROOT / "environment.yml").is_file()
    assert not any((ROOT / name).exists() for name in ("Dockerfile", "binder", ".binder"))


def test_the_wheel_leaves_nothing_of_the_package_out():
    """The lessons' starting files look like programs of nobody's, and are what ``lesson.start()`` lays out."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["packages"] == ["labkit"]
    assert "exclude" not in build | build["targets"]["wheel"]
