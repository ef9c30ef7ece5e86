"""Make the packaged schema files anew: ``python -m labkit.k8s.schemas.generate`` (needs kubernetes-validate).

Takes the definitions that the kinds of `kinds` are made of, directly or through others, and leaves the rest.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

from labkit.k8s.schemas.builtin import DESCRIPTIONS, STRUCTURE
from labkit.k8s.schemas.kinds import KINDS

JSON = dict[str, Any]

VERSION: Final = "v1.36.0"

# Definitions that no kind refers to and that the server speaks all the same.
ALSO: Final = (
    "io.k8s.api.autoscaling.v1.Scale",
    "io.k8s.api.authentication.v1.TokenRequest",
    "io.k8s.api.policy.v1.Eviction",
    "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup",
    "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList",
    "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList",
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
    "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent",
)

# Values with two forms: the OpenAPI v2 document says so by a format.
TWO_FORMS: Final[dict[str, JSON]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "string", "format": "int-or-string"},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
}


def main() -> None:
    """Write both files beside this module."""
    import kubernetes_validate

    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"{VERSION}-local"
    everything: dict[str, JSON] = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))[
        "$defs"
    ]
    texts: dict[str, tuple[str, dict[str, str]]] = {}
    structure = {name: _compact(name, everything[name], texts) for name in sorted(_needed(everything))}
    here = Path(__file__).parent
    for file, content in ((STRUCTURE, structure), (DESCRIPTIONS, texts)):
        data = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
        (here / file).write_bytes(gzip.compress(data, 9, mtime=0))


def _needed(everything: dict[str, JSON]) -> set[str]:
    served = {(kind.group, kind.version, kind.kind) for kind in KINDS}
    served |= {(kind.group, kind.version, f"{kind.kind}List") for kind in KINDS}
    waiting: list[str] = [name for name in ALSO if name in everything]
    for name, definition in everything.items():
        gvks = definition.get("x-kubernetes-group-version-kind") or ()
        if "DeleteOptions" not in name and any((g["group"], g["version"], g["kind"]) in served for g in gvks):
            waiting.append(name)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(everything[name])
    return found


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"].rpartition("/")[2]] if isinstance(node.get("$ref"), str) else []
        return own + [name for value in node.values() for name in _references(value)]
    if isinstance(node, list):
        return [name for value in node for name in _references(value)]
    return []


def _compact(name: str, definition: JSON, texts: dict[str, tuple[str, dict[str, str]]]) -> JSON:
    fields = {
        key: str(raw.get("description", "")) for key, raw in (definition.get("properties") or {}).items()
    }
    texts[name] = (
        str(definition.get("description", "")),
        {key: text for key, text in fields.items() if text},
    )
    compact: JSON = _plain(definition)
    return TWO_FORMS.get(name, compact)


def _plain(node: Any) -> Any:
    """Without descriptions and nulls; references as in OpenAPI v2."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {}
    for key, value in node.items():
        if key == "properties":
            plain[key] = {name: _plain(schema) for name, schema in value.items()}
        elif key == "$ref":
            plain[key] = "#/definitions/" + value.rpartition("/")[2]
        elif key == "type" and isinstance(value, list):
            plain[key] = next(one for one in value if one != "null")
        elif key == "enum" and node.get("type") in ("string", ["string", "null"]) and len(value) == 1:
            continue  # kind and apiVersion: said by the group-version-kind
        elif key not in ("description", "$schema", "oneOf", "anyOf"):
            plain[key] = _plain(value)
    return plain


if __name__ == "__main__":
    main()
