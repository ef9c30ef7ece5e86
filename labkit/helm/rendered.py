"""What a render gives: Kubernetes objects, each with the template and line that it came from.

Splitting, sorting and recognising hooks follow Helm 4 (``pkg/release/v1/util``), so that `Rendered.manifest` is
what ``helm template`` prints.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import ManifestError, RenderError
from labkit.helm.locate import Template, template
from labkit.helm.text import parse_noting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.helm.files import ChartFiles

SEPARATOR = re.compile(r"^---[ \t]*")
HOOK = "helm.sh/hook"
HOOK_EVENTS = frozenset(
    f"{when}-{what}" for when in ("pre", "post") for what in ("install", "delete", "upgrade", "rollback")
) | {"test", "test-success"}

INSTALL_ORDER = (
    "PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy",
    "PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass",
    "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList",
    "ClusterRoleBinding", "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList",
    "Service", "DaemonSet", "Pod", "ReplicationController", "ReplicaSet", "Deployment",
    "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress", "APIService",
    "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
)  # fmt: skip
_PLACE = {kind: place for place, kind in enumerate(INSTALL_ORDER)}


@dataclass(frozen=True)
class RenderedObject:
    """One object. ``template`` is the file that made it (``templates/service.yaml``), ``line`` where it begins there.

    ``text`` is the document as it was rendered, ``source`` Helm's name for the template
    (``web/templates/service.yaml``).
    """

    obj: dict[str, Any]
    template: str
    line: int
    text: str
    source: str

    @property
    def kind(self) -> str:
        """The object's kind."""
        return str(self.obj.get("kind", ""))

    @property
    def name(self) -> str:
        """The object's name, '' where it has none yet (``generateName``)."""
        return str((self.obj.get("metadata") or {}).get("name", ""))

    @property
    def hooks(self) -> tuple[str, ...]:
        """The events at which Helm would run it; empty for an object that is simply there."""
        return _hooks(self.obj)

    @property
    def is_test(self) -> bool:
        """Whether ``helm test`` would run it."""
        return bool({"test", "test-success"} & set(self.hooks))


@dataclass(frozen=True)
class Rendered:
    """All that a chart renders to with these values.

    ``objects`` are in Helm's install order, with ``crds/`` first and hooks last; ``manifest`` is the same as
    text; ``warnings`` are Helm's own remarks; ``templates`` is each template's whole output by its name.
    """

    objects: tuple[RenderedObject, ...]
    notes: str
    crds: tuple[RenderedObject, ...]
    warnings: tuple[str, ...]
    templates: dict[str, str]

    @property
    def manifest(self) -> str:
        """The objects as one YAML stream, as ``helm template`` prints it."""
        return "".join(f"---\n# Source: {each.source}\n{each.text}" for each in self.objects)

    @property
    def hooks(self) -> tuple[RenderedObject, ...]:
        """Those objects that are hooks."""
        return tuple(each for each in self.objects if each.hooks)


@dataclass(frozen=True)
class Piece:
    """One YAML document of a rendered file: its text and the line (from 1) at which it begins there."""

    text: str
    line: int


def split(text: str) -> Iterator[Piece]:
    """The documents of a stream, as Helm takes it apart (also ``---kind: …`` on one line); empty ones left out."""
    begin, lines = 1, list[str]()
    for number, line in enumerate([*text.splitlines(keepends=True), "---"], 1):
        separator = SEPARATOR.match(line)
        if separator is None:
            lines.append(line)
            continue
        body = "".join(lines)
        blank = len(body) - len(body.lstrip())
        if body.strip():
            yield Piece(body.strip() + "\n", begin + body[:blank].count("\n"))
        begin, lines = number, [line[separator.end() :]]


