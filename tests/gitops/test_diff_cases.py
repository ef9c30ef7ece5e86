"""Compare, held against Argo CD's recorded cases. It asks the API server, so the objects are put to a real one."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
import yaml
from argocd_cases import cases

from labkit.errors import AlreadyExists, ApiError
from labkit.gitops.applying import apply
from labkit.gitops.diff import Compared, compare, differences, masked, secrets
from labkit.gitops.selection import qualified
from labkit.gitops.tree import images
from labkit.k8s.objects import ObjectKey, get_path, namespace_of

Case = dict[str, Any]
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "case", "namespace": "default"}}
GIVEN_BY_SERVER = ("uid", "resourceVersion", "creationTimestamp", "generation", "selfLink")


@pytest.fixture
def server(home):
    return home[0]


def put(server: Any, live: dict[str, Any]) -> dict[str, Any]:
    """The object on the server as somebody's earlier writes left it; addresses are the server's to give."""
    made = copy.deepcopy(live)
    for name in GIVEN_BY_SERVER:
        made["metadata"].pop(name, None)
    for name in ("clusterIP", "clusterIPs"):
        made.get("spec", {}).pop(name, None)
    namespace = namespace_of(made)
    for obj in ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, made):
        try:
            made = server.create(obj)
        except AlreadyExists:
            continue
    return made


def compared(server: Any, config: dict[str, Any], live: dict[str, Any]) -> Compared:
    there = put(server, live)
    target = copy.deepcopy(config)
    target["metadata"]["namespace"] = namespace_of(there)
    key = ObjectKey.of(there)
    try:
        found = compare({key: (target, "")}, {key: there}, lambda t, _: apply(server, t, dry_run=True))
    finally:
        server.delete(there["apiVersion"], there["kind"], key.name, key.namespace)
    return found.items[0]


@cases(
    "diff.files",
    but={
        "diff.files-0003": "webhooks of v1beta1, which no server has since 1.22: with v1 in test_phantoms",
        "diff.files-0009": "a SealedSecret's creationTimestamp null: with a custom resource of ours in test_phantoms",
        "diff.files-0007": "what kubectl applied last differs, what is live does not: a three-way patch tells them "
        "apart, a server-side apply, which is what we do, would change nothing",
    },
)
def test_a_target_beside_what_is_live(case: Case, server: Any) -> None:
    found = compared(server, case["input"]["config"], case["input"]["live"])
    assert (found.status != "Synced") == case["expected"]["modified"], found


@cases("diff.structured_merge")
def test_what_server_side_apply_makes_of_it(case: Case, server: Any) -> None:
    found = compared(server, case["input"]["config"], case["input"]["live"])
    assert (found.status != "Synced") == case["expected"]["modified"]
    assert not found.problem
    for what, wanted in case["expected"]["predicted"].items():
        path = what.removeprefix("len(").removesuffix(")")
        value = get_path(found.predicted, *path.split("."))
        assert (len(value) if path != what else value) == wanted


@cases("diff.serverside_triples")
def test_what_the_server_predicts_is_what_is_shown(case: Case) -> None:
    config, live, predicted = (case["input"][name] for name in ("config", "live", "dryRunPredictedLive"))
    key = ObjectKey.of(live)
    found = compare({key: (config, "")}, {key: live}, lambda *_: predicted).items[0]
    assert found.status == "OutOfSync"
    assert differences(live, predicted), "OutOfSync with nothing to see"


@cases("diff.normalize_secret")
def test_a_secrets_string_data_is_data_once_it_is_live(case: Case, server: Any) -> None:
    data, string_data = ({k: v for k, v in case["input"][f].items() if v} for f in ("data", "stringData"))
    valid = all(isinstance(value, str) for value in (data | string_data).values())
    if not valid:  # the API server refuses it, which is what Argo CD leaves to it, too
        with pytest.raises(ApiError):
            server.create(SECRET | case["input"], dry_run=True)
        return
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    made = server.create(SECRET | {"data": encoded, "stringData": string_data}, dry_run=True)
    assert sorted(made["data"]) == case["expected"]["dataKeys"]
    assert ("stringData" not in made) == case["expected"]["stringDataRemoved"]


@cases("diff.hide_secret_annotations")
def test_annotations_of_secrets_that_are_hidden(case: Case) -> None:
    obj = {"apiVersion": "v1", "kind": "Secret", "metadata": {"annotations": case["input"]["annots"]}}
    secrets.configure({secrets.SETTING: ",".join(case["input"]["hideAnnots"] or ())})
    try:
        (shown,) = masked(obj)
    finally:
        secrets.configure({})
    assert shown is not None
    assert shown["metadata"]["annotations"] == case["expected"]["expectedAnnots"]


@cases("app.images")
def test_the_images_of_an_object(case: Case) -> None:
    assert images(yaml.safe_load(case["input"]["manifest"])) == (case["expected"]["expected"] or [])


@cases("app.parse_qualified_name")
def test_an_applications_name_may_have_its_namespace_before_it(case: Case) -> None:
    wanted = (case["expected"]["appName"], case["expected"]["appNs"])
    assert qualified(case["input"]["input"], case["input"]["implicitNs"]) == wanted


def secret(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": fields.pop("metadata", {}), **fields}


def test_each_key_of_a_secret_has_masks_of_its_own() -> None:
    wanted = secret(stringData={"user": "ann", "password": "old"})
    live = secret(data={"user": "YW5u", "password": "bmV3", "port": "ODA="})
    assert [shown["data"] for shown in masked(wanted, live) if shown] == [
        {"user": "++++++++", "password": "++++++++"},
        {"user": "++++++++", "password": "++++++++++++", "port": "++++++++"},
    ]


def test_what_was_last_applied_is_masked_inside_and_wholly_where_it_is_no_json() -> None:
    applied = json.dumps(secret(data={"password": "b2xk"}))
    marked = {"annotations": {secrets.LAST_APPLIED: applied}}
    for_all = masked(secret(metadata=marked, data={"password": "b2xk"}))[0]
    assert for_all is not None
    text = for_all["metadata"]["annotations"][secrets.LAST_APPLIED]
    assert json.loads(text)["data"] == for_all["data"] == {"password": "++++++++"}
    broken = masked(secret(metadata={"annotations": {secrets.LAST_APPLIED: "{b2xk"}}))[0]
    assert broken is not None
    assert broken["metadata"]["annotations"][secrets.LAST_APPLIED] == "++++++++"


def test_annotations_that_the_settings_name_are_secret_too() -> None:
    secrets.configure({secrets.SETTING: "token, example.com/key"})
    try:
        before, after = (secret(metadata={"annotations": {"token": t, "team": "blue"}}) for t in "ab")
        shown = [found["metadata"]["annotations"] for found in masked(before, after) if found]
    finally:
        secrets.configure({})
    assert shown == [{"token": "++++++++", "team": "blue"}, {"token": "++++++++++++", "team": "blue"}]
