"""A kustomization as a source, built by ``kubectl kustomize``, where there is a kubectl.

What an Application says of it (``spec.source.kustomize``) is written as an overlay on the folder, so that the folder
itself stays as it is in Git. Nothing is fetched from elsewhere: a remote base is an error, and so is a plugin.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import ManifestError
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.sources.directory import MAX_BYTES
from labkit.gitops.sources.manifests import Manifest
from labkit.gitops.sources.paths import OutsideRepository, inbound
from labkit.k8s.yaml import dump, load, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.gitops.api.application import Source

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
SECONDS = 30.0
MEMORY = 4 * 2**30  # of addresses; Go takes many and uses few
LONGEST_PROBLEM = 2000
MOST_BASES = 500
LONGEST_PATH = 1000
_NOWHERE = "http://127.0.0.1:9"  # where nobody listens: what would be fetched is not
_TEXTS = ("namePrefix", "nameSuffix", "namespace")
_LABELS = "commonLabels"


def is_one(folder: Path) -> bool:
    """Whether the folder is a kustomization."""
    return any((folder / name).is_file() for name in FILES)


def build(folder: Path, source: Source, root: Path | None = None) -> list[Manifest]:
    """The objects that the kustomization in ``folder`` makes, with what the source adds to it.

    Its bases lie in ``root``, the repository: kustomize itself would take them from anywhere on the machine.
    """
    program = shutil.which("kubectl")
    if program is None:
        raise InvalidSpec(
            "the folder is a kustomization, and there is no kubectl here to build it",
            where=f"spec.source.path {source.path}",
            fix="Install kubectl, or push what `kubectl kustomize` prints.",
        )
    shown = f"{source.path}/{next(name for name in FILES if (folder / name).is_file())}".removeprefix("./")
    folders(folder, root or folder)
    with tempfile.TemporaryDirectory(prefix="kustomize-") as scratch:
        top = _overlaid(folder, source, Path(scratch).resolve()) if source.kustomize else folder
        text = _run(program, top, folder, shown, home=scratch)
    return [Manifest(document.obj, shown) for document in load_documents(text, file=f"{shown}, built")]


def folders(folder: Path, root: Path) -> list[Path]:
    """The folders that a build reads: its own, and its bases'. `OutsideRepository` for one that leads out.

    Any text of a kustomization that names a folder, or goes up, counts, whatever field it stands in: kustomize takes
    its fields' names in capitals as well.
    """
    left, seen = [folder.resolve()], set[Path]()
    while left:
        here = left.pop()
        if here in seen:
            continue
        seen.add(here)
        if len(seen) > MOST_BASES:
            raise ManifestError(f"there are more than {MOST_BASES} bases", where=folder.name)
        for file in filter(Path.is_file, (here / name for name in FILES)):
            name = file.relative_to(root.resolve()).as_posix()
            for text in _texts(load(file.read_text(encoding="utf-8", errors="replace"), file=name)):
                place = _folder(here, text)
                if place is not None and not inbound(place, root):
                    raise OutsideRepository(
                        f"the base {text!r} leads out of the repository",
                        where=name,
                        fix="Put it into the repository.",
                    )
                left += [place] if place is not None else []
    return sorted(seen)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _folder(here: Path, text: str) -> Path | None:
    """The folder that a text of a kustomization names, also one that is not there; None for any other text.

    Absolute ones kustomize itself refuses.
    """
    if len(text) > LONGEST_PATH or "\n" in text or "\0" in text or text.startswith("/"):
        return None
    try:
        place = (here / text).resolve()
        return place if place.is_dir() or ".." in text.split("/") else None
    except (OSError, RuntimeError):  # too long a name, a circle of links
        return None


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
    with (Path(home) / "built").open("w+b") as output:
        process = subprocess.Popen(
            [program, "kustomize", str(top)],
            stdout=output,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=home,
        )
        _limit(process)
        try:
            said = process.communicate(timeout=SECONDS)[1].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise ManifestError(f"it was not built within {SECONDS:.0f} s", where=shown) from None
        output.seek(0)
        text = output.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ManifestError(f"what it makes is larger than {MAX_BYTES // 2**20} MB", where=shown)
    if process.returncode:
        raise _failed(said, folder, shown)
    return text.decode("utf-8", "replace")


def _limit(process: subprocess.Popen[bytes]) -> None:
    """Bounds on memory and output, where the system has them: aliases make gigabytes of a few lines."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MAX_BYTES + 1, MAX_BYTES + 1))


def _failed(said: str, folder: Path, shown: str) -> ManifestError:
    problem = said.strip().removeprefix("error: ").replace(f"{folder.resolve()}/", "")
    fix = "Try it with `kubectl kustomize`."
    if "git" in problem or "http" in problem:
        fix = "Remote bases are not fetched: put them into the repository."
    problem = problem.replace(str(folder), "the folder")[:LONGEST_PROBLEM] or "it took too much memory"
    return ManifestError(problem, where=shown, fix=fix)
