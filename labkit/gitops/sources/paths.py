"""Paths that a repository may name: within itself, and nowhere else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from labkit.errors import PathNotFound


class OutsideRepository(PathNotFound):
    """A path that leads out of the repository."""


def app_path(root: Path, path: str) -> Path:
    """The folder of an application; `PathNotFound` in Argo CD's words where it is absolute, outside or absent."""
    if PurePosixPath(path).is_absolute():
        raise OutsideRepository(
            f"{path}: app path is absolute", fix="Write it relative to the repository's root."
        )
    folder = root / path
    if not inbound(folder, root):
        raise OutsideRepository(f"{path}: app path outside root", fix="Name a folder of the repository.")
    if not folder.exists():
        raise PathNotFound(
            f"{path}: app path does not exist", fix=f"There are: {', '.join(entries(root)) or 'no folders'}"
        )
    if not folder.is_dir():
        raise PathNotFound(f"{path}: app path is not a directory", fix="Name the folder that the file is in.")
    return folder


def value_file(folder: Path, root: Path, name: str, schemes: tuple[str, ...] = ()) -> Path | str:
    """A value file's place: relative to the application, or to the root with a leading ``/``.

    A URL of an allowed scheme is given back as it is. `OutsideRepository` for what leads out, links followed.
    """
    scheme = urlsplit(name).scheme if "://" in name else ""
    if scheme:
        if not scheme_allowed(scheme, schemes):
            raise OutsideRepository(
                f"the URL scheme {scheme!r} is not allowed for value files",
                where=name,
                fix="Put the file into the repository.",
            )
        return name
    base = root if name.startswith("/") else folder
    found = base / name.lstrip("/")
    if "\0" in name or not inbound(found, root):
        raise OutsideRepository(
            "the value file leads outside repository root",
            where=name,
            fix="Value files must lie in the repository.",
        )
    return found.resolve()


def scheme_allowed(scheme: str, allowed: tuple[str, ...] | list[str]) -> bool:
    """Whether a URL's scheme is among the allowed ones; no scheme never is."""
    return bool(scheme) and scheme in allowed


def inbound(candidate: Path, base: Path) -> bool:
    """Whether a path lies in a folder once both are made absolute and links are followed."""
    return candidate.resolve().is_relative_to(base.resolve())


def relative(full: Path, base: Path) -> str:
    """``full`` as seen from ``base``; `OutsideRepository` where it is not below it."""
    if not full.is_relative_to(base):
        raise OutsideRepository(f"{full} is not below {base}: out of bound")
    return full.relative_to(base).as_posix()


def entries(root: Path) -> list[str]:
    """A folder's folders, for the message that says what is there."""
    return sorted(
        entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )[:12]
