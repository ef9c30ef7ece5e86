"""Signing and verifying, against keys that GnuPG made and signatures that the ``helm`` command made."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from chart_server import ChartServer, archives
from serving import run_server

from labkit.cli import frame
from labkit.errors import ChartError
from labkit.helm import Chart, Signing
from labkit.helm.keys import Key, kept_key, make_key

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="no `gpg` command here, to make keys")
ADA = "Ada <ada@example.org>"


@pytest.fixture(scope="module")
def keys() -> Iterator[Path]:
    """A folder with ``secring.gpg``, ``pubring.gpg``, and ``others.gpg``, which has nobody's key of the two."""
    with tempfile.TemporaryDirectory(
        prefix="keys-", dir="/tmp"
    ) as name:  # its agent's socket wants a short path
        folder = Path(name)
        gpg(folder, "--passphrase", "", "--quick-generate-key", ADA, "rsa2048")
        (folder / "secring.gpg").write_bytes(gpg(folder, "--export-secret-keys", ADA))
        (folder / "pubring.gpg").write_bytes(gpg(folder, "--export", ADA))
        gpg(folder, "--passphrase", "", "--quick-generate-key", "Eve <eve@example.org>", "rsa2048")
        (folder / "others.gpg").write_bytes(gpg(folder, "--export", "eve@example.org"))
        yield folder
        subprocess.run(["gpgconf", "--homedir", name, "--kill", "all"], check=False, capture_output=True)


def gpg(home: Path, *arguments: str) -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    archives(tmp_path, ["0.1.0"])
    return tmp_path / "source-0.1.0" / "web"


@pytest.fixture
def signed(source: Path, tmp_path: Path, keys: Path, backend: str) -> Chart:
    made = Chart(source, with_backend=backend).package(
        tmp_path / "signed", signing=Signing("Ada", keys / "secring.gpg")
    )
    return Chart(made, with_backend=backend)


def test_a_signed_chart_says_who_signed_it(signed: Chart, keys: Path) -> None:
    found = signed.verify(keys / "pubring.gpg")
    assert found.signed_by == (ADA,)
    assert found.digest.startswith("sha256:")
    assert (found.file, signed.path.with_name(f"{found.file}.prov").exists()) == ("web-0.1.0.tgz", True)


@pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")
def test_the_helm_command_accepts_it(signed: Chart, keys: Path) -> None:
    helm = ["helm", "verify", str(signed.path), "--keyring", str(keys / "pubring.gpg")]
    assert ADA in subprocess.run(helm, check=True, capture_output=True, text=True, timeout=60).stdout


def test_a_chart_that_was_changed_is_refused(signed: Chart, keys: Path, source: Path) -> None:
    (source / "values.yaml").write_text("seen: evil\n")
    changed = Chart(source).package(signed.path.parent)
    os.utime(changed)
    with pytest.raises(ChartError, match="was changed since"):
        signed.verify(keys / "pubring.gpg")


def test_a_stranger_s_signature_is_refused(signed: Chart, keys: Path) -> None:
    with pytest.raises(ChartError, match="whose key is not among these"):
        signed.verify(keys / "others.gpg")


def test_a_chart_that_nobody_signed_is_refused(
    source: Path, tmp_path: Path, keys: Path, backend: str
) -> None:
    plain = Chart(Chart(source).package(tmp_path / "plain"), with_backend=backend)
    with pytest.raises(ChartError, match="nobody vouches for it"):
        plain.verify(keys / "pubring.gpg")


def test_a_keyring_that_is_not_there_is_named_with_the_way_to_make_it(signed: Chart, tmp_path: Path) -> None:
    with pytest.raises(ChartError, match=r"none.gpg: .*\n.*gpg --export"):
        signed.verify(tmp_path / "none.gpg")


