"""Fills templates: ``{{name}}`` by plain replacement, or Go templates where the set says ``goTemplate: true``.

What parameters put in is never looked at as a template again, so that no text from a repository or a pull request's
title becomes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import RenderError
from labkit.gitops.api.application import InvalidSpec
from labkit.helm import gotemplates

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.gitops.applicationsets.parameters import JSON, Params

_OPTION = "missingkey="


@dataclass(frozen=True)
class Renderer:
    """How one set's templates are filled; ``missing_key`` is Go's option of that name."""

    go: bool = False
    missing_key: str = "default"

    @classmethod
    def parse(cls, spec: JSON) -> Renderer:
        """From ``goTemplate`` and ``goTemplateOptions``; `InvalidSpec` for an option that Go does not know."""
        missing_key = "default"
        for number, option in enumerate(spec.get("goTemplateOptions") or []):
            missing_key = str(option).removeprefix(_OPTION)
            if not str(option).startswith(_OPTION) or missing_key not in gotemplates.MISSING_KEY:
                raise InvalidSpec(
                    f"Go templates have no option {option!r}",
                    where=f"spec.goTemplateOptions[{number}]",
                    fix='goTemplateOptions: ["missingkey=error"]',
                )
        return cls(bool(spec.get("goTemplate")), missing_key)

    def replace(self, text: str, params: Params) -> str:
        """One text, filled. Raises `RenderError`."""
        if self.go:
            return gotemplates.render([text], params, missing_key=self.missing_key)[0]
        return _replaced(text, params)

    def render(self, tree: Any, params: Params) -> Any:
        """Every text of a tree, filled; keys, too."""
        if not self.go:
            return _mapped(tree, lambda text: _replaced(text, params))
        texts = list(dict.fromkeys(_texts(tree)))
        made = dict(zip(texts, gotemplates.render(texts, params, missing_key=self.missing_key), strict=True))
        return _mapped(tree, made.__getitem__)

    def values(self, values: Params, params: Params) -> Params:
        """A generator's ``values``, filled with its parameters, which they are added to.

        They do not see each other: else a few lines could make a text of a billion.
        """
        found = self.render({str(key): str(value) for key, value in values.items()}, params) if values else {}
        if self.go:
            return params | ({"values": found} if values else {})
        return params | {f"values.{key}": value for key, value in found.items()}

    def generator(self, generator: JSON, params: Params) -> JSON:
        """A generator, filled with the parameters of the one before it in a matrix.

        What its ``values`` say of parameters that only it will make is left for later.
        """
        if not params:
            return generator
        made: JSON = {}
        for kind, spec in generator.items():
            kept = (spec.get("values") or {}) if isinstance(spec, dict) and kind != "list" else {}
            rest = {k: v for k, v in spec.items() if k != "values"} if kept else spec
            made[kind] = self.render(rest, params)
            if kept:
                made[kind]["values"] = {
                    key: self._now_or_later(key, str(v), params) for key, v in kept.items()
                }
        return made

    def _now_or_later(self, key: str, text: str, params: Params) -> str:
        try:
            return Renderer(self.go, "error").replace(text, params)
        except gotemplates.GoTemplateError as error:
            if error.missing_key:
                return text
            raise RenderError(
                f'failed to pre-resolve Values key "{key}": {error.problem}', where=error.where, fix=error.fix
            ) from error


def _replaced(text: str, params: Params) -> str:
    """``{{ name }}`` by the parameter of that name; what there is no parameter for stays as it is."""
    if not any("{{" in line and "}}" in line.partition("{{")[2] for line in text.split("\n")):
        return text
    made, rest = "", text
    while "{{" in rest:
        before, _, rest = rest.partition("{{")
        tag, found, rest = rest.partition("}}")
        if not found:
            raise RenderError(
                f'cannot find end tag="}}}}" in the template {text[:200]!r}',
                where="template",
                fix="Close it: {{name}}",
            )
        value = params.get(tag.strip())
        made += before + (value if isinstance(value, str) and tag.strip() else f"{{{{{tag}}}}}")
    return made + rest


def _mapped(tree: Any, change: Callable[[str], str]) -> Any:
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, list):
        return [_mapped(item, change) for item in tree]
    if isinstance(tree, dict):
        return {change(key): _mapped(value, change) for key, value in tree.items()}
    return tree


def _texts(tree: Any) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, list):
        return [text for item in tree for text in _texts(item)]
    if isinstance(tree, dict):
        return [text for key, value in tree.items() for text in (key, *_texts(value))]
    return []
