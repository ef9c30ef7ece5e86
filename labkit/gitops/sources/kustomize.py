"""A kustomization as a source, built by ``kubectl kustomize``, where there is a kubectl.

What an Application says of it (``spec.source.kustomize``) is written as an overlay on the folder, so that the folder
itself stays as it is in Git. Nothing is fetched from elsewhere: a remote base is an error, and so is a plugin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import ManifestError
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.sources.manifests import Manifest
from labkit.k8s.yaml import dump, load_documents

if TYPE_CHECKING:
    from labkit.gitops.api.application import Source

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
SECONDS = 30.0
_NOWHERE = "http://127.0.0.1:9"  # where nobody listens: what would be fetched is not
_TEXTS = ("namePrefix", "nameSuffix", "namespace")
_LABELS = "commonLabels"


def is_one(folder: Path) -> bool:
    """Whether the folder is a kustomization."""
    return any((folder / name).is_file() for name in FILES)


def build(folder: Path, source: Source) -> list[Manifest]:
    """The objects that the kustomization in ``folder`` makes, with what the source adds to it."""
    program = shutil.which("kubectl")
    if program is None:
        raise InvalidSpec(
            "the folder is a kustomization, and there is no kubectl here to build it",
            where=f"spec.source.path {source.path}",
            fix="Install kubectl, or push what `kubectl kustomize` prints.",
        )
    shown = f"{source.path}/{next(name for name in FILES if (folder / name).is_file())}".removeprefix("./")
    with tempfile.TemporaryDirectory(prefix="kustomize-") as scratch:
        top = _overlaid(folder, source, Path(scratch).resolve()) if source.kustomize else folder
        text = _run(program, top, folder, shown, home=scratch)
    return [Manifest(document.obj, shown) for document in load_documents(text, file=f"{shown}, built")]


def overlay(options: dict[str, Any], base: str) -> dict[str, Any]:
    """The kustomization that lays an Application's ``kustomize`` options over ``base``."""
    made: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    made["resources"] = [base]
    made |= {name: options[name] for name in (*_TEXTS, "patches") if options.get(name)}
    if options.get("commonAnnotations"):
        made["commonAnnotations"] = options["commonAnnotations"]
    if options.get(_LABELS):
        selectors = not options.get("labelWithoutSelector")
        made["labels"] = [
            {"pairs": options[_LABELS], "includeSelectors": selectors, "includeTemplates": True}
        ]
    if options.get("images"):
        made["images"] = [_image(str(text)) for text in options["images"]]
    if options.get("replicas"):
        made["replicas"] = [{"name": r["name"], "count": int(r["count"])} for r in options["replicas"]]
    return made


def _image(text: str) -> dict[str, str]:
    """``name:tag``, ``name=new:tag`` or ``name@digest``, as ``kustomize edit set image`` takes it."""
    name, equals, new = text.partition("=")
    wanted = new if equals else name
    found: dict[str, str] = {}
    if "@" in wanted:
        wanted, _, found["digest"] = wanted.partition("@")
    elif ":" in wanted.rpartition("/")[2]:
        wanted, _, found["newTag"] = wanted.rpartition(":")
    if equals:
        found["newName"] = wanted
    return {"name": name if equals else wanted} | found


def _overlaid(folder: Path, source: Source, scratch: Path) -> Path:
    base = os.path.relpath(folder.resolve(), scratch)
    (scratch / FILES[0]).write_text(dump(overlay(source.kustomize, base)), encoding="utf-8", newline="\n")
    return scratch


def _run(program: str, top: Path, folder: Path, shown: str, *, home: str) -> str:
    environment = {"HOME": home, "PATH": "", "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE}
    try:
        done = subprocess.run(
            [program, "kustomize", str(top)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            cwd=home,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ManifestError(f"it was not built within {SECONDS:.0f} s", where=shown) from None
    if done.returncode:
        problem = done.stderr.strip().removeprefix("error: ").replace(f"{folder.resolve()}/", "")
        fix = "Try it with `kubectl kustomize`."
        if "git" in problem or "http" in problem:
            fix = "Remote bases are not fetched: put them into the repository."
        raise ManifestError(problem.replace(str(folder), "the folder"), where=shown, fix=fix)
    return done.stdout
