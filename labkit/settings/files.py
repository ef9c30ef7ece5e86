"""Files that hold a secret or must survive a crash: private, and written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_private(path: Path, text: str, *, keep: bool = False) -> None:
    """Write ``text`` to ``path``, readable by this user only, whole or not at all.

    With ``keep`` a file that somebody else wrote first stays (two first starts agree on one token).
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if keep:
                _keep_first(temporary, path)
            else:
                Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an `OSError` of the file system (disk full, no permission) into a `SettingsError` with the fix."""
    try:
        yield
    except OSError as error:
        problem, fix = _EXPLANATIONS.get(error.errno or 0, (error.strerror or str(error), "labkit doctor"))
        raise SettingsError(problem, where=str(error.filename or path), fix=fix) from error


_ELSEWHERE = "Choose a folder that is yours and can be written: labkit --lab DIR …"
_NOT_A_FOLDER = ("a file stands where a folder is needed", "Choose another folder: labkit --lab DIR …")
_EXPLANATIONS = {
    errno.ENOSPC: (
        "the disk is full",
        "Free some space (labkit doctor shows how much there is), then again.",
    ),
    errno.EDQUOT: ("your disk quota is used up", "Free some space, then again."),
    errno.EACCES: ("permission denied", _ELSEWHERE),
    errno.EPERM: ("permission denied", _ELSEWHERE),
    errno.EROFS: ("the file system is read-only", _ELSEWHERE),
    errno.ENOTDIR: _NOT_A_FOLDER,
    errno.EEXIST: _NOT_A_FOLDER,
}


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; `SettingsError` when it cannot be read or is something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            error.strerror or str(error), where=str(path), fix="Check who owns it."
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"this file is damaged: {error}",
            where=str(path),
            fix="Write '{\"format\": 1}' into it: nothing else of the lab is kept there.",
        ) from error
    if not isinstance(found, dict):
        raise SettingsError("this file is damaged: not a JSON object", where=str(path), fix="labkit init DIR")
    return found


def _keep_first(temporary: str, path: Path) -> None:
    """Give ``temporary`` the name ``path`` unless that exists; hard links make this one atomic step."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            Path(temporary).replace(path)
