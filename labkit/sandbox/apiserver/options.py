"""The query of a request (and a deletion's body) as options, checked as the API server checks them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import ApiError, BadRequest
from labkit.sandbox.apiserver import bodies, problems
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, unsupported
from labkit.sandbox.apiserver.requests import DeleteOptions, ListOptions, WriteOptions, option_error

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.handlers import Call
    from labkit.sandbox.store import Store

JSON = dict[str, Any]

_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")
_POLICIES: Final = ("Foreground", "Background", "Orphan")


def read_write(call: Call, kind: str) -> WriteOptions:
    """CreateOptions, UpdateOptions or PatchOptions.  Raises `Invalid`."""
    errors = _dry_run(call.query.get("dryRun", []))
    validation = call.one("fieldValidation")
    if validation not in _VALIDATIONS:
        errors.append(unsupported("fieldValidation", validation, _VALIDATIONS))
    manager = call.one("fieldManager")
    if len(manager) > 128:
        errors.append(
            FieldError("fieldManager", "FieldValueTooLong", "Too long: may not be more than 128 bytes")
        )
    if not manager.isprintable():
        errors.append(bad("fieldManager", manager, "should only contain printable characters"))
    if errors:
        raise option_error(kind, *errors)
    return WriteOptions(
        user=call.user,
        dry_run="dryRun" in call.query and call.query["dryRun"] != [""],
        field_manager=manager,
        field_validation=validation or "Warn",
        force=call.truth("force"),
        user_agent=call.user_agent,
        warnings=call.warnings,
    )


def check_patch(call: Call, how: WriteOptions, patch_type: str) -> None:
    """What only an apply, or only another patch, may say.  Raises `Invalid`."""
    errors = []
    if patch_type == "apply":
        if not how.field_manager:
            errors.append(required("fieldManager", "is required for apply patch"))
    elif "force" in call.query:
        errors.append(forbidden("force", "may not be specified for non-apply patch"))
    if errors:
        raise option_error("PatchOptions", *errors)


def _dry_run(values: list[str]) -> list[FieldError]:
    values = [value for value in values if value]
    if all(value == "All" for value in values):
        return []
    return [unsupported("dryRun", values, ["All"])]


def read_delete(call: Call) -> DeleteOptions:
    """DeleteOptions from the body or, without one, from the query.  Raises `BadRequest` or `Invalid`."""
    said: Any = {}
    if call.body:
        try:
            said = _parse(call)
        except (ValueError, RecursionError) as error:
            raise _no_options(bodies.json_problem(call.body, error)) from error
        if not isinstance(said, dict):
            shape = bodies.go_name(said)
            raise _no_options(
                f"json: cannot unmarshal {shape} into Go value of type {bodies.VERSION_AND_KIND}"
            )
    grace = _first(said, "gracePeriodSeconds", call.one("gracePeriodSeconds"))
    policy = _first(said, "propagationPolicy", call.one("propagationPolicy"))
    dry_run = said.get("dryRun") or [value for value in call.query.get("dryRun", []) if value]
    before = said.get("preconditions") or {}
    errors = _dry_run(dry_run)
    if policy and policy not in _POLICIES:
        errors.append(unsupported("propagationPolicy", policy, [*_POLICIES, "nil"]))
    orphan = _first(said, "orphanDependents", call.one("orphanDependents"))
    if policy and orphan not in (None, ""):
        text = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(bad("propagationPolicy", policy, text))
    if errors:
        raise option_error("DeleteOptions", *errors)
    if not policy and orphan not in (None, ""):
        policy = "Orphan" if str(orphan).lower() == "true" else "Background"
    try:
        seconds = None if grace in (None, "") else int(grace)
    except (TypeError, ValueError) as error:
        raise BadRequest(f'strconv.ParseInt: parsing "{grace}": invalid syntax') from error
    return DeleteOptions(
        propagation=policy or "",
        grace_seconds=seconds,
        uid=before.get("uid") or "",
        resource_version=before.get("resourceVersion") or "",
        dry_run=bool(dry_run),
    )


def _parse(call: Call) -> Any:
    if call.media_type == bodies.PROTOBUF:
        return bodies.protobuf(call.body)
    if "yaml" in call.media_type:
        return bodies.parse_yaml(call.body).value
    return json.loads(call.body)


def _no_options(problem: str) -> ApiError:
    """A deletion's body that cannot be read; the API server takes no more care of that than to say so."""
    return problems.status_error(500, "", f"couldn't get version/kind; json parse error: {problem}")


