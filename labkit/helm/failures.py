"""Helm's words, made into errors that name the file, quote the line and say what to do.

Each kind of failure is one function that looks at the innermost `goerrors.Frame` and either knows what it is or
leaves it to the next; what nobody knows keeps Helm's own words, with the place.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.errors import ChartError, HelmError, RenderError, ValuesError
from labkit.helm.functions import FUNCTIONS
from labkit.helm.goerrors import Frame, frames
from labkit.helm.metadata import read_metadata, value_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labkit.helm.files import ChartFiles

BLOCKS = re.compile(r"\{\{-?\s*(if|range|with|define|block|end)\b")
DEFINE = re.compile(r"\{\{-?\s*(?:define|block)\s+\"([^\"]+)\"")
MOST_WORDS = 600


@dataclass(frozen=True)
class Place:
    """Where a render failed: the chart's files, Helm's name for the chart, and how the values were given."""

    files: ChartFiles
    chart: str
    names: Mapping[str, str]  # each template's path in the chart by Helm's name for it
    origin: Callable[[str], str] = lambda _path: ""  # where the value of that path came from

    def file(self, frame: Frame) -> str:
        """The file of a frame, as its path in the chart."""
        return self.names.get(frame.file, frame.file.removeprefix(f"{self.chart}/"))

    def where(self, frame: Frame) -> str:
        """``path:line:column`` for people."""
        numbers = f":{frame.line}" * bool(frame.line) + f":{frame.column}" * bool(frame.column)
        return self.files.path(self.file(frame)) + numbers

    def line(self, frame: Frame) -> str:
        """The source line that a frame points to."""
        lines = self.source(frame).splitlines()
        return lines[frame.line - 1] if 0 < frame.line <= len(lines) else ""

    def source(self, frame: Frame) -> str:
        """The text of a frame's file."""
        return self.files.files.get(self.file(frame), b"").decode("utf-8", "replace")


def explain(words: str, place: Place) -> HelmError:
    """The error that Helm's words stand for."""
    words = words.strip().removeprefix("Error: ")
    if "meet the specifications of the schema" in words:
        return _schema(words, place)
    way = [frame for frame in frames(words) if frame.file.startswith(f"{place.chart}/")]
    if not way:
        return _without_place(words, place)
    inner = way[-1]
    last = frames(words)[-1]
    message = next((f.message for f in (last, inner) if f.message), _short(words))
    for known in (
        _undefined_function,
        _nil_pointer,
        _wrong_dot,
        _unknown_template,
        _recursion,
        _unclosed,
        _types,
    ):
        if found := known(message, last if last.expression else inner, inner, place):
            problem, fix = found
            break
    else:
        problem, fix = _short(message.removeprefix("error calling fail: ")), _advice_for(words)
    return RenderError(problem + _quote(inner, place) + _route(way, place), where=place.where(inner), fix=fix)


Known = tuple[str, str] | None


def _undefined_function(message: str, _at: Frame, inner: Frame, place: Place) -> Known:
    found = re.search(r'function "([^"]+)" not defined', message)
    if not found:
        return None
    name = found[1]
    if opened := _open_action(place.source(inner), inner.line):
        return (
            f"an action {{{{ … is not closed, so {name!r} is taken for a function",
            f"close the action that begins in line {opened} with }}}}",
        )
    close = difflib.get_close_matches(name, FUNCTIONS, n=1, cutoff=0.6)
    hint = f"did you mean `{close[0]}`?" if close else "see Helm's list of template functions"
    if name == "Values" or name[:1].isupper():
        hint = f"values begin with a dot: `.{name}`"
    return f"there is no function {name!r}", hint


def _nil_pointer(message: str, at: Frame, _inner: Frame, _place: Place) -> Known:
    found = re.search(r"nil pointer evaluating .*?\.(\w+)", message)
    if not found:
        return None
    field = found[1]
    path = re.search(rf"(\$?(?:\.\w+)+)\.{field}\b", at.expression)
    owner = path[1] if path else ""
    if not owner:
        return (
            f"`.{field}` is asked of something that has no value",
            "give it a value, or ask first: `{{ with … }}`, `default`",
        )
    value = owner.lstrip("$").removeprefix(".Values.")
    fix = f"set `{value}.{field}` in values.yaml, or allow for its absence: `{{{{ ({owner}).{field} | default … }}}}`"
    if not owner.lstrip("$").startswith(".Values."):
        top = owner if owner in {".Release", ".Chart", ".Capabilities", ".Template"} else ".Values"
        fix = f"inside `range` and `with` the dot is the item: write `${top}` there; the dollar is always the top"
    return f"the template uses `{owner}.{field}`, but `{owner}` has no value", fix


