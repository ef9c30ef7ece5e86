"""TLS for one cluster: an authority of its own, and a certificate for the loopback address.

Made once, when the cluster's folder has none; the library that makes them takes 0.1 s to import and is not loaded
otherwise.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from labkit.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_DAYS = 3650
_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_ADDRESSES = ("127.0.0.1", "::1", "10.96.0.1")


@dataclass(frozen=True)
class Tls:
    """Where the files are.  The keys are readable by their owner only."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def authority_pem(self) -> str:
        """The authority's certificate, for clients."""
        return self.authority.read_text(encoding="ascii")


def ensure(folder: Path) -> Tls:
    """The cluster's certificates, made if need be.  Raises `SettingsError` if the folder cannot be written."""
    tls = Tls(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    if not all(path.exists() for path in (tls.authority, tls.certificate, tls.key)):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(tls)
        except OSError as error:
            raise SettingsError(
                f"the cluster's certificates could not be written: {error.strerror}",
                where=str(folder),
                fix="make the folder writable, and room on the disk",
            ) from error
    return tls


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.touch(mode=0o600)
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)


def _make(tls: Tls) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.now(UTC)

    def name(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def builder(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("gitops-lab-sandbox-ca"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=_DAYS))
        )

    def usage(*, authority: bool) -> x509.KeyUsage:
        off = dict.fromkeys(
            ("content_commitment", "data_encipherment", "encipher_only", "decipher_only"), False
        )
        return x509.KeyUsage(
            digital_signature=True,
            key_encipherment=not authority,
            key_agreement=False,
            key_cert_sign=authority,
            crl_sign=authority,
            **off,
        )

    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        builder("gitops-lab-sandbox-ca", authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(authority=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    alternatives = [x509.DNSName(text) for text in _NAMES]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in _ADDRESSES]
    certificate = (
        builder("kube-apiserver", key)
        .add_extension(x509.SubjectAlternativeName([*alternatives, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(tls.key, private.decode("ascii"))
    write_private(tls.certificate, certificate.public_bytes(pem).decode("ascii"))
    write_private(tls.authority, authority.public_bytes(pem).decode("ascii"))
