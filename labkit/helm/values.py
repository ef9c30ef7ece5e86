"""Values from files and flags, put together with Helm's precedence.

Later wins: the chart's own ``values.yaml``, then value files in their order, ``values`` given as data, then the
flags ``--set-json``, ``--set``, ``--set-string``, ``--set-file``, whatever order they were typed in (Helm 4,
``pkg/cli/values``). Maps are merged key by key; everything else, lists too, is replaced whole; ``null`` removes
the chart's own value.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from labkit.errors import ManifestError, ValuesError
from labkit.helm import setflags
from labkit.helm.text import parse

Values = dict[str, Any]

MOST_BYTES = 8 * 2**20


@dataclass(frozen=True)
class GivenSource:
    """One file or flag: its name, what it does to the values gathered so far, and its text if it has lines."""

    name: str
    apply: Callable[[Values], Values]
    text: str = ""


@dataclass(frozen=True)
class Given:
    """Everything that a caller gives over the chart's own values.

    Relative paths are relative to ``base`` (the current folder by default). With ``inside``, a file that lies
    outside of that folder, also by way of a link, is refused; ``refs`` are further folders that files may lie in,
    by the names that messages give them.
    """

    value_files: Sequence[Path | str] = ()
    values: Mapping[str, Any] | str | None = None
    set_json: Sequence[str] = ()
    set: Sequence[str] = ()
    set_string: Sequence[str] = ()
    set_file: Sequence[str] = ()
    inside: Path | None = None
    refs: Mapping[str, Path] = field(default_factory=dict)
    base: Path | None = None

    def merged(self) -> Values:
        """One map, without the chart's own values; `ValuesError` names the file and line, or the flag."""
        merged: Values = {}
        for source in self.sources():
            merged = source.apply(merged)
        return merged

    def sources(self) -> Iterator[GivenSource]:
        """Each source in the order in which they are laid over each other."""
        for file in self.value_files:
            name = self._shown(file)
            text = self.read(file, name)
            yield GivenSource(name, partial(_lay_over, partial(parse_values, text, name)), text)
        if isinstance(self.values, str):
            yield GivenSource(
                "values", partial(_lay_over, partial(parse_values, self.values, "values")), self.values
            )
        elif self.values:
            yield GivenSource("values", partial(_lay_over, partial(copy.deepcopy, dict(self.values))))
        for expression in self.set_json:
            yield GivenSource(f"--set-json {expression}", partial(_set_json, expression))
        for expression in self.set:
            yield GivenSource(f"--set {expression}", partial(_set, setflags.set_typed, expression))
        for expression in self.set_string:
            yield GivenSource(f"--set-string {expression}", partial(_set, setflags.set_string, expression))
        for expression in self.set_file:
            where = f"--set-file {expression}"
            read = partial(self.read, where=where)
            yield GivenSource(where, partial(_set, partial(setflags.set_file, read=read), expression))

    def _shown(self, file: Path | str) -> str:
        """A file as messages name it: within a repository, by its path there."""
        path = Path(file)
        if self.inside is not None and path.is_absolute():
            if path.is_relative_to(self.inside):
                return path.relative_to(self.inside).as_posix()
            for name, folder in self.refs.items():
                if path.is_relative_to(folder):
                    return f"${name}/{path.relative_to(folder).as_posix()}"
        return str(file)

    def read(self, file: Path | str, where: str) -> str:
        """A file's text, as UTF-8."""
        path = (self.base or Path()) / file
        try:
            if self.inside is not None:
                allowed = [folder.resolve() for folder in (self.inside, *self.refs.values())]
                if not any(path.resolve().is_relative_to(folder) for folder in allowed):
                    raise ValuesError(
                        "the values file lies outside of the repository, and is not read",
                        where=where,
                        fix="put the file into the repository",
                    )
            with path.open("rb") as source:
                data = source.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise ValuesError(f"the file is larger than {MOST_BYTES // 2**20} MB", where=where)
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValuesError("the file is not UTF-8 text", where=where, fix="save it as UTF-8") from None
        except FileNotFoundError:
            raise ValuesError("there is no such values file", where=where, fix="check its path") from None
        except OSError as problem:
            raise ValuesError(f"the file cannot be read: {problem.strerror}", where=where) from None


def parse_values(text: str, where: str) -> Values:
    """A values document as a map; an empty one is an empty map. `ValuesError` with the line."""
    try:
        raw = parse(text, where)
    except ManifestError as problem:
        raise ValuesError(
            f"the values are not YAML: {problem.problem}",
            where=problem.where or where,
            fix=problem.fix
            or "mend the line: spaces instead of tabs, a space after each colon, quotes around special characters",
        ) from None
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise ValuesError(
            f"values are `name: value` pairs, but this is a {_kind(raw)}",
            where=where,
            fix="write the values as a map, for example `replicaCount: 2`",
        )
    return raw


def merge(base: Values, over: Mapping[str, Any]) -> Values:
    """``over`` laid over ``base``: maps key by key, everything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        present = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(present, dict)
        merged[key] = merge(present, value) if both and present is not None else value
    return merged


def _lay_over(read: Callable[[], Values], base: Values) -> Values:
    return merge(base, read())


def _set(parse_into: Callable[[str, Values], None], expression: str, values: Values) -> Values:
    parse_into(expression, values)
    return values


def _set_json(expression: str, values: Values) -> Values:
    if not expression.lstrip().startswith("{"):
        setflags.set_json(expression, values)
        return values
    try:
        return merge(values, json.loads(expression))
    except (ValueError, RecursionError) as problem:
        raise ValuesError(
            f"the value is not JSON: {problem}",
            where=f"--set-json {expression}",
            fix="JSON wants double quotes around names and texts",
        ) from None


def _kind(value: object) -> str:
    names = {list: "list", str: "text", bool: "true/false value", int: "number", float: "number"}
    return names.get(type(value), type(value).__name__)