def _wrong_dot(message: str, at: Frame, _inner: Frame, _place: Place) -> Known:
    found = re.search(r"can't evaluate field (\w+) in type (\S+)", message)
    if not found:
        return None
    field, kind = found.groups()
    if field in {"Values", "Release", "Chart", "Capabilities", "Files", "Template"}:
        return (
            f"`.{field}` is not here: inside `range` and `with` the dot is the current item",
            f"write `$.{field}`; the dollar is always the top",
        )
    return (
        f"`{at.expression or field}`: the value has no field `{field}` (it is {_go_type(kind)})",
        "look at the value's form in values.yaml: only a map has fields",
    )


def _unknown_template(message: str, _at: Frame, _inner: Frame, place: Place) -> Known:
    found = re.search(r'no template "([^"]+)" associated|template "([^"]+)" not defined', message)
    if not found:
        return None
    name = found[1] or found[2]
    defined = sorted(_defined(place.files))
    close = difflib.get_close_matches(name, defined, n=1, cutoff=0.5)
    fix = (
        f"did you mean {close[0]!r}?" if close else "define it in templates/_helpers.tpl: `{{- define … -}}`"
    )
    if not close and defined:
        fix += f"; defined are: {', '.join(defined[:8])}"
    return f"no template is named {name!r}", fix


def _recursion(message: str, _at: Frame, _inner: Frame, _place: Place) -> Known:
    if "nested reference name" not in message and "maximum template depth" not in message:
        return None
    found = re.search(r"nested reference name: (\S+?):", message)
    name = f" {found[1]!r}" if found else ""
    return f"the template{name} includes itself without an end", "let a condition end the recursion"


def _unclosed(message: str, _at: Frame, inner: Frame, place: Place) -> Known:
    if "unexpected EOF" in message and (opened := _open_block(place.source(inner))):
        line, word = opened
        return (
            f"a block is opened and never closed: `{{{{ {word} … }}}}` in line {line}",
            f"add `{{{{ end }}}}` where the block that begins in line {line} should end",
        )
    if "unexpected {{end}}" in message:
        return "an `{{ end }}` closes nothing", "remove it, or open the block it belongs to"
    if "unclosed action" in message or "unterminated" in message:
        return message, "close every {{ with }} and every quote, on the same line"
    return None


def _types(message: str, at: Frame, _inner: Frame, _place: Place) -> Known:
    if "incompatible types for comparison" in message:
        return (
            f"`{at.expression}` compares values of different kinds: {message.rsplit(': ', 1)[-1]}",
            "numbers from a values file are float64: compare `(int .Values.x)`, or quote both sides",
        )
    if "wrong type for value" in message:
        return (
            f"`{at.expression}`: {message}",
            "convert the value first: `toString`, `int`, `quote`, `toYaml`",
        )
    if "wrong number of args" in message:
        return f"`{at.expression}`: {message}", "the last argument may come through a pipe: `… | nindent 4`"
    return None


def _schema(words: str, place: Place) -> ValuesError:
    """One error for all that the schema refuses, each with the value's path and where it came from."""
    chart, found = "", []
    for line in words.splitlines()[1:]:
        item = re.match(r"\s*- at '(?P<path>[^']*)': (?P<message>.*)", line)
        if item is None:
            chart = line.strip().rstrip(":") if line.strip().endswith(":") else chart
            continue
        path = ".".join(part for part in item["path"].split("/") if part)
        if chart and chart != place.chart:
            path = f"{chart}.{path}".rstrip(".")
        origin = place.origin(path)
        found.append(
            f"`{path or '(all values)'}`{f' ({origin})' if origin else ''}: {_plain(item['message'])}"
        )
    if not found:
        found = [_short(words)]
    more = "".join(f"\n  {line}" for line in found[1:])
    fix = "give these values another value; values.schema.json says what each may be"
    if all("additional properties" in line for line in found):
        fix = "take these names out, or correct their spelling: the chart has no such values"
        named = [name for line in found for name in re.findall(r"'([^']+)'", line.rpartition(": ")[2])]
        subcharts = value_keys(place.files, read_metadata(place.files))
        if ours := [name for name in named if name in subcharts]:
            one = len(ours) == 1
            fix = (
                f"{' and '.join(ours)} {'is a dependency' if one else 'are dependencies'} of this chart, and "
                f"{'finds its' if one else 'find their'} values there: list "
                f"{'it' if one else 'them'} under `properties` of values.schema.json, as "
                f'"{ours[0]}": {{"type": "object"}}'
            )
    return ValuesError(
        f"the chart's schema refuses {found[0]}{more}",
        where=place.files.path("values.schema.json"),
        fix=fix,
    )


