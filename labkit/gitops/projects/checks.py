"""Whether an AppProject makes sense as a whole, before anybody relies on it.

Source: ``ValidateProject`` in pkg/apis/application/v1alpha1/app_project_types.go in Argo CD.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.projects import globs
from labkit.gitops.projects.roles import check_roles
from labkit.gitops.projects.windows import Window

JSON = dict[str, Any]

NOTHING = "!*"
_NO_ACCOUNT = set("!*[]{}\\/")


def check(name: str, spec: JSON) -> None:
    """`InvalidSpec` names the first field of a project's ``spec`` that makes no sense, or says the same twice."""
    _destinations(spec)
    _texts(spec, "sourceNamespaces", "source namespace")
    _texts(spec, "sourceRepos", "source repository")
    check_roles(name, spec)
    _windows(spec)
    _accounts(spec)


def _destinations(spec: JSON) -> None:
    seen = set()
    for number, to in enumerate(_mappings(spec, "destinations")):
        where = f"spec.destinations[{number}]"
        for part in ("name", "server", "namespace"):
            if to.get(part) == NOTHING:
                raise _bad(f"{part} has an invalid format, '{NOTHING}'", f"{where}.{part}")
        key = f"{to.get('server') or to.get('name') or ''}/{to.get('namespace') or ''}"
        if key in seen:
            raise InvalidSpec(f"destination '{key}' already added", where=where, fix="Remove one of the two.")
        seen.add(key)


def _texts(spec: JSON, field: str, what: str) -> None:
    seen = set()
    for number, text in enumerate(spec.get(field) or []):
        where = f"spec.{field}[{number}]"
        if not isinstance(text, str):
            raise InvalidSpec(f"a text is wanted, not {text!r}", where=where, fix="Quote it.")
        if text == NOTHING and field == "sourceRepos":
            raise _bad(f"{what} has an invalid format, '{NOTHING}'", where)
        if text in seen:
            raise InvalidSpec(f"{what} '{text}' already added", where=where, fix="Remove one of the two.")
        seen.add(text)


def _windows(spec: JSON) -> None:
    seen = []
    for number, raw in enumerate(_mappings(spec, "syncWindows")):
        where, window = f"spec.syncWindows[{number}]", Window.parse(raw, number)
        if not (window.applications or window.namespaces or window.clusters):
            raise InvalidSpec(
                "the window requires one of application, cluster or namespace",
                where=where,
                fix="applications: ['*']",
            )
        window = replace(window, manual=False, overrun=False)  # of when and what for, not of how strictly
        if window in seen:
            raise InvalidSpec("the sync window already exists", where=where, fix="Remove one of the two.")
        seen.append(window)


def _accounts(spec: JSON) -> None:
    seen = set()
    for number, raw in enumerate(_mappings(spec, "destinationServiceAccounts")):
        where = f"spec.destinationServiceAccounts[{number}]"
        server, namespace = str(raw.get("server") or ""), str(raw.get("namespace") or "")
        account = str(raw.get("defaultServiceAccount") or "")
        for part, text in (("server", server), ("namespace", namespace)):
            if "!" in text or globs.problem(text):
                raise _bad(f"{part} has an invalid format, '{text}'", f"{where}.{part}")
        if not account.strip(" ") or not _NO_ACCOUNT.isdisjoint(account):
            raise _bad(f"defaultServiceAccount has an invalid format, '{account}'", where)
        if (server, namespace) in seen:
            raise InvalidSpec(f"destinationServiceAccount '{server}/{namespace}' already added", where=where)
        seen.add((server, namespace))


def _mappings(spec: JSON, field: str) -> list[JSON]:
    found = spec.get(field) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InvalidSpec(
            f"{field} is a list of mappings", where=f"spec.{field}", fix="Look at its indentation."
        )
    return found


def _bad(problem: str, where: str) -> InvalidSpec:
    return InvalidSpec(problem, where=where, fix="Name what is meant; see the documentation of AppProject.")
