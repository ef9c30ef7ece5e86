"""The ``helm`` command, where Helm's library has no wheel (Linux on arm64).

Same questions, same answers: a render is ``helm template``, whose output is put back together by its
``# Source:`` lines. ``.Release.Revision`` is always 1 (the command has no flag for it).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import HelmError
from labkit.helm import binary_releases
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
    remarks,
)
from labkit.helm.workers import LimitMet, Limits

if TYPE_CHECKING:
    from labkit.helm.files import ChartFiles

SOURCE = re.compile(r"^---\n# Source: (?P<name>[^\n]+)\n", re.MULTILINE)
LINT = re.compile(r"\[(?P<severity>INFO|WARNING|ERROR)\] (?:(?P<path>[^:\s]*): )?(?P<message>.*)")
VERDICT = re.compile(r"^(?:INSTALLATION|UPGRADE|ROLLBACK) FAILED: ")
SEVERITY = {"INFO": 1, "WARNING": 2, "ERROR": 3}
NOTES = "labkit-notes.yaml"
ADDRESS_SLACK = 256 * 2**20


class BinaryBackend:
    """Helm behind its command line."""

    name = "binary"

    def version(self) -> str:
        """The command's version."""
        done = _run(["version", "--template", "{{ .Version }}"], Limits())
        return done.stdout.strip()

    def render(self, job: Job) -> Output:
        """Every template's output, put together from what ``helm template`` prints."""
        if job.strict:
            raise HelmError(
                "the `helm` command cannot make a missing key an error",
                where="missingkey=error",
                fix="leave that option out; Helm's library, which can, has no wheel for this machine",
            )
        with tempfile.TemporaryDirectory(prefix="labkit-chart-") as folder:
            arguments = self._arguments(job, Path(folder))
            done = _run(arguments, job.limits)
        templates = _by_template(done.stdout)
        if done.returncode and "YAML parse error" not in done.stderr:
            raise Refused(_without_log(done.stderr), templates)
        return _output(job, templates, done.stderr)

    def _arguments(self, job: Job, folder: Path) -> list[str]:
        release = job.release
        notes = (
            {f"templates/{NOTES}": _notes_template(job.name)}
            if "templates/NOTES.txt" in job.files.files
            else {}
        )
        chart = replace(job.files, files=job.files.files | notes).stage(folder)
        values = folder / "values.json"
        values.write_text(json.dumps(job.values), encoding="utf-8", newline="\n")
        flags = ["--namespace", release.namespace, "--values", str(values), "--debug"]
        flags += ["--kube-version", job.kube_version] if job.kube_version else []
        flags += ["--is-upgrade"] if release.is_upgrade else []
        for version in job.api_versions:
            flags += ["--api-versions", version]
        return ["template", release.name, str(chart), "--include-crds", *flags]

    def lint(self, job: LintJob) -> list[Finding]:
        """Helm's findings."""
        with tempfile.TemporaryDirectory(prefix="labkit-chart-") as folder:
            chart = job.files.stage(Path(folder))
            values = Path(folder) / "values.json"
            values.write_text(json.dumps(job.values), encoding="utf-8", newline="\n")
            flags = ["--strict"] if job.strict else []
            flags += ["--kube-version", job.kube_version] if job.kube_version else []
            flags += ["--namespace", job.namespace, "--values", str(values)]
            done = _run(["lint", str(chart), *flags], job.limits)
        text = done.stdout.replace(f"{chart}/", "")
        found = LINT.finditer(text)
        own = str(
            chart
        )  # what is said of the chart as a whole names its folder: this copy's, which is gone now
        return [
            Finding(SEVERITY[m["severity"]], "" if m["path"] == own else m["path"] or "", m["message"])
            for m in found
        ]

    def package(self, files: ChartFiles, destination: Path, signing: Signing | None = None) -> Path:
        """Archive the chart; the file appears in the destination only when it is whole."""
        with tempfile.TemporaryDirectory(prefix="labkit-chart-") as folder:
            chart = files.stage(Path(folder))
            made = Path(folder) / "made"
            flags = (
                [] if signing is None else ["--sign", "--key", signing.key, "--keyring", str(signing.keyring)]
            )
            if signing is not None and signing.passphrase_file is not None:
                flags += ["--passphrase-file", str(signing.passphrase_file)]
            done = _run(["package", str(chart), "--destination", str(made), *flags], Limits())
            if done.returncode:
                raise Refused(_without_log(done.stderr))
            archive = next(made.glob("*.tgz"))
            destination.mkdir(parents=True, exist_ok=True)
            for proof in made.glob("*.prov"):
                shutil.move(proof, destination / proof.name)
            return Path(shutil.move(archive, destination / archive.name))

    def release(self, call: ReleaseCall) -> Any:
        """Do something with a release."""
        return binary_releases.release(call, _run_release)

    def verify(self, archive: Path, keyring: Path) -> Signature:
        """Check the archive against its ``.prov`` file."""
        done = _run(["verify", str(archive), "--keyring", str(keyring)], Limits())
        if done.returncode:
            raise Refused(_without_log(done.stderr))
        found = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
        return Signature((found["Signed by"],), archive.name, found["Chart Hash Verified"])


