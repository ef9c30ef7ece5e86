"""Lesson 03, Templates before Helm: one template for three applications, and what a template does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.k8s import yaml
from labkit.k8s.objects import get_path, name_of
from labkit.lessons.course.looking import told
from labkit.lessons.templating import TEMPLATE, filled, rendered, values_of
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "templates"
FRUITS = ("apples", "bananas", "cherries")
TEXTS = {"VERSION": "1.10", "DEBUG": "yes", "NOTE": "first line\nsecond line"}


def _same(bench: Workbench, say: Say) -> Finding:
    folder = bench.namespace(NAME).folder
    for fruit in FRUITS:
        text = (folder / "wanted" / f"{fruit}.yaml").read_text(encoding="utf-8")
        wanted = [document.obj for document in yaml.load_documents(text, file=f"wanted/{fruit}.yaml")]
        try:
            made = rendered(folder, values_of(folder, fruit))
        except LabError as error:
            return say.no("broken", fruit=fruit, where=error.where, problem=error.problem)
        if difference := _difference(_by_name(wanted), _by_name(made)):
            return say.no("different", fruit=fruit, difference=difference)
    try:
        names = {name_of(obj) for obj in rendered(folder, {"name": "elderberries"})}
    except LabError as error:
        return say.no("default", problem=error.problem)
    if names != {"elderberries"}:
        return say.no("fixed", names=", ".join(sorted(names)))
    return say.yes()


def _by_name(objects: list[Object]) -> dict[str, Any]:
    """Objects by kind and name, the variables of a container by name: neither's order means anything."""
    return {f"{obj['kind']} {name_of(obj)}": _unordered(obj) for obj in objects}


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: {each["name"]: each.get("value") for each in inner}
            if key == "env" and isinstance(inner, list)
            else _unordered(inner)
            for key, inner in value.items()
        }
    return [_unordered(inner) for inner in value] if isinstance(value, list) else value


def _difference(wanted: Any, made: Any, path: str = "") -> str:
    """The first place at which two values differ, in words; empty if there is none."""
    if isinstance(wanted, dict) and isinstance(made, dict):
        for key in [*wanted, *(key for key in made if key not in wanted)]:
            place = f"{path}.{key}" if path else key
            if key not in made:
                return f"{place} is missing"
            if key not in wanted:
                return f"{place} is too much"
            if found := _difference(wanted[key], made[key], place):
                return found
        return ""
    if isinstance(wanted, list) and isinstance(made, list) and len(wanted) == len(made):
        pairs = enumerate(zip(wanted, made, strict=True))
        return next(filter(None, (_difference(w, m, f"{path}[{n}]") for n, (w, m) in pairs)), "")
    same = wanted == made and type(wanted) is type(made)
    return "" if same else f"{path} is {made!r}, not {wanted!r}"


def _solve_same(bench: Workbench) -> None:
    folder = bench.namespace(NAME).folder
    text = (folder / TEMPLATE).read_text(encoding="utf-8")
    text = text.replace("replicas: 1\n", "replicas: {{ replicas | default(1) }}\n")
    before = '              value: "9090"\n'
    if "{% for" not in text:
        text = text.replace(before, before + LOOP)
    _put(folder / TEMPLATE, text)
    _put(folder / "values" / "bananas.yaml", "name: bananas\nreplicas: 2\n")
    _put(folder / "values" / "cherries.yaml", "name: cherries\nenv:\n  COLOUR: red\n")


LOOP = """\
            {% for key, value in (env | default({})).items() %}
            - name: {{ key }}
              value: {{ value }}
            {% endfor %}
"""


DATES = """\
name: dates
env:
  VERSION: "1.10"
  DEBUG: "yes"
  NOTE: |-
    first line
    second line
"""


def _traps(bench: Workbench, say: Say) -> Finding:
    ns = bench.namespace(NAME)
    if not (ns.folder / "values" / "dates.yaml").is_file():
        return say.no("absent")
    values = values_of(ns.folder, "dates")
    env = values.get("env")
    if not isinstance(env, dict) or set(TEXTS) - set(env):
        return say.no("values")
    try:
        objects = rendered(ns.folder, values)
    except LabError as error:
        return say.no("broken", where=error.where, problem=error.problem)
    made = _env(objects)
    if set(TEXTS) - set(made):
        return say.no("loop", missing=", ".join(sorted(set(TEXTS) - set(made))))
    for name, text in TEXTS.items():
        if made[name] == text:
            continue
        kind = {bool: "bool", int: "number", float: "number"}.get(type(made[name]), "lost")
        return say.no("note" if name == "NOTE" else kind, name=name, value=repr(made[name]), text=repr(text))
    answer = ns.answer("dates", "/env")
    if "error" in answer:
        return say.no("applied", answer=told(answer))
    if stale := [name for name, text in TEXTS.items() if answer.get(name) != text]:
        return say.no("stale", names=", ".join(stale))
    return say.yes()


def _env(objects: list[Object]) -> dict[str, Any]:
    deployment = next((obj for obj in objects if obj["kind"] == "Deployment"), {})
    env = get_path(deployment, "spec", "template", "spec", "containers", 0, "env", default=[])
    return {each["name"]: each.get("value") for each in env}


def _solve_traps(bench: Workbench) -> None:
    ns = bench.namespace(NAME)
    _solve_same(bench)
    template, values = ns.folder / TEMPLATE, ns.folder / "values" / "dates.yaml"
    _put(template, template.read_text(encoding="utf-8").replace("{{ value }}", "{{ value | tojson }}"))
    _put(values, DATES)
    _put(ns.folder / "dates.yaml", filled(ns.folder, values_of(ns.folder, "dates")))
    ns.apply("dates.yaml")
    ns.wait()


def _put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


SCRIPT = written("03", NAME, {"same": (_same, _solve_same), "traps": (_traps, _solve_traps)})
