"""What the room asks of Helm itself, whichever form of it this machine has.

Two backends answer: `sdk` (Helm's Go library in a worker process) and `binary` (the ``helm`` command), the
second where the library has no wheel. Both get a chart's files as the lab read them, and plain values; both
give plain text back. Everything that needs no Helm (precedence, errors, provenance) is above them, and so it is
the same for both.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from labkit.errors import HelmError
from labkit.helm.workers import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from labkit.helm.files import ChartFiles

Values = dict[str, Any]

RELEASE_GRACE_SECONDS = 30.0  # Helm ends by itself when its own time is over, and says why
RELEASE_MEGABYTES = 1024  # beside the chart, what the cluster answers
UNKNOWN_HOOK = "an object was left out, because Helm knows no hook"
REMARK = re.compile(
    r"warning: (?P<warning>.*?)\"?$|msg=\"skipping unknown hooks\" hookTypes=(?P<hook>.*)"
    r"|level=(?:WARN|ERROR) msg=\"?(?P<logged>.*?)\"?$"
)


@dataclass(frozen=True)
class Release:
    """The release that templates see as ``.Release``; nothing is installed by rendering."""

    name: str = "release-name"
    namespace: str = "default"
    revision: int = 1
    is_upgrade: bool = False


@dataclass(frozen=True)
class Job:
    """One render: the chart's files, the values that the caller gives over the chart's own, and the release."""

    files: ChartFiles
    name: str
    values: Values
    release: Release
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    constraint: str = ""  # the chart's own `kubeVersion`
    strict: bool = False  # a key that the values lack is an error
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Output:
    """What Helm rendered: each template's text by its name (``web/templates/service.yaml``), and ``crds/``."""

    templates: Mapping[str, str]
    crds: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One message of Helm's lint: severity 1 info, 2 warning, 3 error."""

    severity: int
    path: str
    message: str


@dataclass(frozen=True)
class ReleaseCall:
    """One action on a release: ``helm_install``, ``helm_status`` … with the options that Helm's library has for it.

    ``files`` and ``values`` are for install and upgrade. ``seconds`` is how long Helm itself may wait.
    """

    action: str
    cluster: Mapping[str, str]  # kubeconfig_path, kube_context, namespace
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    files: ChartFiles | None = None
    values: Values = field(default_factory=dict)
    seconds: float = 60.0


@dataclass(frozen=True)
class Signing:
    """Who signs: a part of the key's name, the file with the secret keys, and the file with their passphrase."""

    key: str
    keyring: Path
    passphrase_file: Path | None = None


@dataclass(frozen=True)
class Signature:
    """What a signature says: who signed, and which file it is about."""

    signed_by: tuple[str, ...]
    file: str
    digest: str


@dataclass(frozen=True)
class LintJob:
    """One lint: as a `Job`, but nothing is released."""

    files: ChartFiles
    values: Values = field(default_factory=dict)
    strict: bool = False
    namespace: str = "default"
    kube_version: str = ""
    limits: Limits = field(default_factory=Limits)


def remarks(log: Iterable[str]) -> tuple[str, ...]:
    """Helm's warnings among the lines that it logs, without their time and level; each once."""
    found = (REMARK.search(line) for line in log)
    texts = (
        match["warning"] or match["logged"] or f"{UNKNOWN_HOOK} {match['hook']!r}" for match in found if match
    )
    return tuple(dict.fromkeys(texts))


class Refused(Exception):
    """Helm refused; ``words`` are its own. ``templates`` is what had been rendered by then, if anything was."""

    def __init__(self, words: str, templates: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.templates = dict(templates or {})


class Backend(Protocol):
    """Helm: in a worker process, or as a command."""

    name: str

    def version(self) -> str:
        """Helm's version, as ``v4.2.3``."""

    def render(self, job: Job) -> Output:
        """Render a chart; `Refused` with Helm's words, `workers.LimitMet` if it took too much."""

    def lint(self, job: LintJob) -> list[Finding]:
        """Helm's findings about a chart."""

    def package(self, files: ChartFiles, destination: Path, signing: Signing | None = None) -> Path:
        """Archive a chart as ``NAME-VERSION.tgz`` in a folder; with its provenance beside it if somebody signs."""

    def release(self, call: ReleaseCall) -> Any:
        """Do something with a release; the answer as Helm's library gives it. `Refused` with Helm's words."""

    def verify(self, archive: Path, keyring: Path) -> Signature:
        """Check an archive against its ``.prov`` file; `Refused` if it is another, or signed by nobody known."""


def available() -> list[str]:
    """Which backends this machine has, the better one first."""
    found = ["sdk"] if importlib.util.find_spec("helm_python") else []
    return found + (["binary"] if shutil.which("helm") else [])


@cache
def backend(name: str = "") -> Backend:
    """The backend of that name, by default the best that there is."""
    names = [name] if name else available()
    if not names:
        raise HelmError(
            "neither helm-python-sdk nor the `helm` command is installed",
            fix="install the `helm` command (conda: kubernetes-helm); there is no helm-python-sdk for this machine",
        )
    if names[0] == "sdk":
        from labkit.helm.sdk import SdkBackend

        return SdkBackend()
    from labkit.helm.binary import BinaryBackend

    return BinaryBackend()
