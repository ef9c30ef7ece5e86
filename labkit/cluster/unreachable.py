"""Why a server could not be reached, in words that tell what to do next.

A person at the first step of a lesson reads this; ``Connection refused`` is not enough for them.
"""

from __future__ import annotations

import errno
import ssl
from typing import TYPE_CHECKING

from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    SSLError,
    TimeoutError,  # noqa: A004  (urllib3's own)
)

if TYPE_CHECKING:
    from labkit.cluster.access import Access


def explain(error: Exception, access: Access, *, own: bool) -> tuple[str, str]:
    """What went wrong on the way to the server, and what to do about it."""
    source = access.source
    network = f"Check the network (a VPN?), and that the cluster in {source} still exists."
    if isinstance(error, SSLError):
        reason = next(
            (str(a.verify_message) for a in error.args if isinstance(a, ssl.SSLCertVerificationError)), ""
        )
        return (
            f"no trusted TLS connection{f' ({reason})' if reason else ''}",
            f"The cluster was made anew, or another server answers there: write {source} anew.",
        )
    if isinstance(error, ProxyError):
        return "the proxy in between does not answer", f"Check proxy-url in {source} and the proxy variables."
    if isinstance(error, NameResolutionError):
        return f"the host name {access.host!r} is not known", network
    if isinstance(error, TimeoutError) and not isinstance(error, (ConnectTimeoutError, NewConnectionError)):
        return "the API server did not answer in time", "Try again; if it stays so, look at the server's log."
    if own:
        return "the lab's cluster does not answer", "Start it: labkit up (labkit doctor tells more)."
    if _refused(error):
        return "nothing listens at the API server's address", network
    return "the API server cannot be reached", network


def _refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
            return True
        error = error.__cause__ or error.__context__
    return False