def _without_place(words: str, place: Place) -> HelmError:
    if found := re.search(
        r"chart requires kubeVersion: (.*?) which is incompatible with Kubernetes (\S+)", words
    ):
        return ChartError(
            f"the chart wants Kubernetes {found[1]}, and this is {found[2]}",
            where=place.files.path("Chart.yaml"),
            fix="choose a version of the chart for this cluster, or change kubeVersion in Chart.yaml",
        )
    if found := re.search(r'more than one dependency with name or alias "([^"]+)"', words):
        return ChartError(
            f"two dependencies are both called {found[1]!r}",
            where=place.files.path("Chart.yaml"),
            fix="give one of them another name: `alias: …`; its values stand below the alias",
        )
    if found := re.search(r"(?:cannot load|error reading|failed to parse) (\S+?): (.*)", words, re.DOTALL):
        return ChartError(_short(found[2]), where=place.files.path(found[1]), fix="mend that file")
    if "no template" in words and (unknown := _unknown_template(words, Frame(""), Frame(""), place)):
        return RenderError(unknown[0], where=str(place.files.source), fix=unknown[1])
    return RenderError(_short(words), where=str(place.files.source), fix=_advice_for(words))


def _advice_for(words: str) -> str:
    if re.match(r'could not parse "[^"]*" as version', words):
        return "write a version of Kubernetes, such as --kube-version 1.33.0"
    if "execution error at" in words:
        return "the chart's author asks for this: set the value that the message names"
    if "error calling include" in words or "error calling tpl" in words:
        return "look at the line above, and at the value it is given"
    return "look at that line of the template, and at the values that it uses"


def _quote(frame: Frame, place: Place) -> str:
    line = place.line(frame)
    return f"\n  line {frame.line}: {line.strip()}" if line.strip() else ""


def _route(way: list[Frame], place: Place) -> str:
    """Through which templates the failing one was reached."""
    outer = [frame for frame in way[:-1] if frame.line]
    if not outer or len(way) > 8:
        return ""
    return "\n  included from " + ", ".join(f"{place.file(frame)}:{frame.line}" for frame in reversed(outer))


def _open_action(source: str, line: int) -> int:
    """The line at or before ``line`` where an action begins that is still open at its end; 0 if none."""
    lines = source.splitlines()
    for number in range(line - 1, max(line - 6, 0), -1):
        text = lines[number - 1] if number <= len(lines) else ""
        if text.rfind("{{") > text.rfind("}}"):
            return number
        if "}}" in text:
            return 0
    return 0


def _open_block(source: str) -> tuple[int, str] | None:
    opened: list[tuple[int, str]] = []
    for found in BLOCKS.finditer(source):
        if found[1] != "end":
            opened.append((source.count("\n", 0, found.start()) + 1, found[1]))
        elif opened:
            opened.pop()
    return opened[-1] if opened else None


def _defined(files: ChartFiles) -> set[str]:
    templates = (data for name, data in files.files.items() if "templates/" in name)
    return {name for data in templates for name in DEFINE.findall(data.decode("utf-8", "replace"))}


def _go_type(kind: str) -> str:
    names = {
        "string": "text",
        "int": "a number",
        "int64": "a number",
        "float64": "a number",
        "bool": "true/false",
    }
    return names.get(kind, "text, a number or a list" if kind == "interface" else f"of type {kind}")


def _plain(message: str) -> str:
    found = re.fullmatch(r"got (\w+), want (\w+(?: or \w+)*)", message)
    return f"it is {_a(found[1])}, and must be {_a(found[2])}" if found else message


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeio" else f"a {noun}"


def _short(words: str) -> str:
    words = words.strip()
    return words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]}…"
