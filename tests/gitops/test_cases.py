"""The rules that are pure functions, held against what Argo CD's own tests expect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from argocd_cases import cases

from labkit.errors import LabError, PathNotFound
from labkit.gitops import health, tracking
from labkit.gitops.api.application import parse_retry
from labkit.gitops.api.names import HOOK, SYNC_OPTIONS
from labkit.gitops.api.options import has_option, option_value, sync_option
from labkit.gitops.sources.paths import app_path, inbound, relative, scheme_allowed, value_file
from labkit.gitops.sync import hooks, phases, retry
from labkit.gitops.sync.tasks import Task, ordered

Case = dict[str, Any]


def annotated(annotations: dict[str, str] | None, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"annotations": annotations}, **fields}


@cases("health.builtin")
def test_health_of_a_built_in_kind(case: Case) -> None:
    found = health.assess(case["input"]["manifest"])
    expected = case["expected"]["health"]
    assert (found and found.status) == (expected and expected["status"])


@cases("hook.classify")
def test_hooks_are_told_from_resources(case: Case) -> None:
    obj = annotated(case["input"]["annotations"], kind=case["input"]["kind"])
    said = {"isHook": hooks.is_hook(obj), "skip": hooks.is_skipped(obj), "types": hooks.types(obj)}
    assert {name: said[name] for name in case["expected"]} == case["expected"]


@cases("hook.helm_types")
def test_helm_hooks_run_in_phases(case: Case) -> None:
    assert hooks.types(annotated(case["input"]["annotations"])) == case["expected"]["types"]


@cases("hook.delete_policies")
def test_hook_delete_policies(case: Case) -> None:
    assert hooks.delete_policies(annotated(case["input"]["annotations"])) == case["expected"]


@cases("hook.delete_hooks")
def test_hooks_that_run_when_the_application_is_deleted(case: Case) -> None:
    found = hooks.delete_phases(annotated(case["input"]["annot"]))
    wanted = case["input"].get("hookType")
    if wanted is None and case["expected"] is False:
        return  # the case asks about PreDelete and PostDelete in one call, without saying which
    assert (wanted in found if wanted else bool(found)) == case["expected"]


@cases("sync.wave")
def test_the_wave_of_an_object(case: Case) -> None:
    assert phases.wave(annotated(case["input"]["annotations"])) == case["expected"]


@cases("sync.kind_order")
def test_the_order_of_kinds(case: Case) -> None:
    for kind, expected in case["expected"].items():
        assert phases.kind_order(kind) == expected, kind


@cases("sync.order")
def test_the_order_of_tasks(case: Case) -> None:
    tasks = [Task(t["phase"], t["target"], wave=phases.wave(t["target"])) for t in case["input"]["tasks"]]
    found = ordered(tasks)
    if "order" in case["expected"]:
        assert [next(i for i, t in enumerate(tasks) if t.target is f.target) for f in found] == case[
            "expected"
        ]["order"]
    else:
        assert [{"phase": t.phase, "target": t.target} for t in found] == case["expected"]["tasks"]


@cases("tracking.parse")
def test_tracking_ids_are_read(case: Case) -> None:
    found = tracking.parse(case["input"])
    if case["expected"].get("error"):
        assert found is None
        return
    assert found is not None
    names = {"applicationName": found.application} | {
        n: getattr(found, n) for n in ("group", "kind", "namespace", "name")
    }
    assert names == case["expected"]


@cases("tracking.truncate_label")
def test_labels_are_cut_to_what_fits(case: Case) -> None:
    if isinstance(case["expected"], dict):
        with pytest.raises(ValueError, match="no label"):
            tracking.truncated(case["input"])
        return
    assert tracking.truncated(case["input"]) == case["expected"]


@cases("tracking.set")
def test_an_object_is_marked_as_an_applications_own(case: Case) -> None:
    given = case["input"]
    found = tracking.track(given["manifest"], given["app"], given["namespace"], method=given["method"])
    for field, expected in case["expected"]["metadataContains"].items():
        assert expected.items() <= found["metadata"][field].items()


@cases("retry.backoff")
def test_the_delay_between_tries(case: Case) -> None:
    policy = parse_retry({"backoff": case["input"]["backoff"]}, "retry")
    assert retry.delay(policy, case["input"]["retryCount"]) == case["expected"]["delaySeconds"]


@cases("annotation.has_option")
def test_an_annotation_lists_an_option(case: Case) -> None:
    given = case["input"]
    assert (
        has_option(annotated(given["annotations"]), given["key"], given["option"]) is case["expected"]["want"]
    )


@cases("annotation.option_value")
def test_an_annotation_gives_an_options_value(case: Case) -> None:
    given = case["input"]
    found = option_value(annotated(given["annotations"]), given["key"], given["option"])
    assert found == case["expected"]["want"]


@cases("path.value_file")
def test_value_files_stay_in_the_repository(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, expected = case["input"], case["expected"]
    monkeypatch.chdir(tmp_path)
    if expected.get("error"):
        with pytest.raises(LabError):
            value_file(
                Path(given["appPath"]),
                Path(given["repoRoot"]),
                given["valueFile"],
                tuple(given["allowedURLSchemes"]),
            )
        return
    found = value_file(
        Path(given["appPath"]), Path(given["repoRoot"]), given["valueFile"], tuple(given["allowedURLSchemes"])
    )
    assert str(found) == expected["path"].replace("<cwd>", str(tmp_path))
    assert isinstance(found, str) is expected["remote"]


@cases("path.url_scheme")
def test_url_schemes_are_allowed_by_name(case: Case) -> None:
    assert scheme_allowed(case["input"]["scheme"], case["input"]["allowed"]) is case["expected"]


@cases("path.app_path")
def test_an_applications_path_stays_in_the_repository(case: Case, tmp_path: Path) -> None:
    with pytest.raises(PathNotFound) as error:
        app_path(tmp_path, case["input"]["path"])
    assert error.value.problem == case["expected"]["error"]


@cases("path.inbound")
def test_a_path_is_inbound_once_links_and_dots_are_followed(case: Case) -> None:
    assert inbound(Path(case["input"]["candidate"]), Path(case["input"]["basedir"])) is case["expected"]


@cases("path.relative")
def test_a_path_as_seen_from_a_folder(case: Case) -> None:
    full, base = Path(case["input"]["fullpath"]), Path(case["input"]["basepath"])
    if isinstance(case["expected"], dict):
        with pytest.raises(PathNotFound, match="out of bound"):
            relative(full, base)
    else:
        assert relative(full, base) == case["expected"]


def test_a_word_said_twice_in_an_annotation_is_said_once() -> None:
    assert hooks.types(annotated({HOOK: "PostSync, PreSync,PostSync"})) == ["PostSync", "PreSync"]
    skipped = annotated({HOOK: "Skip,Skip"})
    assert hooks.is_skipped(skipped)
    assert not hooks.is_hook(skipped)


def test_of_two_values_of_an_option_the_first_counts() -> None:
    obj = annotated({SYNC_OPTIONS: "Prune=confirm, Delete=false, Prune=false"})
    assert option_value(obj, SYNC_OPTIONS, "Prune") == "confirm"
    assert sync_option(obj, ["Prune=true"], "Prune") == "confirm"
    assert sync_option(annotated({}), ["Prune=false", "Prune=true"], "Prune") == "false"
