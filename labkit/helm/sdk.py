"""Helm's own Go library (``helm-python-sdk``), in a worker process.

A chart is given to a worker as a private folder of plain files, once; after that its digest is enough.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.helm import workers
from labkit.helm.backend import (
    RELEASE_GRACE_SECONDS,
    RELEASE_MEGABYTES,
    Finding,
    Job,
    LintJob,
    Output,
    Refused,
    ReleaseCall,
    Signature,
    Signing,
    available,
    remarks,
)
from labkit.helm.workers import LimitMet, Limits, Message, Worker

if TYPE_CHECKING:
    from labkit.helm.files import ChartFiles


class SdkBackend:
    """Helm's library behind `workers`."""

    name = "sdk"

    def version(self) -> str:
        """The library's version."""
        return str(_ask({"operation": "hello"}, Limits())["ok"]["version"])

    def render(self, job: Job) -> Output:
        """Every template's output, exactly as the engine wrote it."""
        capabilities = {"kube_version": job.kube_version, "api_versions": list(job.api_versions)}
        if job.constraint:
            request = {"operation": "accepts", "constraint": job.constraint, "options": capabilities}
            _ask(request, job.limits)
        release = job.release
        options = capabilities | {
            "name": release.name,
            "namespace": release.namespace,
            "revision": release.revision,
            "is_install": not release.is_upgrade,
            "is_upgrade": release.is_upgrade,
            "strict": job.strict,
        }
        request = {"operation": "render", "chart": job.files.digest, "values": job.values, "options": options}
        reply = _ask(request, job.limits, stage=job.files)
        crds = tuple((crd["path"], crd["text"]) for crd in reply["ok"]["crds"])
        return Output(reply["ok"]["files"], crds, remarks(reply["warnings"]))

    def lint(self, job: LintJob) -> list[Finding]:
        """Helm's findings, with paths within the chart."""
        options = {"strict": job.strict, "namespace": job.namespace, "kube_version": job.kube_version}
        with tempfile.TemporaryDirectory(prefix="labkit-chart-") as folder:
            path = str(job.files.stage(Path(folder)))
            request = {"operation": "lint", "path": path, "values": job.values, "options": options}
            report = _ask(request, job.limits)["ok"]
        return [
            Finding(item["severity"], _within(item["path"], path), item["error"].replace(path + "/", ""))
            for item in report["messages"]
        ]

    def package(self, files: ChartFiles, destination: Path, signing: Signing | None = None) -> Path:
        """Archive the chart; the file appears in the destination only when it is whole."""
        with tempfile.TemporaryDirectory(prefix="labkit-chart-") as folder:
            path = files.stage(Path(folder))
            request = {"operation": "package", "path": str(path), "destination": folder}
            made = Path(_ask(request, Limits())["ok"]["path"])
            destination.mkdir(parents=True, exist_ok=True)
            if signing is not None:
                signed = _ask({"operation": "sign", "path": str(made)} | _said(signing), Limits())
                proof = Path(signed["ok"]["path"])
                shutil.move(proof, destination / proof.name)
            return Path(shutil.move(made, destination / made.name))

    def release(self, call: ReleaseCall) -> Any:
        """Do something with a release; the answer as Helm's library gives it. `Refused` with Helm's words."""
        request: Message = {
            "operation": "release",
            "action": call.action,
            "cluster": {name: value for name, value in call.cluster.items() if value},
            "name": call.name,
            "options": dict(call.options),
        }
        if call.files is not None:
            request |= {"chart": call.files.digest, "values": call.values}
        limits = Limits(seconds=call.seconds + RELEASE_GRACE_SECONDS, megabytes=RELEASE_MEGABYTES)
        return _ask(request, limits, stage=call.files)["ok"]

    def verify(self, archive: Path, keyring: Path) -> Signature:
        """Check the archive against its ``.prov`` file."""
        request = {"operation": "verify", "path": str(archive.absolute()), "keyring": str(keyring.absolute())}
        found = _ask(request, Limits())["ok"]
        return Signature(tuple(found["signed_by"]), found["file_name"], found["file_hash"])


def read_yaml(text: str) -> dict[str, Any] | None:
    """A large document by the library's parser, which is written in Go; None where that cannot be had."""
    if "sdk" not in available():
        return None
    try:
        value = _ask({"operation": "yaml", "text": text}, Limits(seconds=60.0, megabytes=1024))["ok"]["value"]
    except (Refused, LimitMet):
        return None
    return value if isinstance(value, dict) else None


def _said(signing: Signing) -> Message:
    """As the worker is told; it has a current folder of its own, so paths are whole."""
    named = {"key": signing.key, "keyring": str(signing.keyring.absolute())}
    passphrase = signing.passphrase_file
    return named | ({"passphrase_file": str(passphrase.absolute())} if passphrase else {})


def _ask(request: Message, limits: Limits, *, stage: ChartFiles | None = None) -> Message:
    with ExitStack() as stack:

        def prepare(worker: Worker) -> dict[str, Any]:
            if stage is None or stage.digest in worker.charts:
                return request
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="labkit-chart-"))
            return request | {"path": str(stage.stage(Path(folder)))}

        reply = workers.shared.ask(prepare, limits)
    if "error" in reply:
        raise Refused(reply["error"])
    return reply


def _within(path: str, folder: str) -> str:
    return path.removeprefix(folder).strip("/")
