"""The lab folder, and the process environment: what everything else is told, and nobody else looks up.

One lab folder is one seat. It holds what the trainee made, in plain sight, and what the lab must remember,
in ``.lab/``::

    notebooks/ charts/ work/          the trainee's own: lessons, charts, working copies
    .lab/lab.json                     format version, the cluster, the port that repository URLs name
    .lab/service.json                 pid, port and URL of the running service (0600)
    .lab/service.log                  what the service did; rotated, never a secret
    .lab/token  .lab/controller-token credentials of the trainee and of the controller (0600)
    .lab/kubeconfig                   works with plain kubectl (0600)
    .lab/clusters/<name>/             a sandbox cluster each
    .lab/repos/<name>.git             the Git host's bare repositories
    .lab/cache/                       may be deleted at any time

Only this module reads ``os.environ``. Only `lab`, `service` and `cli` know `Settings`; every other room is
handed plain paths and values, so that it can be used without a lab folder.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labkit.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        return os.environ.get(f"LABKIT_{name}", default)

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
        found = _read_json(path)
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
    package = Path(__file__).resolve().parent
    for candidate in (package / "share" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise SettingsError(
        f"this installation has no {name}", where=str(package / "share" / name), fix="Install labkit again."
    )


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


def debugging() -> bool:
    """Whether errors are shown with their traceback (``LABKIT_DEBUG=1``)."""
    return Settings.environment("DEBUG") not in ("", "0")


def plain_output() -> bool:
    """Whether the person asked for no colours (https://no-color.org) or has a terminal that knows none."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def proxy_variables() -> dict[str, str]:
    """The proxy variables that are set, by name; they hold a password at times, so show names only."""
    names = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    return {k: v for k, v in os.environ.items() if k.lower() in names and v}


def user_kubeconfig() -> Path:
    """The user's own kubeconfig, as kubectl finds it (the first file of ``KUBECONFIG``)."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(named).expanduser() if named else Path.home() / ".kube" / "config"


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for a process that the lab starts: ours, with ``changes``.

    Loopback never goes through a proxy, and a child finds this same labkit when it runs from a checkout.
    """
    environment = dict(os.environ)
    for name in ("no_proxy", "NO_PROXY"):
        known = environment.get(name, "")
        environment[name] = ",".join(filter(None, [known, "127.0.0.1,localhost"]))
    package = str(Path(__file__).resolve().parent.parent)
    if package not in sys.path[1:]:
        paths = [package, environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment | {"PYTHONUTF8": "1"} | changes


def _nearest(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / STATE / "lab.json").is_file():
            return folder
    made_here = start / DEFAULT_FOLDER
    return made_here if (made_here / STATE / "lab.json").is_file() else start


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  (a trainee's own symbolic link to the folder stays as it is)


def _read_json(path: Path) -> dict[str, Any]:
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
            fix=f"Write '{{\"format\": {FORMAT}}}' into it: nothing else of the lab is kept there.",
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
