"""Whether a certificate and a key belong together, in the words of Go's ``tls.X509KeyPair``."""

from __future__ import annotations

import base64
import re
from typing import Final

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)


def problem(certificate: str, key: str) -> str:
    """What is wrong with the pair (both in base64, as in a Secret); nothing if they match."""
    chain, secret = (base64.b64decode(text).decode(errors="replace") for text in (certificate, key))
    kinds = _BLOCK.findall(chain)
    if "CERTIFICATE" not in kinds:
        return _no_certificate(kinds)
    kinds = _BLOCK.findall(secret)
    if not any(kind == "PRIVATE KEY" or kind.endswith(" PRIVATE KEY") for kind in kinds):
        return _no_key(kinds)
    return _mismatch(chain, secret)


def _no_certificate(kinds: list[str]) -> str:
    if not kinds:
        return "tls: failed to find any PEM data in certificate input"
    if len(kinds) == 1 and kinds[0].endswith("PRIVATE KEY"):
        text = "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
        return f"{text}PEM inputs may have been switched"
    text = (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the '
    )
    return f"{text}following types: [{' '.join(kinds)}]"


def _no_key(kinds: list[str]) -> str:
    if not kinds:
        return "tls: failed to find any PEM data in key input"
    if kinds == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    text = 'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of '
    return f"{text}the following types: [{' '.join(kinds)}]"


def _mismatch(chain: str, secret: str) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        leaf = x509.load_pem_x509_certificate(chain.encode())
    except ValueError:
        return "x509: malformed certificate"
    try:
        private = serialization.load_pem_private_key(secret.encode(), None)
    except (ValueError, TypeError):
        return "tls: failed to parse private key"
    mine, theirs = private.public_key(), leaf.public_key()
    if type(mine) is not type(theirs):
        return "tls: private key type does not match public key type"
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return (
        ""
        if mine.public_bytes(*form) == theirs.public_bytes(*form)
        else "tls: private key does not match public key"
    )
