"""Which plain YAML scalars are numbers, booleans or null: as Kubernetes and Helm see them.

Both read YAML with the same Go library and turn it into JSON. It knows YAML 1.1's ``yes`` and ``off``, but not
its ``1:30`` (base 60) or dates; it takes ``1e3``, ``0o17`` and ``1_000`` for numbers and ``08`` for 8, and a
float without a fraction is a whole number once it has been JSON. PyYAML differs in each of these.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

NULLS = r"~|null|Null|NULL|"
BOOLEANS = r"y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE"
TRUES = frozenset({"y", "yes", "on", "true"})
MAYBE_NUMBER = r"[-+]?[.0-9][-+.0-9a-zA-Z_]*"
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INTEGERS = (
    (re.compile(r"[-+]?0[xX][0-9a-fA-F]+"), 16),
    (re.compile(r"[-+]?0[bB][01]+"), 2),
    (re.compile(r"[-+]?0[oO]?[0-7]+"), 8),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10),
)
LARGEST = 2**64  # beyond it, Go keeps a float
LONGEST = 1000  # characters; a number of more is none, in Go because it is out of range

RESOLVERS = (
    ("tag:yaml.org,2002:null", re.compile(rf"^(?:{NULLS})$"), ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", re.compile(rf"^(?:{BOOLEANS})$"), list("yYnNtTfFoO")),
    ("tag:yaml.org,2002:float", re.compile(rf"^{MAYBE_NUMBER}$"), list("-+.0123456789")),
    ("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"]),
)


def number(text: str) -> int | float | str:
    """The number that a plain scalar is, or the text itself where it is none."""
    if len(text) > LONGEST:
        return text
    plain = text.replace("_", "") if text[:1] != "." else text
    for pattern, base in INTEGERS:
        if pattern.fullmatch(plain):
            whole = int(re.sub(r"0[xXbBoO]?(?=.)", "", plain, count=1) if base != 10 else plain, base)
            if -(2**63) <= whole < LARGEST:
                return whole
            break
    if not FLOAT.fullmatch(plain):
        return text
    value = float(plain)
    return text if value in (float("inf"), float("-inf")) else _as_json(value)


def is_text(text: str) -> bool:
    """Whether a plain scalar is just its text."""
    if re.fullmatch(MAYBE_NUMBER, text):
        return isinstance(number(text), str)
    return not re.fullmatch(f"{NULLS}|{BOOLEANS}", text)


def use(loader: Any) -> None:
    """Give a PyYAML loader class these rules instead of its own."""
    loader.yaml_implicit_resolvers = {}
    for tag, pattern, first in RESOLVERS:
        loader.add_implicit_resolver(tag, pattern, first)
    loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
    loader.add_constructor("tag:yaml.org,2002:float", _number)
    loader.add_constructor("tag:yaml.org,2002:merge", _text)


def _as_json(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def _boolean(loader: Any, node: yaml.ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() in TRUES


def _number(loader: Any, node: yaml.ScalarNode) -> int | float | str:
    return number(str(loader.construct_scalar(node)))


def _text(loader: Any, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))
