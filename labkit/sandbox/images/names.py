"""Image names: ``nginx:1.27`` is short for ``docker.io/library/nginx:1.27``."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

_NAME = re.compile(
    r"(?:(?P<registry>[^/]*[.:][^/]*|localhost)/)?(?P<path>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class ImageName(NamedTuple):
    """A name in full: ``docker.io``, ``library/nginx``, ``1.27``, and a digest or the empty string."""

    registry: str
    path: str
    tag: str
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageName | None:
        """From what a manifest says; ``None`` for what is no image name."""
        found = _NAME.fullmatch(text)
        if found is None:
            return None
        registry, path = found["registry"] or "docker.io", found["path"]
        registry = "docker.io" if registry == "index.docker.io" else registry
        if registry == "docker.io" and "/" not in path:
            path = f"library/{path}"
        digest = found["digest"] or ""
        return cls(registry, path, found["tag"] or ("" if digest else "latest"), digest)

    @property
    def repository(self) -> str:
        """Without tag and digest: ``docker.io/library/nginx``."""
        return f"{self.registry}/{self.path}"

    @property
    def familiar(self) -> str:
        """The repository as people write it: ``nginx``, ``gitops-lab/hello``, ``quay.io/a/b``."""
        return self.repository.removeprefix("docker.io/").removeprefix("library/")

    @property
    def id(self) -> str:
        """What a node calls the image that it has; made from the name, since there is no content to hash."""
        digest = self.digest or f"sha256:{hashlib.sha256(str(self).encode()).hexdigest()}"
        return f"{self.repository}@{digest}"

    def __str__(self) -> str:
        """In full."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")