def _run_release(arguments: list[str], call: ReleaseCall) -> str:
    done = _run(arguments, Limits(seconds=call.seconds + RELEASE_GRACE_SECONDS, megabytes=RELEASE_MEGABYTES))
    if done.returncode:
        raise Refused(VERDICT.sub("", _without_log(done.stderr)))
    return done.stdout


def _run(arguments: list[str], limits: Limits) -> subprocess.CompletedProcess[str]:
    try:
        process = subprocess.Popen(
            ["helm", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise HelmError(
            "the `helm` command is not installed", fix="install it (conda: kubernetes-helm)"
        ) from None
    with process:
        _wall(process.pid, limits)
        try:
            stdout, stderr = process.communicate(timeout=limits.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise LimitMet("time") from None
        except BaseException:
            process.kill()
            raise
    if (process.returncode == 2 and "out of memory" in stderr) or process.returncode in (-6, -9):
        raise LimitMet("memory")
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def _wall(pid: int, limits: Limits) -> None:
    """A limit on memory, where the system lets us set one for another process (Linux)."""
    if sys.platform == "linux":
        import resource

        size = limits.megabytes * 2**20 + ADDRESS_SLACK
        try:
            resource.prlimit(pid, resource.RLIMIT_DATA, (size, size))
        except ProcessLookupError:
            return  # it has already ended


def _by_template(text: str) -> dict[str, str]:
    parts = SOURCE.split(text if text.startswith("---\n") else f"---\n{text}")
    found: dict[str, list[str]] = defaultdict(list)
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        found[name].append(body)
    return {name: "---\n".join(bodies) for name, bodies in found.items()}


def _output(job: Job, templates: dict[str, str], log: str) -> Output:
    notes = templates.pop(f"{job.name}/templates/{NOTES}", "")
    if notes:
        templates[f"{job.name}/templates/NOTES.txt"] = json.loads(notes.partition("notes:")[2])
    crds = [
        (name, text) for name, text in templates.items() if "/crds/" in name and "/templates/" not in name
    ]
    for name, _ in crds:
        del templates[name]
    return Output(templates, tuple(crds), remarks(log.splitlines()))


def _notes_template(chart: str) -> bytes:
    """A template that gives the notes back as one line of JSON; ``helm template`` itself leaves them out."""
    return f'kind: Notes\nnotes: {{{{ include "{chart}/templates/NOTES.txt" . | toJson }}}}\n'.encode()


def _without_log(stderr: str) -> str:
    """The error message of a command, without the log lines that ``--debug`` adds."""
    _, found, message = stderr.rpartition("Error: ")
    message = message.partition("\n\nUse --debug flag")[0]
    lines = [line for line in message.splitlines() if not line.startswith(("level=", "helm.go:"))]
    return "\n".join(lines).strip() if found else stderr.strip()