def test_a_key_that_is_not_there_signs_nothing(
    source: Path, tmp_path: Path, keys: Path, backend: str
) -> None:
    with pytest.raises(ChartError, match="was not signed"):
        Chart(source, with_backend=backend).package(
            tmp_path / "x", signing=Signing("Nobody", keys / "secring.gpg")
        )
    assert not (tmp_path / "x" / "web-0.1.0.tgz").exists()


def test_a_pulled_chart_is_verified_and_unpacked_after_that(
    signed: Chart, keys: Path, tmp_path: Path, monkeypatch, capsys
):
    server = ChartServer()
    server.publish([signed.path])
    server.files["/web-0.1.0.tgz.prov"] = signed.path.with_name("web-0.1.0.tgz.prov").read_bytes()
    server.port, stop = run_server(server)
    monkeypatch.chdir(tmp_path)
    pull = ["chart", "pull", "web", "--repo", server.url, "--verify", "--untar", "--keyring"]
    try:
        assert frame.run([*pull, str(keys / "others.gpg"), "-d", "stranger"]) == 1
        assert not (tmp_path / "stranger" / "web").exists()
        assert frame.run([*pull, str(keys / "pubring.gpg"), "-d", "known"]) == 0
    finally:
        stop()
    assert f"Signed by: {ADA}" in capsys.readouterr().out
    assert (tmp_path / "known" / "web" / "Chart.yaml").exists()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(ADA, tmp_path_factory.mktemp("own"))


def test_a_key_made_here_signs_and_verifies_and_gnupg_takes_it(
    source: Path, tmp_path: Path, own: Key, keys: Path, backend: str
) -> None:
    made = Chart(source, with_backend=backend).package(tmp_path / "signed", signing=own.signing)
    assert Chart(made, with_backend=backend).verify(own.public).signed_by == (ADA,)
    with pytest.raises(ChartError, match="whose key is not among these"):
        Chart(made, with_backend=backend).verify(keys / "pubring.gpg")
    listed = gpg(keys, "--show-keys", "--with-colons", str(own.public)).decode()
    assert f":{ADA}:" in listed
    assert gpg(keys, "--list-packets", str(own.secret)).count(b"packet:") == 3


def test_a_key_s_secret_half_is_its_owner_s_alone_and_never_written_over(own: Key) -> None:
    assert own.secret.stat().st_mode & 0o077 == 0
    with pytest.raises(ChartError, match="there are keys already"):
        make_key("Eve", own.secret.parent)


def test_a_folder_keeps_one_owner_s_key(own: Key, tmp_path: Path) -> None:
    assert kept_key(ADA, own.secret.parent) == own
    with pytest.raises(ChartError, match="there are keys already"):
        kept_key("Eve", own.secret.parent)
    made = kept_key(ADA, tmp_path / "new")
    assert kept_key(ADA, tmp_path / "new") == made
    made.public.unlink()
    with pytest.raises(ChartError, match="there are keys already"):
        kept_key(ADA, tmp_path / "new")


def test_a_key_and_a_signature_on_the_command_line(source: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert frame.run(["chart", "keygen", ADA, "-d", "keys"]) == 0
    sign = ["chart", "package", str(source), "--sign", "--key", "Ada", "--keyring", "keys/secring.gpg"]
    assert frame.run(sign) == 0
    assert frame.run(["chart", "verify", "web-0.1.0.tgz", "--keyring", "keys/pubring.gpg"]) == 0
    assert f"Signed by: {ADA}" in capsys.readouterr().out
    assert frame.run(["chart", "keygen", " ", "-d", "none"]) == 1
    assert "wants its owner's name" in capsys.readouterr().err


def test_nobody_s_signature_is_none(source: Path, tmp_path: Path, backend: str) -> None:
    with pytest.raises(ChartError, match="not said with whose key") as caught:
        Chart(source, with_backend=backend).package(tmp_path, signing=Signing("", tmp_path / "secring.gpg"))
    assert "--key NAME" in caught.value.fix
