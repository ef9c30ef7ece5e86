"""A key to sign charts with, made without GnuPG.

Helm signs with OpenPGP keys, in files as GnuPG exported them before it kept keys in another form. This writes the
smallest such key that Helm, GnuPG and Go's openpgp accept (RFC 4880: 5.5 key material, 5.11 user id, 5.2 the
signature with which a key says whose it is). It has no passphrase: it is for trying out what signing does, and who
signs for others keeps a key of their own in GnuPG.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from labkit.errors import ChartError
from labkit.helm.backend import Signing
from labkit.runtime.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.runtime.clock import Clock

BITS = 2048
_RSA, _SHA256 = 1, 8
_CERTIFIES_A_NAME = 0x13
_SECRET_KEY, _PUBLIC_KEY, _USER_ID, _SIGNATURE = 5, 6, 13, 2
_CREATED, _ISSUER, _HASHES, _FLAGS, _FINGERPRINT = 2, 16, 21, 27, 33


@dataclass(frozen=True)
class Key:
    """Whose it is, the file with the secret half, which stays with its owner, and the file for everybody else."""

    name: str
    secret: Path
    public: Path

    @property
    def signing(self) -> Signing:
        """What `Chart.package` wants of it."""
        return Signing(self.name, self.secret)


def make_key(name: str, folder: Path, clock: Clock | None = None) -> Key:
    """Make ``secring.gpg`` and ``pubring.gpg`` in a folder, for ``Ada <ada@example.org>``.

    `ChartError` if one is there already: nobody's key is written over.
    """
    key = Key(name, folder / "secring.gpg", folder / "pubring.gpg")
    if not name.strip() or not name.isprintable():
        raise ChartError("a key wants its owner's name", where=repr(name), fix='"Ada <ada@example.org>"')
    for file in (key.secret, key.public):
        if file.exists():
            raise ChartError(
                "there are keys already", where=str(file), fix="use them, or choose another folder"
            )
    public, secret = _halves(name, int((clock or SystemClock()).now().timestamp()))
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(key.secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
        sink.write(secret)
    key.public.write_bytes(public)
    return key


def kept_key(name: str, folder: Path, clock: Clock | None = None) -> Key:
    """The key that a folder keeps for ``name``; made, as `make_key` does, where there is none yet.

    `ChartError` if the folder's key is somebody else's.
    """
    key = Key(name, folder / "secring.gpg", folder / "pubring.gpg")
    halves = (key.secret, key.public)
    if all(file.exists() and name.encode() in file.read_bytes() for file in halves):
        return key
    return make_key(name, folder, clock)


def _halves(name: str, created: int) -> tuple[bytes, bytes]:
    """The public and the secret key as files have them: key, name, and the signature that joins the two."""
    rsa = generate_private_key(65537, BITS)
    own = rsa.private_numbers()
    shown = own.public_numbers
    public = b"\x04" + created.to_bytes(4, "big") + bytes([_RSA]) + _number(shown.n) + _number(shown.e)
    # RFC 4880, 5.5.3: u is the inverse of p modulo q, so what others call q comes first.
    numbers = b"".join(map(_number, (own.d, own.q, own.p, own.iqmp)))
    secret = public + b"\x00" + numbers + (sum(numbers) % 65536).to_bytes(2, "big")
    whose = name.encode()
    joined = _packet(_USER_ID, whose) + _packet(_SIGNATURE, _signed(rsa, public, whose, created))
    return _packet(_PUBLIC_KEY, public) + joined, _packet(_SECRET_KEY, secret) + joined


def _signed(rsa: RSAPrivateKey, public: bytes, whose: bytes, created: int) -> bytes:
    """The signature by which the key says that it is theirs, and that it may sign."""
    about = b"\x99" + len(public).to_bytes(2, "big") + public
    fingerprint = hashlib.sha1(about, usedforsecurity=False).digest()
    facts = b"".join(
        (
            _fact(_CREATED, created.to_bytes(4, "big")),
            _fact(_FLAGS, b"\x03"),
            _fact(_HASHES, bytes([_SHA256])),
            _fact(_FINGERPRINT, b"\x04" + fingerprint),
        )
    )
    head = bytes([4, _CERTIFIES_A_NAME, _RSA, _SHA256]) + len(facts).to_bytes(2, "big") + facts
    about += b"\xb4" + len(whose).to_bytes(4, "big") + whose
    about += head + b"\x04\xff" + len(head).to_bytes(4, "big")
    issuer = _fact(_ISSUER, fingerprint[-8:])
    made = int.from_bytes(rsa.sign(about, PKCS1v15(), SHA256()), "big")
    begin = hashlib.sha256(about).digest()[:2]
    return head + len(issuer).to_bytes(2, "big") + issuer + begin + _number(made)


def _number(value: int) -> bytes:
    """A number as OpenPGP writes it: how many bits, then the bytes."""
    bits = value.bit_length()
    return bits.to_bytes(2, "big") + value.to_bytes((bits + 7) // 8, "big")


def _fact(kind: int, content: bytes) -> bytes:
    """A part of a signature: its length, its kind, what it says."""
    return bytes([len(content) + 1, kind]) + content


def _packet(kind: int, content: bytes) -> bytes:
    """A packet of at most four gigabytes."""
    return bytes([0xC0 | kind, 0xFF]) + len(content).to_bytes(4, "big") + content
