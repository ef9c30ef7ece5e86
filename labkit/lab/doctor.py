"""``labkit doctor``: is everything here that the lab needs, and if not, what mends it.

Each check is one function that returns one `Finding`. What the lab cannot work without is *required*; Docker,
kind, helm and kubectl are not: the sandbox needs none of them.
"""

from __future__ import annotations

import platform
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from labkit.lab.background import Background
from labkit.settings import Settings, proxy_variables

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHON = (3, 11)
GIT = (2, 28)  # the first with `git init --initial-branch`
NEEDED_MEGABYTES = 300


@dataclass(frozen=True)
class Finding:
    """What one check saw: ``ok``, or not and then how to mend it. ``required`` ones fail the doctor."""

    name: str
    ok: bool
    seen: str
    fix: str = ""
    required: bool = True

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Run all checks; none raises, none takes more than a few seconds."""
    return [check(settings) for check in CHECKS]


def _python(_: Settings) -> Finding:
    seen = f"{platform.python_version()} ({sys.executable})"
    fix = f"Install Python {PYTHON[0]}.{PYTHON[1]} or newer, and make a new virtual environment with it."
    return Finding("Python", sys.version_info >= PYTHON, seen, "" if sys.version_info >= PYTHON else fix)


def _libraries(_: Settings) -> Finding:
    from importlib.metadata import PackageNotFoundError, requires, version

    install = f"{sys.executable} -m pip install labkit"
    try:
        from packaging.requirements import Requirement

        wanted = [Requirement(line) for line in requires("labkit") or []]
    except (ImportError, PackageNotFoundError):
        return Finding("libraries", False, "labkit is not installed here, only found", install)
    here = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    missing, old = [], []
    for requirement in here:
        try:
            if not requirement.specifier.contains(version(requirement.name), prereleases=True):
                old.append(requirement.name)
        except PackageNotFoundError:
            missing.append(requirement.name)
    if missing or old:
        seen = "; ".join(f"{w}: {', '.join(n)}" for w, n in (("missing", missing), ("too old", old)) if n)
        return Finding("libraries", False, seen, install)
    return Finding("libraries", True, f"{len(here)} found")


def _rendering(_: Settings) -> Finding:
    command = shutil.which("helm")
    if find_spec("helm_python"):
        seen = "Helm's own SDK is built in" + (f"; the helm command is {command}" if command else "")
        return Finding("helm", True, seen)
    fix = "Install the helm command: https://helm.sh/docs/intro/install/"
    return Finding(
        "helm", bool(command), command or "neither the SDK nor the helm command", "" if command else fix
    )


def _git(_: Settings) -> Finding:
    text = _answer(["git", "--version"])
    fix = "Install git: apt install git, brew install git, or https://git-scm.com/downloads"
    if not text:
        return Finding("git", False, "not found", fix)
    numbers = text.split()[2].split(".")
    found = tuple(int(n) for n in numbers[:2] if n.isdigit())
    if found < GIT:
        return Finding("git", False, f"{text}: older than {GIT[0]}.{GIT[1]}", fix)
    if not _has_http_backend():
        fix = "Install the whole of git (package git)."
        return Finding("git", False, f"{text}, but without `git http-backend`", fix)
    return Finding("git", True, text.removeprefix("git version "))


def _identity(_: Settings) -> Finding:
    name, email = _answer(["git", "config", "user.name"]), _answer(["git", "config", "user.email"])
    if name and email:
        return Finding("git identity", True, f"{name} <{email}>", required=False)
    fix = 'git config --global user.name "Your Name"; git config --global user.email you@example.org'
    seen = "none; commits made through the lab get a trainee's name, plain `git commit` will ask for one"
    return Finding("git identity", False, seen, fix, required=False)


def _folder(settings: Settings) -> Finding:
    home = settings.home
    if settings.exists:
        return Finding("lab folder", True, str(home))
    fix = "labkit init DIR"
    return Finding("lab folder", False, f"{home} is none yet", fix, required=False)


def _disk(settings: Settings) -> Finding:
    there = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(there).free // 1_000_000
    fix = f"Free at least {NEEDED_MEGABYTES} MB on the disk of {there}, or choose another: labkit --lab DIR …"
    enough = free >= NEEDED_MEGABYTES
    return Finding("disk", enough, f"{free:,} MB free at {there}", "" if enough else fix)


def _ports(settings: Settings) -> Finding:
    running = Background(settings).running() if settings.exists else None
    if running:
        return Finding("ports", True, f"the lab answers at {running.url}")
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            with socket.create_connection(address, timeout=3):
                pass
    except OSError as error:
        fix = "Something (a firewall, a container's network) forbids loopback; allow 127.0.0.1."
        return Finding("ports", False, f"cannot listen on 127.0.0.1: {error.strerror or error}", fix)
    remembered = settings.remembered().get("port") if settings.exists else None
    return Finding("ports", *_remembered_port(remembered))


def _remembered_port(port: int | None) -> tuple[bool, str, str, bool]:
    if not port:
        return True, "loopback can be used; a free port is chosen", "", True
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True, f"127.0.0.1:{port} is free, as last time", "", True
    except OSError:
        fix = f"End what listens on 127.0.0.1:{port}; or let the lab choose another, old URLs go on working in it."
        return False, f"another program listens on {port}, the lab's port of last time", fix, False


def _proxy(_: Settings) -> Finding:
    found = proxy_variables()
    if not found:
        return Finding("proxy", True, "no proxy variables", required=False)
    exempt = ",".join(v for k, v in found.items() if k.lower() == "no_proxy")
    names = ", ".join(sorted(found))
    if "127.0.0.1" in exempt or exempt.strip() == "*":
        return Finding("proxy", True, f"{names}; loopback is exempt", required=False)
    fix = "export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost"
    seen = f"{names} are set and 127.0.0.1 is not exempt: plain git and curl would ask the proxy"
    return Finding("proxy", False, seen, fix, required=False)


def _kubectl(_: Settings) -> Finding:
    return _optional("kubectl", "https://kubernetes.io/docs/tasks/tools/ (the lab itself does not need it)")


def _docker(_: Settings) -> Finding:
    found = shutil.which("docker")
    if not found:
        fix = "Only for kind clusters: https://docs.docker.com/engine/install/"
        return Finding("docker", False, "not found; the sandbox needs none", fix, required=False)
    if not _answer(["docker", "version", "--format", "{{.Server.Version}}"]):
        fix = "Only for kind clusters: start Docker, and see that you may use it (docker info)."
        return Finding("docker", False, "found, but its daemon does not answer", fix, required=False)
    return Finding("docker", True, found, required=False)


def _kind(_: Settings) -> Finding:
    return _optional(
        "kind", "Only for kind clusters: https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
    )


def _optional(command: str, fix: str) -> Finding:
    found = shutil.which(command)
    return Finding(command, bool(found), found or "not found", "" if found else fix, required=False)


def _has_http_backend() -> bool:
    folder = _answer(["git", "--exec-path"])
    return bool(folder and shutil.which("git-http-backend", path=folder))


def _answer(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _python, _libraries, _git, _identity, _rendering, _folder, _disk, _ports, _proxy, _kubectl, _docker, _kind,
)  # fmt: skip
