"""Pod templates: are two the same, and a short name for one (its hash)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from labkit.k8s.objects import Object, labels_of, metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

HASH_LABEL = "pod-template-hash"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, and nothing that looks like something else: no words


def same(one: Object, other: Object) -> bool:
    """Whether two templates mean the same pods, the hash label apart."""
    return _plain(one) == _plain(other)


def short_hash(content: Any, collisions: int = 0) -> str:
    """A few letters that stand for some content; ``collisions`` leads to others when they are taken.

    Like Kubernetes', but not the same letters: theirs are of Go's memory, not of the object.
    """
    value = 2166136261  # FNV-1a
    for byte in orjson.dumps([content, collisions], option=orjson.OPT_SORT_KEYS):
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(value))


def with_label(template: Object, name: str, value: str) -> Object:
    """A copy of a template with one more label."""
    meta = {**metadata(template), "labels": {**labels_of(template), name: value}}
    return {**template, "metadata": meta}


def with_selected_label(selector: Mapping[str, Any], name: str, value: str) -> Object:
    """A copy of a selector that asks for one more label."""
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), name: value}}


def _plain(template: Object) -> Object:
    labels = {name: value for name, value in labels_of(template).items() if name != HASH_LABEL}
    meta = {k: v for k, v in metadata(template).items() if v and k not in ("labels", "creationTimestamp")}
    return {"metadata": meta, "labels": labels, "spec": template.get("spec")}
