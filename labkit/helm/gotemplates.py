"""Go templates that are no chart: single texts, rendered by the same engine, with the functions ApplicationSets have.

Each text becomes a file of a chart that has nothing else, and its result comes back encoded, so that nothing on the
way can change it. Helm's functions are not quite those that Argo CD gives its templates (Sprig's, and
``normalize``, ``slugify``, ``toYaml``, ``fromYaml``, ``fromYamlArray``): what is Helm's alone is refused, what it
lacks is written in its own terms (`golexer`). Errors have Go's words, as Argo CD shows them.

Source of the functions: applicationset/utils in Argo CD.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import HelmError, RenderError, RenderLimit
from labkit.helm import golexer
from labkit.helm.backend import Job, Refused, Release, backend
from labkit.helm.files import ChartFiles
from labkit.helm.goerrors import Frame, frames
from labkit.helm.workers import LimitMet, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMITS = Limits(seconds=5.0, megabytes=512)
MISSING_KEY = ("default", "invalid", "zero", "error")
_CHART = "labkit"
_OWN = f"{_CHART}/templates/"
_NO_TEMPLATE = re.compile(r'no template (".*") associated with template', re.DOTALL)
_OF_NOTHING = "nil pointer evaluating interface {}."
_CHAIN = re.compile(r"\$?(?:\.[A-Za-z_]\w*){2,}")
_TEXT = re.compile(rf"{_OWN}_(\d+)\.tpl")


class GoTemplateError(RenderError):
    """A text that cannot be parsed or executed; ``problem`` is what Argo CD says. ``missing_key``: data lack a key."""

    missing_key = False


def render(
    texts: Sequence[str], data: dict[str, Any], *, missing_key: str = "default", limits: Limits = LIMITS
) -> list[str]:
    """What each text becomes with the data as ``.``; texts without ``{{`` are what they are.

    ``missing_key`` is Go's option: with ``error`` a key that the data lack is an error, else ``<no value>``.
    Raises `GoTemplateError` for the first text that fails, and `RenderLimit` where it takes too long.
    """
    wanted = tuple(dict.fromkeys(text for text in texts if "{{" in text))
    if not wanted:
        return list(texts)
    made = dict(zip(wanted, _rendered(wanted, data, missing_key, limits), strict=True))
    return [made.get(text, text) for text in texts]


def _rendered(texts: tuple[str, ...], data: dict[str, Any], missing_key: str, limits: Limits) -> list[str]:
    try:
        return _run(texts, data, missing_key, limits)
    except Refused as refused:
        if missing_key == "error" or _OF_NOTHING not in refused.words:
            raise _explained(refused.words, texts) from None
        if len(texts) > 1:
            return [_rendered((text,), data, missing_key, limits)[0] for text in texts]
        return _with_gaps_filled(texts, data, missing_key, limits, refused)


def _with_gaps_filled(
    texts: tuple[str, ...], data: dict[str, Any], missing_key: str, limits: Limits, refused: Refused
) -> list[str]:
    """Go's default for ``.a.b`` where the data have no ``a`` is no value; with Helm's option, ``zero``, it is an error.

    So what the text asks for, and the data lack, is put there as an empty map.
    """
    whole = copy.deepcopy(data)
    for chain in _CHAIN.findall(texts[0]):
        place: Any = whole
        for name in chain.strip("$.").split(".")[:-1]:
            place = place.setdefault(name, {}) if isinstance(place, dict) else None
    try:
        return _run(texts, whole, missing_key, limits)
    except Refused:
        raise _explained(refused.words, texts) from None


def _run(texts: tuple[str, ...], data: dict[str, Any], missing_key: str, limits: Limits) -> list[str]:
    job = Job(
        _chart(texts),
        _CHART,
        {"data": json.dumps(data)},
        Release("template"),
        limits=limits,
        strict=missing_key == "error",
    )
    try:
        output = backend().render(job)
    except LimitMet as met:
        took = f"longer than {limits.seconds:g} s" if met.limit == "time" else f"over {limits.megabytes} MB"
        raise RenderLimit(
            f"the templates took {took}", where="template", fix="Look for `range` or `until` over too much."
        ) from None
    lines = output.templates[f"{_OWN}out.yaml"].splitlines()
    return [base64.b64decode(line.partition(":")[2]).decode() for line in lines if line]


@lru_cache(32)
def _chart(texts: tuple[str, ...]) -> ChartFiles:
    out = ["{{- $data := fromJson .Values.data -}}"]
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: {_CHART}\nversion: 0.1.0\n",
        "templates/_own.tpl": _HELPERS,
    }
    for number, text in enumerate(texts):
        try:
            files[f"templates/_{number}.tpl"] = golexer.rewritten(text).text
        except golexer.NotAFunction as error:
            raise GoTemplateError(
                f'failed to parse template {text}: template: base:{error.line}: function "{error.name}" not defined',
                fix="An ApplicationSet's templates have Sprig's functions, normalize, slugify and those for YAML.",
            ) from None
        out.append(f'{{{{ "\\n" }}}}o{number}: {{{{ include "{_OWN}_{number}.tpl" $data | b64enc }}}}')
    files["templates/out.yaml"] = "".join(out) + "\n"
    return ChartFiles(Path(_CHART), {name: text.encode() for name, text in files.items()}, "template")


def _explained(words: str, texts: tuple[str, ...]) -> HelmError:
    """Go's words about one of our files, as words about the text that is in it."""
    found = frames(words)
    ours = [(frame, int(match[1])) for frame in found if (match := _TEXT.fullmatch(frame.file))]
    if not ours:
        return HelmError(f"the templates could not be rendered: {words[:500]}", where="template")
    frame, number = ours[-1]
    text = texts[number]
    if not frame.expression:
        problem = f"failed to parse template {text}: template: base:{frame.line}: {frame.message}"
        return GoTemplateError(problem, fix="Look at the place that it names.")
    source = golexer.rewritten(text)
    asked = source.original(frame.line, frame.column)
    expression = frame.expression if asked is None else asked.expression
    column = frame.column if asked is None else asked.column
    place = f'template: base:{frame.line}:{column}: executing "base" at <{_shortened(expression)}>'
    message = frame.message if asked is None else f"error calling {asked.name}: {_reason(found[-1])}"
    error = GoTemplateError(
        f"failed to execute go template {text}: {place}: {message}",
        fix="Look at the parameters: `labkit appset generate FILE --show-params` lists them.",
    )
    error.missing_key = "map has no entry for key" in message or "can't evaluate field" in message
    return error


def _reason(frame: Frame) -> str:
    """Why one of our helpers failed: it asks for a template of that name, the only error that keeps its way here."""
    found = _NO_TEMPLATE.search(frame.message)
    return json.loads(found[1]) if found else frame.message


def _shortened(expression: str) -> str:
    """As Go prints it: its first 20 characters."""
    return expression if len(expression) <= 20 or expression.endswith("...") else f"{expression[:20]}..."


# Argo CD's own functions in Helm's terms. A helper gets the arguments that the call had, and says its result as text.
_HELPERS = """
{{- define "labkit.normalize" -}}
{{- regexReplaceAll "[^-a-z0-9.]" (lower .) "-" | trunc 253 | trimAll "-." -}}
{{- end -}}

{{- define "labkit.slugify" -}}
{{- $n := len . -}}
{{- $longest := 50 -}}{{- if gt $n 1 -}}{{- $longest = int (index . 0) -}}{{- end -}}
{{- $smart := true -}}{{- if gt $n 2 -}}{{- $smart = index . 1 -}}{{- end -}}
{{- $slug := include "labkit.normalize" (last .) -}}
{{- if and (not $smart) (ge (len $slug) $longest) -}}{{- $slug = trunc $longest $slug -}}{{- end -}}
{{- $slug = regexReplaceAll "-+" (regexReplaceAll "[^a-z0-9_-]" $slug "-") "-" | trimAll "-_" -}}
{{- if and $smart (gt $longest 0) (gt (len $slug) $longest) -}}
{{- $cut := trunc (int (add1 $longest)) $slug -}}
{{- if contains "-" $cut -}}{{- $slug = regexReplaceAll "-[^-]*$" $cut "" -}}
{{- else -}}{{- $slug = trunc $longest $slug -}}{{- end -}}
{{- end -}}
{{- $slug -}}
{{- end -}}

{{- define "labkit.fromYaml" -}}
{{- $found := fromYaml . -}}
{{- with $found.Error -}}{{- if hasPrefix "error " (toString .) -}}{{- include . nil -}}{{- end -}}{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- define "labkit.fromYamlArray" -}}
{{- $found := fromYamlArray . -}}
{{- if eq (len $found) 1 -}}{{- $first := toString (first $found) -}}
{{- if hasPrefix "error unmarshaling JSON: " $first -}}{{- include $first nil -}}{{- end -}}
{{- if hasPrefix "error converting YAML to JSON: " $first -}}{{- include $first nil -}}{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}
"""