class Reader:
    """Takes rendered files apart. ``names`` are the templates' paths in the chart by Helm's names for them."""

    def __init__(self, files: ChartFiles, names: dict[str, str]) -> None:
        self.files, self.names = files, names
        self.remarks: list[str] = []

    def read(self, source: str, text: str) -> Iterator[RenderedObject]:
        """The objects of one template's output."""
        name = self.names.get(source, source)
        made = self._made(name)
        seen: dict[str, int] = defaultdict(int)
        for piece in split(text):
            for obj in self._objects(name, text, piece):
                kind = str(obj.get("kind"))
                line = made.document_line(piece.text, seen[kind])
                seen[kind] += 1
                if not self._unknown_hook(obj, name):
                    yield RenderedObject(obj, name, line, piece.text, source)

    def _objects(self, name: str, text: str, piece: Piece) -> list[dict[str, Any]]:
        try:
            raw, twice = parse_noting(piece.text, "")
        except ManifestError as problem:
            line = int((re.findall(r"\d+", problem.where) or ["1"])[0]) - 1 + piece.line
            raise self._not_yaml(name, text, line, problem.problem) from None
        self.remarks += [f"{name}: rendered {remark}" for remark in twice]
        if raw is None:
            return []
        if not isinstance(raw, dict):
            kind = "a list" if isinstance(raw, list) else "plain text"
            raise self._not_an_object(name, text, piece.line, f"renders {kind}, not a Kubernetes object")
        if raw.get("kind") == "List" and isinstance(raw.get("items"), list):
            return [item for item in raw["items"] if isinstance(item, dict)]
        missing = [key for key in ("apiVersion", "kind") if not isinstance(raw.get(key), str) or not raw[key]]
        if missing:
            raise self._not_an_object(
                name, text, piece.line, f"renders an object that has no {' and no '.join(missing)}"
            )
        return [raw]

    def _not_yaml(self, name: str, text: str, line: int, detail: str) -> RenderError:
        lines = text.splitlines()
        line = max(1, min(line, len(lines)))
        source_line, quoted = self._quote(name, lines, line)
        return RenderError(
            f"the template renders something that is not YAML: {detail}\n{quoted}",
            where=f"{self.files.path(name)}:{source_line}",
            fix=_advice(detail, lines[line - 1] if lines else ""),
        )

    def _not_an_object(self, name: str, text: str, line: int, problem: str) -> RenderError:
        source_line, quoted = self._quote(name, text.splitlines(), line)
        return RenderError(
            f"the template {problem}\n{quoted}",
            where=f"{self.files.path(name)}:{source_line}",
            fix="each document needs `apiVersion:`, `kind:` and `metadata.name:` at its left edge; a file that only "
            "defines helpers has a name that begins with _",
        )

    def _quote(self, name: str, lines: list[str], line: int) -> tuple[int, str]:
        """The probable source line, and both lines quoted."""
        made = self._made(name)
        source_line = made.line_of(lines, line - 1)
        quoted = f"  rendered, line {line}: {_cut(lines[line - 1] if lines else '')}"
        if made.lines:
            quoted += f"\n  template, about line {source_line}: {_cut(made.lines[source_line - 1])}"
        return source_line, quoted

    def _made(self, name: str) -> Template:
        return template(self.files.files.get(name, b"").decode("utf-8", "replace"))

    def _unknown_hook(self, obj: dict[str, Any], name: str) -> bool:
        hooks = _hooks(obj)
        unknown = [hook for hook in hooks if hook not in HOOK_EVENTS]
        if unknown:
            self.remarks.append(f"{name}: {obj.get('kind')} left out, Helm knows no hook {unknown[0]!r}")
        return bool(unknown)


def in_install_order(objects: list[RenderedObject]) -> list[RenderedObject]:
    """Plain objects by kind, then hooks by kind; within a kind as they came, unknown kinds last by name."""

    def place(each: RenderedObject) -> tuple[bool, int, str]:
        known = _PLACE.get(each.kind)
        return (
            bool(each.hooks),
            len(_PLACE) if known is None else known,
            "" if known is not None else each.kind,
        )

    return sorted(objects, key=place)


def _hooks(obj: dict[str, Any]) -> tuple[str, ...]:
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    value = annotations.get(HOOK) if isinstance(annotations, dict) else None
    return tuple(part.strip().lower() for part in value.split(",")) if isinstance(value, str) else ()


def _advice(detail: str, line: str) -> str:
    if "\t" in line:
        return "YAML does not allow tabs: indent with spaces"
    if "mapping values are not allowed" in detail:
        return "a text that holds `: ` needs quotes (`{{ … | quote }}`); or the line before it is indented wrongly"
    if "expected <block end>" in detail or "did not find expected key" in detail:
        return (
            "check the indentation of this line and the one before; a block that is included needs `nindent`"
        )
    return "compare the two lines: is a value empty, or does it need `| quote` or `| nindent N`?"


def _cut(line: str) -> str:
    return line if len(line) <= 120 else line[:119] + "…"
