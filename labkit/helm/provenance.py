"""What went wrong with a signature, in words that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import ChartError

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.helm.backend import Refused, Signing

EXPORT = "GnuPG keeps its keys in another form: export them, gpg --export > pubring.gpg"
EXPORT_OWN = "GnuPG keeps its keys in another form: export them, gpg --export-secret-keys > secring.gpg"


def signing_error(refused: Refused, where: str, signing: Signing | None) -> ChartError:
    """Why a chart was not packaged, or not signed."""
    if signing is None:
        return ChartError(refused.words, where=where, fix="mend the chart first")
    return ChartError(
        f"the chart was not signed: {refused.words}", where=str(signing.keyring), fix=EXPORT_OWN
    )


def nobody_signs(signing: Signing) -> ChartError:
    """What is missing where a chart is to be signed, and nobody is named."""
    return ChartError(
        "it is not said with whose key to sign",
        where=str(signing.keyring),
        fix="--key NAME: a part of the owner's name; labkit chart keygen makes a key to try it with",
    )


def verification_error(refused: Refused, archive: Path, keyring: Path) -> ChartError:
    """Why a signature was not accepted."""
    words = refused.words
    proof = archive.with_name(f"{archive.name}.prov")
    if not proof.exists():
        return ChartError(
            "the chart has no provenance file, so nobody vouches for it",
            where=str(proof),
            fix="fetch it with the chart: labkit chart pull --prov; or have it signed: labkit chart package --sign",
        )
    if not keyring.exists():
        return ChartError("there is no such file of public keys", where=str(keyring), fix=EXPORT)
    if "sha256 sum does not match" in words:
        return ChartError(
            "the archive is not the one that was signed: it was changed since",
            where=str(archive),
            fix="do not use it; fetch it again, from its author",
        )
    if "unknown entity" in words or "unknown issuer" in words:
        return ChartError(
            "it is signed by somebody whose key is not among these", where=str(keyring), fix=EXPORT
        )
    return ChartError(
        f"the signature does not hold: {words}",
        where=str(proof),
        fix="fetch both files again, from their author",
    )
