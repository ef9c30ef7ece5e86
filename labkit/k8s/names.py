"""What may be a name, a label, an annotation: each rule answers with the API server's own words.

Every function returns the list of what is wrong; an empty list means valid. The rules are those of RFC 1123 and
RFC 1035 as Kubernetes applies them (k8s.io/apimachinery, ``util/validation``).
"""

from __future__ import annotations

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"

_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_NAMES = ["MyName", "my.name", "123-abc"]

_CONFIG_KEY_SAYS = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_LABEL_SAYS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character"
)
_SUBDOMAIN_SAYS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character"
)
_LABEL_1035_SAYS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character"
)
_QUALIFIED_SAYS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character"
)
_LABEL_VALUE_SAYS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character"
)

_WILDCARD = r"\*\." + _SUBDOMAIN
_WILDCARD_SAYS = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)


def dns1123_label(value: str) -> list[str]:
    """A name such as a namespace's: at most 63 characters, no dots."""
    if "." in value and re.fullmatch(_SUBDOMAIN, value):
        return [*_too_long(value, 63), "must not contain dots"]
    return _too_long(value, 63) + _unless(_LABEL, value, _LABEL_SAYS, ["my-name", "123-abc"])


def dns1123_subdomain(value: str) -> list[str]:
    """A name such as most objects': at most 253 characters, labels joined by dots."""
    return _too_long(value, 253) + _unless(_SUBDOMAIN, value, _SUBDOMAIN_SAYS, ["example.com"])


def wildcard_subdomain(value: str) -> list[str]:
    """A host of which the first label may be any: ``*.example.com``."""
    return _too_long(value, 253) + _unless(_WILDCARD, value, _WILDCARD_SAYS, ["*.example.com"])


def dns1035_label(value: str) -> list[str]:
    """A name such as a Service's: a DNS label that begins with a letter."""
    return _too_long(value, 63) + _unless(_LABEL_1035, value, _LABEL_1035_SAYS, ["my-name", "abc-123"])


def qualified_name(value: str, *, subject: str = "a qualified name") -> list[str]:
    """An annotation's key, a finalizer: ``name`` or ``prefix.example.com/name``."""
    problems: list[str] = []
    prefix, slash, name = value.rpartition("/")
    if slash and "/" in prefix:
        name_says = f"{subject} {_QUALIFIED_SAYS} {_note(_QUALIFIED, _NAMES)}"
        return [f"{name_says} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if slash:
        if not prefix:
            problems.append("prefix part must be non-empty")
        else:
            problems += [f"prefix part {text}" for text in dns1123_subdomain(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 bytes")
    return problems + [f"name part {text}" for text in _unless(_QUALIFIED, name, _QUALIFIED_SAYS, _NAMES)]


def label_key(value: str) -> list[str]:
    """A label's key."""
    return qualified_name(value, subject="a valid label key")


def label_value(value: str) -> list[str]:
    """A label's value: empty, or at most 63 characters."""
    return _too_long(value, 63) + _unless(
        f"({_QUALIFIED})?", value, _LABEL_VALUE_SAYS, ["MyValue", "my_value", "12345"]
    )


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap's or Secret's data."""
    problems = _too_long(value, 253) + _unless(
        _CONFIG_KEY, value, _CONFIG_KEY_SAYS, ["key.name", "KEY_NAME", "key-name"]
    )
    if value in {".", ".."}:
        problems.append(f"must not be '{value}'")
    elif value.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def _too_long(value: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} bytes"] if len(value.encode()) > limit else []


def _unless(pattern: str, value: str, says: str, examples: list[str]) -> list[str]:
    return [] if re.fullmatch(pattern, value) else [f"{says} {_note(pattern, examples)}"]


def _note(pattern: str, examples: list[str]) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"(e.g. {shown}regex used for validation is '{pattern}')"