def _first(said: JSON, key: str, query: str) -> Any:
    value = said.get(key)
    return query if value is None else value


def read_list(call: Call, store: Store) -> ListOptions:
    """ListOptions of a list.  Raises `BadRequest`, `Invalid` or a 504 for a version that is yet to come."""
    version, match = call.one("resourceVersion"), call.one("resourceVersionMatch")
    token, limit = call.one("continue"), max(_number(call, "limit"), 0)
    _number(call, "timeoutSeconds")  # refused where it is no number, though a list has no use for it
    errors = []
    if match:
        if not version:
            errors.append(
                forbidden(
                    "resourceVersionMatch",
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                )
            )
        if token:
            errors.append(
                forbidden(
                    "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"
                )
            )
        if match not in ("Exact", "NotOlderThan"):
            errors.append(unsupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]))
        if match == "Exact" and version == "0":
            errors.append(
                forbidden(
                    "resourceVersionMatch",
                    'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
                )
            )
    if call.one("sendInitialEvents"):
        errors.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if errors:
        raise option_error("ListOptions", *errors)
    if token and version not in ("", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")
    check_resource_version(store, version)
    return ListOptions(
        label_selector=call.one("labelSelector"),
        field_selector=call.one("fieldSelector"),
        resource_version=version,
        match=match,
        limit=limit,
        continue_token=token,
    )


def read_watch(call: Call) -> ListOptions:
    """ListOptions of a watch.  Raises `Invalid`, or the 500 that a watch gives for a bad resourceVersion."""
    version, match = call.one("resourceVersion"), call.one("resourceVersionMatch")
    initial = call.one("sendInitialEvents")
    bookmarks = call.truth("allowWatchBookmarks")
    errors = []
    if initial and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        errors.append(forbidden("resourceVersionMatch", text))
    if match and not initial:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        errors.append(forbidden("resourceVersionMatch", text))
    if match and match != "NotOlderThan":
        errors.append(unsupported("resourceVersionMatch", match, ["NotOlderThan"]))
    if match and call.one("continue"):
        text = "resourceVersionMatch is forbidden when continue is provided"
        errors.append(forbidden("resourceVersionMatch", text))
    if errors:
        raise option_error("ListOptions", *errors)
    problem = _version_problem(version)
    if problem:
        raise problems.status_error(500, "", problem)
    seconds = _number(call, "timeoutSeconds")
    return ListOptions(
        label_selector=call.one("labelSelector"),
        field_selector=call.one("fieldSelector"),
        resource_version=version,
        match=match,
        timeout_seconds=float(seconds) if seconds else None,
        bookmarks=bookmarks,
        initial_events=call.truth("sendInitialEvents") if initial else None,
    )


def check_resource_version(store: Store, version: str) -> None:
    """Raise `BadRequest` for a resourceVersion that is none, or a 504 for one that is yet to come."""
    if version in ("", "0"):
        return
    problem = _version_problem(version)
    if problem:
        raise BadRequest(f"invalid resource version: {problem}")
    if int(version) > store.revision:
        text = f"Too large resource version: {version}, current: {store.revision}"
        details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
        raise problems.status_error(504, "Timeout", f"Timeout: {text}", {**details, "retryAfterSeconds": 1})


def included(call: Call) -> str:
    """What of each object a table's rows carry.  Raises `Invalid`."""
    wanted = call.one("includeObject")
    if wanted not in ("", "Metadata", "Object", "None"):
        text = "must be 'Metadata', 'Object', 'None', or empty"
        raise option_error("TableOptions", bad("includeObject", wanted, text))
    return wanted


def _version_problem(version: str) -> str:
    if version == "" or (version.isascii() and version.isdigit()):
        return ""
    return (
        f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
    )


def _number(call: Call, name: str) -> int:
    text = call.one(name)
    if not text:
        return 0
    try:
        return int(text)
    except ValueError as error:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error
