"""One real lab for all lessons' exercises: each test begins at a lesson's exact starting point."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from labkit.lab import Lab
from labkit.lab.layout import lay_out


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lessons") / "lab"
    lay_out(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_WAVE_SECONDS", "0.1")  # the service that the lab starts reads it
        with Lab(home) as lab:
            yield lab
            lab.stop()


class Trainee(SimpleNamespace):
    """Somebody at work on one exercise: ``ns``, ``lesson``, and what the check says to them."""

    def says(self, key: str) -> str:
        found = self.lesson.exercise(key).look()
        return f"{'✓' if found.done else '✗'} {found.seen} → {found.advice}"

    def write(self, name: str, text: str) -> None:
        self.lesson.write(name, text)

    def replace(self, name: str, old: str, new: str) -> None:
        file = self.ns.folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8", newline="\n")

    def apply(self, *files: str) -> None:
        self.ns.apply(*files)
        self.ns.wait()


@pytest.fixture(scope="session")
def begin(lab: Lab):
    """``begin("01", "manifests")``: a trainee at the start of a lesson."""

    def begin(number: str, name: str) -> Trainee:
        lesson = lab.lesson(number).start()
        return Trainee(lab=lab, lesson=lesson, ns=lab.namespace(name))

    return begin
