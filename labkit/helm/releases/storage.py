"""What Helm writes into the cluster: a Secret for each revision, and what is in it (``pkg/storage/driver``)."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import TYPE_CHECKING, Any

from labkit.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPE = "helm.sh/release.v1"
MOST_BYTES = 64 * 2**20


def open_secret(secret: Mapping[str, Any]) -> dict[str, Any]:
    """The release in a Secret of type ``helm.sh/release.v1``: its chart, values, manifest and history's line.

    The field ``release`` is base64, as in each Secret, of base64 of gzip of JSON.
    """
    name = (secret.get("metadata") or {}).get("name", "")
    if secret.get("type") != TYPE:
        raise ReleaseError(
            f"this Secret is no release: its type is {secret.get('type')!r}, not {TYPE!r}",
            where=f"Secret {name}",
            fix="Helm's are named sh.helm.release.v1.NAME.vREVISION",
        )
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"], validate=True), validate=True)
        inflater = zlib.decompressobj(wbits=31)
        found = json.loads(inflater.decompress(packed, MOST_BYTES))
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error):
        raise ReleaseError(
            "the release in this Secret is damaged", where=f"Secret {name}", fix="Helm cannot read it either"
        ) from None
    return dict(found)
