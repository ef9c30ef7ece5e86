"""Releases by the ``helm`` command: the same actions, options and answers as Helm's library has them."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from labkit.helm.backend import Refused, ReleaseCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHART = re.compile(r"(?P<name>.+?)-(?P<version>v?\d+(?:\.\d+)*(?:[-+].*)?)")
_SWITCHES = {
    "create_namespace": "--create-namespace", "replace": "--replace", "skip_crds": "--skip-crds",
    "disable_hooks": "--no-hooks", "take_ownership": "--take-ownership", "force_conflicts": "--force-conflicts",
    "skip_schema_validation": "--skip-schema-validation", "reset_values": "--reset-values",
    "reuse_values": "--reuse-values", "reset_then_reuse_values": "--reset-then-reuse-values",
    "cleanup_on_fail": "--cleanup-on-fail", "keep_history": "--keep-history",
    "ignore_not_found": "--ignore-not-found", "all_namespaces": "--all-namespaces",
    "rollback_on_failure": "--rollback-on-failure",
}  # fmt: skip
_STATUSES = ("deployed", "failed", "pending", "uninstalled", "uninstalling")
_VALUED = {"description": "--description", "revision": "--revision", "filter": "--filter"}


class Run(Protocol):
    """Runs ``helm`` with arguments, within the time that the call has; its standard output. `Refused` if it fails."""

    def __call__(self, arguments: list[str], call: ReleaseCall) -> str:
        """One command."""


def release(call: ReleaseCall, run: Run) -> Any:
    """One action on a release."""
    actions: dict[str, Callable[[ReleaseCall, Run], Any]] = {
        "helm_install": _install, "helm_upgrade": _upgrade, "helm_rollback": _rollback,
        "helm_uninstall": _uninstall, "helm_test_run": _test, "helm_list": _list, "helm_get": _get,
        "helm_history": _history, "helm_get_values": _values,
    }  # fmt: skip
    return actions[call.action](call, run)


def _flags(call: ReleaseCall) -> list[str]:
    cluster, options = call.cluster, call.options
    flags = ["--kubeconfig", cluster["kubeconfig_path"]]
    flags += ["--kube-context", cluster["kube_context"]] if cluster.get("kube_context") else []
    flags += ["--namespace", cluster["namespace"]] if cluster.get("namespace") else []
    flags += [flag for name, flag in _SWITCHES.items() if options.get(name)]
    for name, flag in _VALUED.items():
        flags += [flag, str(options[name])] if options.get(name) else []
    flags += [f"--wait={options['wait']}"] if options.get("wait") else []
    flags += ["--timeout", f"{options['timeout_seconds']}s"] if options.get("timeout_seconds") else []
    return flags


def _install(call: ReleaseCall, run: Run) -> Any:
    return _with_chart("install", call, run, _dry_run(call))


def _upgrade(call: ReleaseCall, run: Run) -> Any:
    history = ["--history-max", str(call.options.get("max_history", 10))]
    return _with_chart("upgrade", call, run, [*history, *_dry_run(call)])


def _dry_run(call: ReleaseCall) -> list[str]:
    kind = call.options.get("dry_run")
    return [f"--dry-run={kind}"] if kind else []


def _with_chart(verb: str, call: ReleaseCall, run: Run, more: list[str]) -> Any:
    if call.files is None:
        raise Refused("no chart was given")
    with tempfile.TemporaryDirectory(prefix="labkit-chart-") as folder:
        chart = call.files.stage(Path(folder))
        values = Path(folder) / "values.json"
        values.write_text(json.dumps(call.values), encoding="utf-8", newline="\n")
        given = (
            ["--values", str(values)] if call.values else []
        )  # none given is not the same as an empty file
        arguments = [verb, call.name, str(chart), *given, *more, *_flags(call), "--output", "json"]
        made = json.loads(run(arguments, call))
    return _summary(made, (made.get("chart") or {}).get("metadata") or {})


def _rollback(call: ReleaseCall, run: Run) -> Any:
    version = call.options.get("version")
    run(["rollback", call.name, *([str(version)] if version else []), *_dry_run(call), *_flags(call)], call)
    return {}


def _uninstall(call: ReleaseCall, run: Run) -> Any:
    dry = ["--dry-run"] if call.options.get("dry_run") else []
    said = run(["uninstall", call.name, *dry, *_flags(call)], call)
    return {"info": "\n".join(line for line in said.splitlines() if not line.startswith("release "))}


def _test(call: ReleaseCall, run: Run) -> Any:
    said = run(["test", call.name, "--logs", *_flags(call)], call)
    _, found, logs = said.partition("POD LOGS:")
    return {"logs": f"{found}{logs}"}


def _list(call: ReleaseCall, run: Run) -> Any:
    every = [f"--{status}" for status in _STATUSES] if call.options.get("all") else []
    return [_row(item) for item in json.loads(run(["list", *every, *_flags(call), "--output", "json"], call))]


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    chart = _CHART.fullmatch(str(item["chart"]))
    return {
        "name": item["name"],
        "namespace": item["namespace"],
        "revision": int(item["revision"]),
        "status": item["status"],
        "deployed_at": item["updated"],
        "chart_name": chart["name"] if chart else item["chart"],
        "chart_version": chart["version"] if chart else "",
        "app_version": item["app_version"],
    }


def _get(call: ReleaseCall, run: Run) -> Any:
    flags = [*_flags(call), "--output", "json"]
    stored = json.loads(run(["status", call.name, *flags], call))
    known = json.loads(run(["get", "metadata", call.name, *flags], call))
    metadata = {"name": known["chart"], "version": known["version"], "appVersion": known.get("appVersion")}
    stored["info"].pop("resources", None)
    return {"summary": _summary(stored, metadata)} | {
        key: stored.get(key) for key in ("hooks", "config", "info")
    }


def _history(call: ReleaseCall, run: Run) -> Any:
    return json.loads(run(["history", call.name, *_flags(call), "--output", "json"], call))


def _values(call: ReleaseCall, run: Run) -> Any:
    every = ["--all"] if call.options.get("all") else []
    return json.loads(run(["get", "values", call.name, *every, *_flags(call), "--output", "json"], call))


def _summary(stored: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    info = stored.get("info") or {}
    return {
        "name": stored.get("name"),
        "namespace": stored.get("namespace"),
        "revision": stored.get("version"),
        "status": info.get("status"),
        "description": info.get("description"),
        "notes": info.get("notes") or "",
        "deployed_at": _seconds(str(info.get("last_deployed") or "")),
        "chart_name": metadata.get("name"),
        "chart_version": metadata.get("version"),
        "app_version": metadata.get("appVersion") or "",
        "manifest": stored.get("manifest") or "",
    }


def _seconds(moment: str) -> str:
    """A time to the second, as the library gives it."""
    return re.sub(r"\.\d+", "", moment)
