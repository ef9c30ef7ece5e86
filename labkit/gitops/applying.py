"""How one target is put to the API server: by server-side apply, whatever the sync options say of it first.

Compare asks with it (as a dry run), sync writes with it: so what is shown is what will be done.
"""

from __future__ import annotations

import contextlib
import copy
import re
from typing import TYPE_CHECKING, Any

from labkit.errors import ApiError, Conflict, LabError
from labkit.gitops.api.names import FIELD_MANAGER
from labkit.gitops.api.options import sync_option
from labkit.k8s.secrets import unquoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.gitops.live import Server
    from labkit.k8s.objects import Object

_TRIES = 3
_UNDECLARED = "field not declared in schema"
_UNKNOWN = re.compile(r'unknown field "([^"]+)"')


def apply(server: Server, target: Object, options: Iterable[str] = (), *, dry_run: bool = False) -> Object:
    """The object as the server has it after the apply (or would have it); raises what the server answers.

    With sync option ``Validate=false`` fields that the kind does not have are left out rather than refused.
    """
    try:
        return _apply(server, target, dry_run=dry_run)
    except ApiError as error:
        if _UNDECLARED not in error.message or sync_option(target, options, "Validate") != "false":
            raise
    return _apply(server, _declared(server, target), dry_run=dry_run)


def _apply(server: Server, target: Object, *, dry_run: bool) -> Object:
    """One apply. A conflict can only be with a write at the same moment, since ours wins any over fields: again."""
    try:
        for _ in range(_TRIES - 1):
            with contextlib.suppress(Conflict):
                return server.apply(target, field_manager=FIELD_MANAGER, force=True, dry_run=dry_run)
        return server.apply(target, field_manager=FIELD_MANAGER, force=True, dry_run=dry_run)
    except ApiError as error:
        error.problem = unquoted(error.problem, target)
        raise


def _declared(server: Server, target: Object) -> Object:
    """The target without the fields that the server does not know; the server itself is asked which they are."""
    kept = copy.deepcopy(target)
    asked = copy.deepcopy(target)
    asked["metadata"] = {**asked["metadata"], "generateName": "validate-"}
    del asked["metadata"]["name"]  # of the target's own name there may be one already
    try:
        server.create(asked, dry_run=True, field_validation="Strict")
    except LabError as error:
        for path in _UNKNOWN.findall(error.problem):
            _remove(kept, [int(i) if i else name for name, i in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)])
    return kept


def _remove(node: Any, path: list[str | int]) -> None:
    *steps, last = path
    for step in steps:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(node, dict):
        node.pop(last, None)
