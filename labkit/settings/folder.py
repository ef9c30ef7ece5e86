"""`Settings`: where everything in a lab folder is."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from labkit.errors import SettingsError
from labkit.settings.environment import variable
from labkit.settings.files import explained, read_json, write_private
from labkit.settings.lock import FileLock

FORMAT = 1
"""The lab folder's format. Raised when an older labkit could no longer read what a newer one wrote."""

STATE = ".lab"
DEFAULT_FOLDER = "workspace"


class ServiceRecord(NamedTuple):
    """What a running service says about itself in ``.lab/service.json``."""

    pid: int
    port: int
    url: str
    started: str
    version: str


@dataclass(frozen=True)
class Settings:
    """One lab folder: where everything is. It does no I/O until it is asked to."""

    home: Path

    @classmethod
    def find(cls, lab: Path | str | None = None) -> Settings:
        """The lab folder that is meant: ``lab``, else ``LABKIT_HOME``, else the nearest one upwards.

        Without any of these, ``./workspace`` if it is a lab folder (``labkit init`` makes it there), else the
        current folder, which then is none yet (`exists` is false). Raises `SettingsError` when the folder was
        made by a newer labkit, or its ``lab.json`` is damaged.
        """
        named = lab or cls.environment("HOME")
        home = Path(named).expanduser() if named else _nearest(Path.cwd())
        settings = cls(_absolute(home))
        if settings.exists:
            settings.remembered()
        return settings

    @classmethod
    def create(cls, directory: Path | str) -> Settings:
        """The lab folder at ``directory``, made if need be; what is in it already is left alone."""
        settings = cls(_absolute(Path(directory).expanduser()))
        if settings.exists:
            settings.remembered()
        with explained(settings.home):
            for folder in (settings.charts, settings.work, settings.state):
                folder.mkdir(parents=True, exist_ok=True)
            if os.name == "posix":
                settings.state.chmod(0o700)
        if not settings.exists:
            settings.remember()
        return settings

    @staticmethod
    def environment(name: str, default: str = "") -> str:
        """What ``LABKIT_<name>`` says."""
        return variable(name, default)

    # -- the trainee's part

    @property
    def notebooks(self) -> Path:
        """The lessons, as laid out for this trainee."""
        return self.home / "notebooks"

    @property
    def charts(self) -> Path:
        """The trainee's charts."""
        return self.home / "charts"

    @property
    def work(self) -> Path:
        """The trainee's working copies of the lab's repositories."""
        return self.home / "work"

    @property
    def chart_repositories(self) -> Path:
        """A folder for each HTTP chart repository: packaged charts and their index."""
        return self.home / "chart-repos"

    # -- the lab's part

    @property
    def state(self) -> Path:
        """``.lab``: everything that the lab must remember."""
        return self.home / STATE

    @property
    def kubeconfig(self) -> Path:
        """The file that makes plain kubectl speak to the lab's cluster."""
        return self.state / "kubeconfig"

    @property
    def clusters(self) -> Path:
        """A folder for each sandbox cluster."""
        return self.state / "clusters"

    @property
    def repos(self) -> Path:
        """The Git host's bare repositories."""
        return self.state / "repos"

    @property
    def registry(self) -> Path:
        """What the OCI registry keeps."""
        return self.state / "registry"

    @property
    def chart_sources(self) -> Path:
        """The chart repositories that have names, in the form of Helm's ``repositories.yaml``."""
        return self.state / "chart-repositories.yaml"

    @property
    def registry_logins(self) -> Path:
        """The registries' credentials, in the form of Docker's ``config.json``."""
        return self.state / "registry-logins.json"

    @property
    def cache(self) -> Path:
        """What can be made again: clones, rendered charts, JupyterLab's own files."""
        return self.state / "cache"

    @property
    def log(self) -> Path:
        """The service's log."""
        return self.state / "service.log"

    @property
    def exists(self) -> bool:
        """Whether this is a lab folder already."""
        return (self.state / "lab.json").is_file()

    def remembered(self) -> dict[str, Any]:
        """``lab.json``: ``format``, and what `remember` wrote. `SettingsError` if a newer labkit wrote it."""
        path = self.state / "lab.json"
        if not path.exists():
            return {"format": FORMAT}
        found = read_json(path)
        version = found.get("format")
        if not isinstance(version, int) or version < 1:
            raise SettingsError(
                "this is not a lab's lab.json: 'format' is not a positive number",
                where=str(path),
                fix=f"Mend the file ('\"format\": {FORMAT}'), or make a new lab folder: labkit init DIR",
            )
        if version > FORMAT:
            raise SettingsError(
                f"this lab folder has format {version}, made by a newer labkit; this one knows {FORMAT}",
                where=str(path),
                fix="Update labkit (pip install --upgrade labkit), or make a new lab folder: labkit init DIR",
            )
        return found

    def remember(self, **values: Any) -> None:
        """Add ``values`` to ``lab.json``; atomic, so a crash leaves the old or the new file."""
        content = self.remembered() | values
        write_private(self.state / "lab.json", json.dumps(content, indent=2) + "\n")

    def service(self) -> ServiceRecord | None:
        """What the service last said about itself; it may have died since."""
        path = self.state / "service.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return ServiceRecord(*(found[field] for field in ServiceRecord._fields))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or a crash's half: both mean that none runs

    def write_service(self, record: ServiceRecord) -> None:
        """Publish the running service's address."""
        write_private(self.state / "service.json", json.dumps(record._asdict(), indent=2) + "\n")

    def forget_service(self) -> None:
        """The service has ended."""
        (self.state / "service.json").unlink(missing_ok=True)

    def lock(self, name: str) -> FileLock:
        """The lock ``.lab/<name>.lock``, not yet taken."""
        return FileLock(self.state / f"{name}.lock")

    def token(self, name: str = "token") -> str:
        """The credential kept in ``.lab/<name>``, made on first use; readable by this user only."""
        path = self.state / name
        try:
            if found := path.read_text(encoding="utf-8").strip():
                return found
        except FileNotFoundError:
            pass
        except OSError as error:
            raise SettingsError(
                f"cannot read the lab's token: {error.strerror}",
                where=str(path),
                fix="Check who owns the file.",
            ) from error
        write_private(path, secrets.token_urlsafe(32) + "\n", keep=True)
        return path.read_text(encoding="utf-8").strip()


def share(name: str) -> Path:
    """Where the lab's own ``notebooks`` or ``charts`` are: in the installed package, else the checkout."""
    package = Path(__file__).resolve().parents[1]
    for candidate in (package / "share" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise SettingsError(
        f"this installation has no {name}", where=str(package / "share" / name), fix="Install labkit again."
    )


def _nearest(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / STATE / "lab.json").is_file():
            return folder
    made_here = start / DEFAULT_FOLDER
    return made_here if (made_here / STATE / "lab.json").is_file() else start


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  (a trainee's own symbolic link to the folder stays as it is)
