"""The real helm, with releases in the sandbox."""

from __future__ import annotations

import json

from labkit.lab.charts import Charts


def revisions(helm):
    return [(r["revision"], r["status"]) for r in json.loads(helm("history", "shop", "-o", "json"))]


def test_a_release_from_install_to_uninstall(helm, kubectl, tmp_path):
    chart = str(Charts(tmp_path).create("web", tmp_path).path)
    helm("install", "shop", chart, "--wait", "--timeout", "60s")
    assert [r["name"] for r in json.loads(helm("list", "-o", "json"))] == ["shop"]
    helm("upgrade", "shop", chart, "--set", "colour=red", "--wait", "--timeout", "60s")
    assert revisions(helm) == [(1, "superseded"), (2, "deployed")]
    assert json.loads(helm("get", "values", "shop", "-o", "json")) == {"colour": "red"}
    helm("rollback", "shop", "1", "--wait", "--timeout", "60s")
    config = kubectl("get", "configmap", "shop-web", "-o", "jsonpath={.data.COLOUR}")
    assert config == "blue"
    failed = helm(
        "upgrade", "shop", chart, "--set", "image.tag=does-not-exist", "--wait", "--timeout", "4s", fails=True
    )
    assert "UPGRADE FAILED" in failed
    assert revisions(helm)[-1] == (4, "failed")
    assert kubectl("get", "deployment", "shop-web", "-o", "jsonpath={.status.readyReplicas}") == "2"
    helm("uninstall", "shop", "--wait", "--timeout", "60s")
    assert (
        kubectl(
            "get", "deployments,services,configmaps", "-l", "app.kubernetes.io/instance=shop", "-o", "name"
        )
        == ""
    )
