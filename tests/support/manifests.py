"""Small manifests for tests of the engine."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def config(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def job(name: str, *, hook: str, fails: bool = False, generate: bool = False) -> Object:
    """A Job that is a hook. It ends at once; the kubelet lets it fail where the command says so."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            ("generateName" if generate else "name"): name,
            "annotations": {"argocd.argoproj.io/hook": hook},
        },
        "spec": {
            "backoffLimit": 0,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [
                        {
                            "name": "main",
                            "image": "busybox",
                            "command": ["sh", "-c", "exit 1" if fails else "exit 0"],
                        }
                    ],
                }
            },
        },
    }
