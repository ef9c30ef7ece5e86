"""Text with holes, filled in by Jinja: what lesson 03 does by hand, in the same few lines as its notebook.

A trainee's template is a trainee's program; it runs in Jinja's sandbox, and what goes wrong is an error with a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LessonError
from labkit.k8s import yaml
from labkit.k8s.objects import name_of
from labkit.views.flow import Arrow, Box, flow

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.k8s.objects import Object
    from labkit.views import View

TEMPLATE = "app.yaml.j2"


def values_of(folder: Path, name: str) -> dict[str, Any]:
    """``values/<name>.yaml`` as YAML understands it."""
    file = folder / "values" / f"{name}.yaml"
    if not file.is_file():
        raise LessonError("there is no such file", where=f"values/{name}.yaml", fix="Write it: name: " + name)
    found = yaml.load(file.read_text(encoding="utf-8"), file=f"values/{name}.yaml")
    if not isinstance(found, dict):
        raise LessonError(
            "it is not a list of names with values", where=f"values/{name}.yaml", fix=f"Begin: name: {name}"
        )
    return found


def filled(folder: Path, values: dict[str, Any]) -> str:
    """The folder's template with these values; `LessonError` names the line that Jinja did not understand."""
    from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    engine = SandboxedEnvironment(
        loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    try:
        return engine.get_template(TEMPLATE).render(values)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{TEMPLATE}:{line}" if line else TEMPLATE
        fix = "Give the value a default, or write it into the values file."
        raise LessonError(str(error.message or error), where=where, fix=fix) from None


def rendered(folder: Path, values: dict[str, Any]) -> list[Object]:
    """The objects that the template makes of these values. `ManifestError` where the text is no YAML."""
    text = filled(folder, values)
    return [
        document.obj for document in yaml.load_documents(text, file=f"{TEMPLATE} for {values.get('name')}")
    ]


def drawn(folder: Path) -> View:
    """Which values flow into the template, and which objects come out of it."""
    names = sorted(path.stem for path in (folder / "values").glob("*.yaml"))
    left, right, arrows = [], [], []
    for name in names:
        values = values_of(folder, name)
        left.append(
            Box(f"v-{name}", f"values/{name}.yaml", tuple(f"{key}: {_brief(values[key])}" for key in values))
        )
        objects = _made(folder, values)
        right.append(Box(f"o-{name}", name, objects, "bad" if objects[-1].startswith("✗") else "good"))
        arrows += [Arrow(f"v-{name}", "template", "fill"), Arrow("template", f"o-{name}", "makes")]
    lines = len((folder / TEMPLATE).read_text(encoding="utf-8").splitlines())
    middle = Box("template", TEMPLATE, (f"{lines} lines",))
    return flow("Values flow into one template", [left, [middle], right], arrows)


def _made(folder: Path, values: dict[str, Any]) -> tuple[str, ...]:
    from labkit.errors import LabError

    try:
        return tuple(f"✓ {obj['kind']} {name_of(obj)}" for obj in rendered(folder, values))
    except LabError:
        return ("✗ no objects: an error",)


def _brief(value: Any) -> str:
    return f"{{{', '.join(value)}}}" if isinstance(value, dict) else str(value)
