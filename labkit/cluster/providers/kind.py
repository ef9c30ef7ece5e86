"""A real Kubernetes in Docker, by the ``kind`` command (https://kind.sigs.k8s.io), for those who have both."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from labkit.cluster.client import Cluster
from labkit.cluster.kubeconfig import Kubeconfig
from labkit.cluster.providers.provider import ClusterState, checked_name
from labkit.errors import ClusterError, ProviderUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labkit.cluster.confirmation import Confirm

PREFIX = "labkit-"  # so that the lab never touches a kind cluster that is not its own
KUBECONFIG = "kind.kubeconfig"  # tells its folder from a sandbox's
_CREATE_SECONDS = 600.0  # the first one pulls an image of some 400 MB
_COMMAND_SECONDS = 120.0
_TAIL_LINES = 15
_INSTEAD = "The lab's own sandbox needs neither: labkit cluster create --provider sandbox"


class KindProvider:
    """kind clusters called ``labkit-<name>``, each with its kubeconfig in ``directory/<name>/``."""

    name = "kind"

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def create(self, name: str) -> ClusterState:
        """Make the cluster; takes a minute, the first time longer."""
        folder = self._directory / checked_name(name)
        self._require()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kubeconfig = folder / KUBECONFIG
        arguments = [
            "create",
            "cluster",
            "--name",
            PREFIX + name,
            "--kubeconfig",
            str(kubeconfig),
            "--wait",
            "180s",
        ]
        try:
            self._kind(*arguments, seconds=_CREATE_SECONDS)
        except BaseException:
            self._discard(name)
            raise
        kubeconfig.chmod(0o600)
        return self.status(name)

    def delete(self, name: str) -> None:
        """Delete the cluster and its folder."""
        folder = self._directory / checked_name(name)
        if not folder.exists():
            return
        self._require()
        self._kind("delete", "cluster", "--name", PREFIX + name, "--kubeconfig", str(folder / KUBECONFIG))
        shutil.rmtree(folder)

    def start(self, name: str) -> ClusterState:
        """Start its containers again."""
        self._docker("start", *self._nodes(name))
        return self.status(name)

    def stop(self, name: str) -> None:
        """Stop its containers."""
        self._docker("stop", *self._nodes(name))

    def list(self) -> list[ClusterState]:
        """The lab's kind clusters; empty where kind or Docker is missing."""
        folders = sorted(self._directory.glob(f"*/{KUBECONFIG}"))
        if not folders:
            return []
        try:
            self._require()
        except ProviderUnavailable:
            return []
        there = self._kind("get", "clusters").split()
        return [self.status(file.parent.name) for file in folders if PREFIX + file.parent.name in there]

    def status(self, name: str) -> ClusterState:
        """One cluster, by whether its API answers."""
        with self.connect(name) as cluster:
            try:
                cluster.version()
            except ClusterError:
                return ClusterState(name, self.name, "stopped", cluster.server)
            return ClusterState(name, self.name, "running", cluster.server)

    def kubeconfig(self, name: str) -> Path:
        """The cluster's kubeconfig."""
        file = self._directory / checked_name(name) / KUBECONFIG
        Kubeconfig.load(file)
        return file

    def connect(self, name: str, *, confirm: Confirm | None = None) -> Cluster:
        """The cluster; it is the lab's own, so a write asks nobody."""
        return Cluster.from_kubeconfig(self.kubeconfig(name), own=True, confirm=confirm)

    def load_image(self, name: str, image: str) -> None:
        """Bring an image of this machine's Docker into the cluster's nodes."""
        self._require()
        self._kind("load", "docker-image", image, "--name", PREFIX + checked_name(name))

    def _nodes(self, name: str) -> Sequence[str]:
        self._require()
        return self._kind("get", "nodes", "--name", PREFIX + checked_name(name)).split()

    def _discard(self, name: str) -> None:
        """Take back what a creation that failed, or was interrupted, has left."""
        command = ["kind", "delete", "cluster", "--name", PREFIX + name]
        subprocess.run(command, capture_output=True, check=False, timeout=_COMMAND_SECONDS)
        shutil.rmtree(self._directory / name, ignore_errors=True)

    def _require(self) -> None:
        if not shutil.which("kind"):
            raise ProviderUnavailable(
                "the kind command is not installed",
                where="kind",
                fix=f"Install kind (https://kind.sigs.k8s.io) and Docker. {_INSTEAD}",
            )
        if not shutil.which("docker"):
            raise ProviderUnavailable(
                "kind needs Docker, and there is no docker command",
                where="docker",
                fix=f"Install Docker (https://docs.docker.com/get-docker). {_INSTEAD}",
            )
        try:
            self._docker("info", "--format", "{{.ServerVersion}}")
        except ClusterError as error:
            raise ProviderUnavailable(
                "Docker is installed but does not run", where="docker", fix=f"Start Docker. {_INSTEAD}"
            ) from error

    def _kind(self, *arguments: str, seconds: float = _COMMAND_SECONDS) -> str:
        return _run("kind", *arguments, seconds=seconds)

    def _docker(self, *arguments: str) -> str:
        return _run("docker", *arguments, seconds=_COMMAND_SECONDS)


def _run(command: str, *arguments: str, seconds: float) -> str:
    """A command's standard output. Raises `ClusterError` with the end of what it said."""
    line = " ".join([command, *arguments[:3]])
    try:
        done = subprocess.run(
            [command, *arguments], capture_output=True, check=False, timeout=seconds,
            text=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ClusterError(
            f"no end after {seconds:.0f} s",
            where=line,
            fix="See with docker ps what is going on, then try again.",
        ) from error
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_TAIL_LINES:])
        raise ClusterError(
            f"failed with exit code {done.returncode}:\n{tail}", where=line, fix="Read its last words."
        )
    return done.stdout
