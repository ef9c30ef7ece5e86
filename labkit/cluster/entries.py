"""Writing kubeconfigs: a cluster's entries are put into a file, or taken out of it, all or none.

Only files of the lab's own are written. What else stands in one is kept; the file is replaced in one step, and
only this user can read it. Two processes that write at the same time take turns.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from labkit.cluster.kubeconfig import SECTIONS, Entry, Kubeconfig, read
from labkit.errors import ClusterError
from labkit.k8s import yaml
from labkit.settings import FileLock, write_private

if TYPE_CHECKING:
    from pathlib import Path

_LOCK_SECONDS = 5.0


def merge_entries(
    file: Path, name: str, source: Path, *, context: str | None = None, current: bool | None = None
) -> None:
    """Put the cluster that ``context`` of ``source`` names into ``file``, its three entries called ``name``.

    Certificates that ``source`` has in files are written into ``file`` itself, so that it stands alone.
    ``current`` says whether it becomes the file's current context; None: only if the file has none.
    """
    chosen, cluster, user = Kubeconfig.load(source).entries(context)
    refers = {"cluster": name} | ({"user": name} if user else {})
    namespace = chosen.text("namespace")
    new: dict[str, dict[str, Any]] = {
        "clusters": _flat(cluster, "certificate-authority"),
        "contexts": refers | ({"namespace": namespace} if namespace else {}),
    }
    if user:
        new["users"] = _flat(user, "client-certificate", "client-key")
        if user.text("tokenFile"):
            new["users"]["tokenFile"] = str(user.path(user.text("tokenFile")).resolve())
    with _turn(file):
        content = _without(_content(file), name)
        for section, body in new.items():
            content[section].append({"name": name, SECTIONS[section]: body})
        if current or (current is None and not content["current-context"]):
            content["current-context"] = name
        write_private(file, yaml.dump(content))


def remove_entries(file: Path, name: str) -> None:
    """Take the entries called ``name`` out of ``file``; nothing happens where there are none."""
    if not file.exists():
        return
    with _turn(file):
        content = _without(_content(file), name)
        if content["current-context"] == name:
            content["current-context"] = ""
        write_private(file, yaml.dump(content))


def _content(file: Path) -> dict[str, Any]:
    """The file's content with all of its sections there."""
    found = read(file) if file.exists() else {}
    frame: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "preferences": {}}
    content = frame | found
    for section in SECTIONS:
        content[section] = list(content.get(section) or [])
    content["current-context"] = str(content.get("current-context") or "")
    return content


def _without(content: dict[str, Any], name: str) -> dict[str, Any]:
    for section in SECTIONS:
        content[section] = [e for e in content[section] if not isinstance(e, dict) or e.get("name") != name]
    return content


def _flat(entry: Entry, *fields: str) -> dict[str, Any]:
    """The entry's body with the PEM files that it names written into it."""
    body = dict(entry.body)
    for field in fields:
        text = entry.pem(field)
        body.pop(field, None)
        if text:
            body[f"{field}-data"] = base64.b64encode(text.encode("ascii")).decode("ascii")
    return body


def _turn(file: Path) -> FileLock:
    lock = FileLock(file.with_name(f".{file.name}.lock"))
    if not lock.acquire(timeout=_LOCK_SECONDS):
        raise ClusterError(
            f"another process (pid {lock.holder()}) is writing this kubeconfig",
            where=str(file),
            fix="Try again in a moment.",
        )
    return lock
