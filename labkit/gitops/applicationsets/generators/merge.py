"""``merge``: the sets of the first generator, each with what later generators say of the same keys over it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.applicationsets.generators.children import parameters
from labkit.gitops.applicationsets.generators.matrix import nested
from labkit.gitops.applicationsets.parameters import overridden

if TYPE_CHECKING:
    from labkit.gitops.applicationsets.generators.children import Scene
    from labkit.gitops.applicationsets.parameters import JSON, Params


def make(spec: JSON, scene: Scene, where: str) -> list[Params]:
    """The first generator's sets, in their order."""
    children, keys = nested(spec, scene, where), spec.get("mergeKeys") or []
    if len(children) < 2:
        raise InvalidSpec(
            "found less than two generators, Merge requires two or more",
            where=f"{where}.generators",
            fix="The first makes the sets, the others change them.",
        )
    if not isinstance(keys, list) or not keys:
        raise InvalidSpec(
            "no merge keys were specified, Merge requires at least one",
            where=f"{where}.mergeKeys",
            fix="mergeKeys: [server]",
        )
    base, *others = [
        _by_key(
            parameters(child, scene.below(), f"{where}.generators[{i}]"), keys, f"{where}.generators[{i}]"
        )
        for i, child in enumerate(children)
    ]
    for other in others:
        for key in base.keys() & other.keys():
            over = other[key]
            base[key] = overridden(base[key], over) if scene.renderer.go else base[key] | over
    return list(base.values())


def _by_key(found: list[Params], keys: list[str], where: str) -> dict[str, Params]:
    by_key: dict[str, Params] = {}
    for params in found:
        key = json.dumps({name: params.get(name) for name in sorted(set(map(str, keys)))}, sort_keys=True)
        if key in by_key:
            raise InvalidSpec(
                "the parameters from a generator were not unique by the given mergeKeys, "
                f"Merge requires all param sets to be unique. Duplicate key was {key}",
                where=where,
                fix="Name more merge keys.",
            )
        by_key[key] = params
    return by_key
