"""What the registry keeps, as files: written whole or not at all, and named by what they hash to.

::

    blobs/sha256/<hex>                       every blob and manifest, once
    repositories/<name>/_blobs/<hex>         that this repository has that blob (and may hand it out)
    repositories/<name>/_manifests/<hex>     its media type
    repositories/<name>/_tags/<tag>          the manifest's digest
    uploads/<id>                             blobs on their way; <id>.name says for which repository

A name's parts begin with a letter or digit, so they cannot be mistaken for the folders with an underscore.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
UPLOAD = re.compile(r"[0-9a-f]{32}")
LONGEST_NAME = 255
_PIECE = 1 << 20


class Manifest(NamedTuple):
    """One manifest: its bytes as they were pushed, its media type and its digest."""

    body: bytes
    media_type: str
    digest: str


class BlobStore:
    """The registry's folder. Methods take names, tags and digests that were checked against the patterns above."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs" / "sha256"
        self._repositories = root / "repositories"
        self._uploads = root / "uploads"

    def names(self) -> list[str]:
        """Every repository that has a manifest."""
        found = self._repositories.rglob("_manifests")
        return sorted(path.parent.relative_to(self._repositories).as_posix() for path in found)

    def tags(self, name: str) -> list[str] | None:
        """The tags of a repository in their lexical order, None if there is no such repository."""
        if not (self._repositories / name / "_manifests").is_dir():
            return None
        folder = self._repositories / name / "_tags"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    # -- blobs

    def blob(self, name: str, digest: str) -> Path | None:
        """The file of a blob that this repository has."""
        path = self._blobs / _hex(digest)
        return path if (self._repositories / name / "_blobs" / _hex(digest)).exists() else None

    def mount(self, name: str, source: str, digest: str) -> bool:
        """Let one repository have a blob of another."""
        if self.blob(source, digest) is None:
            return False
        self._link(name, digest)
        return True

    def begin(self, name: str) -> str:
        """A new upload for a repository; returns its id."""
        upload = secrets.token_hex(16)
        self._uploads.mkdir(parents=True, exist_ok=True)
        _write(self._uploads / f"{upload}.name", name.encode())
        (self._uploads / upload).touch()
        return upload

    def uploaded(self, name: str, upload: str) -> int | None:
        """How many bytes of an upload are here, None if there is no such upload of this repository."""
        try:
            owner = (self._uploads / f"{upload}.name").read_text(encoding="utf-8")
            return (self._uploads / upload).stat().st_size if owner == name else None
        except OSError:
            return None

    @contextlib.contextmanager
    def appending(self, upload: str) -> Iterator[IO[bytes]]:
        """The upload's file, to write the next bytes to."""
        with (self._uploads / upload).open("ab") as file:
            yield file

    def finish(self, name: str, upload: str, digest: str) -> bool:
        """Make an upload a blob; False if its bytes do not hash to the digest (then it is gone)."""
        aside = self._uploads / upload
        right = _sha256(aside) == _hex(digest)
        if right:
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            self._blobs.mkdir(parents=True, exist_ok=True)
            aside.replace(self._blobs / _hex(digest))
            self._link(name, digest)
        self.cancel(upload)
        return right

    def cancel(self, upload: str) -> None:
        """Forget an upload."""
        for path in (self._uploads / upload, self._uploads / f"{upload}.name"):
            path.unlink(missing_ok=True)

    def forget_uploads(self) -> None:
        """Remove what was on its way when the lab ended; for the start."""
        shutil.rmtree(self._uploads, ignore_errors=True)

    # -- manifests

    def manifest(self, name: str, reference: str) -> Manifest | None:
        """A manifest by tag or digest."""
        folder = self._repositories / name
        try:
            digest = reference if ":" in reference else (folder / "_tags" / reference).read_text("ascii")
            media_type = (folder / "_manifests" / _hex(digest)).read_text("utf-8")
            return Manifest((self._blobs / _hex(digest)).read_bytes(), media_type, digest)
        except OSError:
            return None

    def manifests(self, name: str) -> Iterator[Manifest]:
        """Every manifest of a repository."""
        folder = self._repositories / name / "_manifests"
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if found := self.manifest(name, f"sha256:{path.name}"):
                yield found

    def put_manifest(self, name: str, reference: str, body: bytes, media_type: str) -> str:
        """Keep a manifest, and give it its tag; returns its digest."""
        digest = digest_of(body)
        folder = self._repositories / name
        _write(self._blobs / _hex(digest), body)
        _write(folder / "_manifests" / _hex(digest), media_type.encode())
        if ":" not in reference:
            _write(folder / "_tags" / reference, digest.encode())
        return digest

    def _link(self, name: str, digest: str) -> None:
        link = self._repositories / name / "_blobs" / _hex(digest)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.touch()


def digest_of(data: bytes) -> str:
    """The name of a blob or manifest: what it hashes to."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _write(path: Path, data: bytes) -> None:
    """A file that is there whole, also after a crash, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)
