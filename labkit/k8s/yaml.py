"""Many-document YAML, read as Kubernetes reads it and written as people like to read it.

Kubernetes turns YAML 1.1 into JSON first: ``yes`` and ``on`` are booleans, a duplicate key is an error, keys are
strings. A document keeps the file and line where it began, so that whatever is said about an object later can
name them.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from labkit.errors import ManifestError
from labkit.k8s import depth, scalars

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from labkit.k8s.objects import Object

try:
    from yaml import CSafeDumper as _BaseDumper
    from yaml import CSafeLoader as _BaseLoader
except ImportError:  # a PyYAML without libyaml: slower, the same results
    from yaml import SafeDumper as _BaseDumper  # type: ignore[assignment]
    from yaml import SafeLoader as _BaseLoader  # type: ignore[assignment]

MAX_NODES = 1_000_000
"""How many values one document may hold once its aliases are followed: a "billion laughs" stops here."""

MAX_DEPTH = 200
"""How deep values may be nested; the API server's own bound is of the same order."""


@dataclass(frozen=True)
class Document:
    """One object of a file: the object, the file it came from, the line it begins at (from 1) and its text."""

    obj: Object
    file: str = ""
    line: int = 1
    text: str = ""

    @property
    def where(self) -> str:
        """``file:line``, for messages."""
        return f"{self.file}:{self.line}" if self.file else f"line {self.line}"


def load(text: str, *, file: str = "") -> Any:
    """The value of a single document; ``None`` for an empty one. `ManifestError` names file and line."""
    try:
        value, duplicates = load_lenient(text)
    except yaml.YAMLError as error:
        raise _unreadable(error, file) from error
    if duplicates:
        raise _duplicate(duplicates[0], file, 0)
    return value


def load_documents(text: str, *, file: str = "") -> list[Document]:
    """Every object of a stream of documents, in order; empty documents are dropped, a ``List`` is taken apart.

    Raises `ManifestError` naming file and line where the text is not YAML, repeats a key, or holds something
    that is not an object with ``apiVersion`` and ``kind``.
    """
    found: list[Document] = []
    for line, part in split(text):
        try:
            value, duplicates = load_lenient(part)
        except yaml.YAMLError as error:
            raise _unreadable(error, file, line - 1) from error
        if duplicates:
            raise _duplicate(duplicates[0], file, line - 1)
        if value is not None:
            begin = line + _lead(part)
            found += _objects(value, Document({}, file, begin, part))
    return found


def load_lenient(text: str) -> tuple[Any, list[str]]:
    """A single document's value with, for each key that was written twice, ``line N: key "x" already set in map``.

    The last one wins, as in the API server, which only warns. Raises `yaml.YAMLError`.
    """
    depth.check(text, MAX_DEPTH, _BaseLoader)
    loader = _Loader(text)
    try:
        value = loader.get_single_data()
    finally:
        loader.dispose()
    return value, loader.duplicates


def split(text: str) -> Iterator[tuple[int, str]]:
    """The documents of a stream as text, each with the line it begins at; separators are left out.

    Splitting comes before parsing, so that an error in one document can be told from its neighbours' lines.
    """
    lines = text.splitlines(keepends=True)
    begin = 0
    for number, line in enumerate([*lines, "---\n"]):
        if re.match(r"---(\s|$)", line):
            part = "".join(lines[begin:number])
            rest = line[3:].strip() if number < len(lines) else ""
            if part.strip():
                yield begin + 1, part
            begin = number + 1
            if rest and not rest.startswith(("#", "%", "!")):
                lines[number] = " " * 3 + line[3:]  # "--- {a: 1}" begins its document on the same line
                begin = number


def dump(value: Any) -> str:
    """YAML of an object, or of several as a stream: block style, text of several lines as ``|``, order kept."""
    if isinstance(value, list) and value and all(isinstance(v, dict) and "kind" in v for v in value):
        return "---\n".join(dump(v) for v in value)
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096, default_flow_style=False
    )


def _lead(part: str) -> int:
    """How many lines come before the first that says something."""
    for number, line in enumerate(part.splitlines()):
        if line.strip() and not line.lstrip().startswith("#"):
            return number
    return 0


