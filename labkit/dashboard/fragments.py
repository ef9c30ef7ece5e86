"""Pieces of the page, each drawn from data in one look; the page fetches a piece again when it is told of news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.dashboard.board import key_of
from labkit.errors import BadRequest, NotFound
from labkit.gitops.sync.operation import ENDED
from labkit.k8s.yaml import dump
from labkit.views.applications import applications, applications_table, card_of
from labkit.views.code import code
from labkit.views.diff import Change, diff
from labkit.views.loop import loop
from labkit.views.network import network
from labkit.views.problem import problem as problem_view
from labkit.views.view import markup, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.dashboard.board import Board, Key
    from labkit.errors import LabError

JSON = dict[str, Any]
Options = dict[str, str]
PACKAGE = "labkit.dashboard"
NOT_SHOWN = ("resourceVersion", "uid", "creationTimestamp", "generation")


def cards(board: Board, *, table: bool) -> Any:
    """All applications, as tiles or as a table."""
    found = board.cards()
    return markup(applications_table(found) if table else applications(found))


def part(board: Board, name: str, wanted: str, options: Options) -> Any:
    """One piece of an application's page, by its name."""
    draw = PARTS.get(wanted)
    if draw is None:
        raise NotFound(
            f"there is no {wanted!r} of an application", where=wanted, fix=f"One of {', '.join(PARTS)}."
        )
    return draw(board, name, options)


def problem(error: LabError) -> str:
    """An error in the place of a piece."""
    return problem_view(error).html


def _head(board: Board, name: str, _options: Options) -> Any:
    application = board.application(name)
    status, spec = application.get("status") or {}, application.get("spec") or {}
    commit, state = board.commit(application), status.get("operationState") or {}
    return _draw(
        "head.html",
        card=card_of(application, commit),
        commit=commit,
        conditions=status.get("conditions") or [],
        state=state,
        running=bool(state) and state.get("phase") not in ENDED,
        waiting=bool(application.get("operation")),
        progress=_progress(state, len(status.get("resources") or [])),
        deleting=bool(application["metadata"].get("deletionTimestamp")),
        destination=(spec.get("destination") or {}).get("namespace") or "default",
    )


def _progress(state: JSON, resources: int) -> tuple[int, int]:
    """How many of the objects of the running operation are done."""
    found = (state.get("syncResult") or {}).get("resources") or []
    done = sum(entry.get("hookPhase") not in {"Running", "Terminating"} for entry in found)
    return done, max(resources, len(found), 1)


def _loop(board: Board, name: str, _options: Options) -> Any:
    return markup(loop(board.loop(name)))


def _network(board: Board, name: str, _options: Options) -> Any:
    return markup(network(board.network(name)))


def _differences(board: Board, name: str, _options: Options) -> Any:
    found = []
    for item in board.controller.managed_resources(name):
        if item.get("hook") or item["status"] == "Synced":
            continue
        found.append(board.resource(name, key_of(item)))
    return _draw("differences.html", items=found, diff=_diff, text=_value)


def _history(board: Board, name: str, _options: Options) -> Any:
    application = board.application(name)
    entries = list(reversed((application.get("status") or {}).get("history") or []))
    automated = "automated" in card_of(application, {}).policy
    return _draw("history.html", entries=entries, automated=automated, name=name)


def _events(board: Board, name: str, _options: Options) -> Any:
    return _draw("events.html", events=board.events(name)[:200])


def _manifest(board: Board, name: str, _options: Options) -> Any:
    return markup(code(_yaml(board.application(name), everything=True)))


def _details(board: Board, name: str, options: Options) -> Any:
    """One object: its live and desired manifest, the difference with who wrote it, events, logs, conditions."""
    key, tab = _key(options), options.get("tab") or "summary"
    facts: JSON = {"key": key, "tab": tab, "name": name}
    match tab:
        case "events":
            facts["events"] = board.events(name, key)[:200]
        case "logs":
            facts["logs"] = board.logs(
                name, key, options.get("container", ""), previous="previous" in options
            )
        case "summary" | "live" | "desired" | "difference":
            facts |= board.resource(name, key)
            if tab == "summary":
                facts["node"] = next((n for n in board.tree(name)["nodes"] if key_of(n) == key), {})
        case _:
            raise BadRequest(f"there is no {tab!r}", where="tab")
    return _draw("details.html", diff=_diff, yaml=_yaml, text=_value, code=_code, **facts)


def _plan(board: Board, name: str, options: Options) -> Any:
    """What a sync would do, or with ``entry`` a rollback: the page shows it before it is asked for."""
    prune = {"true": True, "false": False}.get(options.get("prune", ""))
    entry = options.get("entry", "")
    if entry and not entry.isdigit():
        raise BadRequest("the entry is not a number", where="entry", fix="Choose one of the history.")
    tasks = board.controller.plan(name, prune=prune, entry=int(entry) if entry else None)
    return _draw("plan.html", tasks=tasks, choose=not entry)


def _deletion(board: Board, name: str, _options: Options) -> Any:
    return _draw("deletion.html", items=board.controller.deletion(name), name=name)


PARTS: dict[str, Callable[[Board, str, Options], Any]] = {
    "head": _head,
    "loop": _loop,
    "network": _network,
    "differences": _differences,
    "history": _history,
    "events": _events,
    "manifest": _manifest,
    "details": _details,
    "plan": _plan,
    "deletion": _deletion,
}


def _draw(template: str, **facts: Any) -> Any:
    from markupsafe import Markup

    return Markup(render(template, package=PACKAGE, **facts))  # noqa: S704  (made by a template that escapes)


def _key(options: Options) -> Key:
    if not options.get("kind") or not options.get("name"):
        raise BadRequest("no object is named", where="kind, name", fix="Choose one in the tree.")
    return (options.get("group", ""), options["kind"], options.get("namespace", ""), options["name"])


def _diff(found: JSON) -> Any:
    """Live against what it would be after a sync, as text."""
    key = found["key"]
    after = found.get("predicted") or found.get("desired")
    change = Change(f"{key[1]} {key[3]}", _yaml(found.get("live")), _yaml(after))
    return markup(diff([change]))


def _yaml(obj: JSON | None, *, everything: bool = False) -> str:
    """As YAML; without ``everything`` only what people write."""
    if not obj:
        return ""
    if not everything:
        metadata = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in NOT_SHOWN}
        obj = {k: v for k, v in obj.items() if k != "status"} | {"metadata": metadata}
    return dump(obj)


def _code(text: str) -> Any:
    return markup(code(text))


def _value(value: Any) -> str:
    """One field's value, short: nothing is nothing, texts are themselves."""
    return "" if value is None else value if isinstance(value, str) else dump(value).strip()
