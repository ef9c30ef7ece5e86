"""A trainee's kubeconfig may name a production cluster: nothing is written there before a person said yes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias

from labkit.errors import ConfirmationRequired

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.cluster.access import Access

Confirm: TypeAlias = "Callable[[str], bool]"

_agreed: set[str] = set()
_asking = threading.Lock()  # one question at a time, and not twice


def require(access: Access, action: str, confirm: Confirm | None) -> None:
    """Let ``action`` pass if the person agreed to writes to this cluster, now or earlier in this process.

    ``confirm`` gets the question and says whether the answer was yes. Raises `ConfirmationRequired` when it was
    not, or when there is nobody to ask.
    """
    with _asking:
        if access.server in _agreed:
            return
        question = f"{access.name} ({access.server}) is not the lab's own cluster. Write to it: {action}?"
        if confirm is not None and confirm(question):
            _agreed.add(access.server)
            return
    raise ConfirmationRequired(
        f"this is not the lab's own cluster, and nobody agreed to a write: {action}",
        where=f"cluster {access.name} ({access.server})",
        fix="Check that it is the cluster that you mean, then say yes when asked, or give --yes.",
    )