def _objects(value: Any, at: Document) -> Iterator[Document]:
    if not isinstance(value, dict):
        what = "a list" if isinstance(value, list) else "a text" if isinstance(value, str) else "a bare value"
        raise ManifestError(
            f"this is {what}, not a Kubernetes object",
            where=at.where,
            fix="A manifest is a mapping that has apiVersion and kind; is the indentation right?",
        )
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise ManifestError(
                f"the object has no {field}", where=at.where, fix=f"Add {field} at the object's first column."
            )
    if value["kind"] == "List" and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _objects(item, at)
        return
    yield Document(value, at.file, at.line, at.text)


def _unreadable(error: yaml.YAMLError, file: str, offset: int = 0) -> ManifestError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    line = offset + (mark.line + 1 if mark else 1)
    where = f"{file}:{line}" if file else f"line {line}"
    return ManifestError(f"not valid YAML: {problem}", where=where, fix=_advice(problem))


def _advice(problem: str) -> str:
    if "\\t" in problem or "cannot start any token" in problem:
        return "YAML is indented with spaces, never tabs; a text with special characters wants quotes."
    if "mapping values" in problem:
        return "A colon inside a text wants quotes around the text; or the line is indented too far."
    if "expected <block end>" in problem or "block collection" in problem or "block mapping" in problem:
        return "Keys of one mapping must begin in the same column; look at this line's indentation and the one above."
    return "Look at this line and the one above: indentation, quotes, colons."


def _duplicate(text: str, file: str, offset: int) -> ManifestError:
    number, _, rest = text.removeprefix("line ").partition(": ")
    line = offset + int(number)
    return ManifestError(
        rest,
        where=f"{file}:{line}" if file else f"line {line}",
        fix="Write each key once; the last would win silently.",
    )


class _Loader(_BaseLoader):
    """YAML → JSON data: string keys, no dates, no tags of Python's, bounded in size and depth."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.duplicates: list[str] = []
        self._seen = 0
        self._depth = 0
        self._weights: dict[yaml.Node, int] = {}

    def get_single_data(self) -> Any:
        """The document's value, once it is known to be small enough."""
        node = self.get_single_node()
        if node is None:
            return None
        self._weigh(node, 0)
        return self.construct_document(node)

    def _weigh(self, node: yaml.Node, level: int) -> int:
        """How many values the node stands for with its aliases followed."""
        if level > MAX_DEPTH:
            raise _too_much(node, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, yaml.ScalarNode):
            return 1
        if node in self._weights:
            if not self._weights[node]:
                raise _too_much(node, "an alias refers to what it is part of")
            return self._weights[node]
        self._weights[node] = 0
        weight = 1
        if isinstance(node, yaml.MappingNode):
            self._note_duplicates(node)  # before merge keys are flattened into it
        for child in node.value:
            pair = child if isinstance(child, tuple) else (child,)
            weight += sum(self._weigh(part, level + 1) for part in pair)
            if weight > MAX_NODES:
                raise _too_much(node, f"more than {MAX_NODES:,} values once its aliases are followed")
        self._weights[node] = weight
        return weight

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping with string keys."""
        self.flatten_mapping(node)
        return {
            _key(self.construct_object(key, deep=True)): self.construct_object(value, deep=deep)
            for key, value in node.value
        }

    def _note_duplicates(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value == "<<" or not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                self.duplicates.append(
                    f'line {key.start_mark.line + 1}: key "{key.value}" already set in map'
                )
            seen.add(key.value)


def _too_much(node: yaml.Node, problem: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _key(value: Any) -> str:
    """A key as JSON has it: Kubernetes turns numbers and booleans into their text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value)


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> Iterator[dict[Hashable, Any]]:
    data: dict[Hashable, Any] = {}
    yield data
    data.update(loader.construct_mapping(node))


def _construct_text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


scalars.use(_Loader)
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _construct_text)  # JSON has no dates: they stay text
_Loader.add_constructor("tag:yaml.org,2002:binary", _construct_text)


class _Dumper(_BaseDumper):
    """Block style with lists indented below their key, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's signature
        """Write everything out: readers of manifests do not expect anchors."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value and not re.search(r"[ \t]\n|\t", value) else None
    if not scalars.is_text(value):
        style = "'"  # PyYAML would write it plain: other readers take 1e3 for a number and y for true
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(
    datetime.datetime,
    lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value.isoformat()),
)
