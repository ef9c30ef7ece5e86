"""Of several processes that could act on one cluster, one does: it holds a Lease, and renews it.

As client-go's leader election: whoever finds the Lease free, its own, or not renewed for its whole duration takes
it; the API server's check of the resource version decides between two who try at once. How old a renewal is is
measured by one's own clock from when it was seen, so that clocks which disagree do no harm.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from labkit.errors import ApiError, ClusterUnreachable
from labkit.k8s.objects import Object, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.runtime.client import ObjectClient
    from labkit.runtime.clock import Clock

log = logging.getLogger(__name__)

API_VERSION, KIND = "coordination.k8s.io/v1", "Lease"
DURATION_SECONDS = 15.0


class Election:
    """One candidate. ``identity`` is the same after a restart, so that a process takes up its own Lease at once."""

    def __init__(
        self,
        client: ObjectClient,
        clock: Clock,
        *,
        namespace: str,
        name: str,
        identity: str,
        on_change: Callable[[], object] = lambda: None,
        seconds: float = DURATION_SECONDS,
    ) -> None:
        self._client, self._clock, self._seconds = client, clock, seconds
        self._namespace, self._name, self._identity = namespace, name, identity
        self._on_change = on_change
        self._seen: tuple[str, float] = ("", 0.0)
        self._renewed = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="election", daemon=True)
        self.leading = False
        self.holder = ""
        """Who holds the Lease, as last seen."""

    def start(self) -> None:
        """Try once, then go on trying, or renewing, in the background."""
        self._round()
        self._thread.start()

    def stop(self) -> None:
        """Give the Lease back, if it is ours, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        if self.leading:
            self.leading = False
            try:
                lease = self._client.find(API_VERSION, KIND, self._name, self._namespace)
                if lease is not None and _holder(lease) == self._identity:
                    self._client.replace({**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
            except (ApiError, ClusterUnreachable) as error:
                log.info("the lease was not given back: %s", error)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._clock.sleep(self._seconds / 3, self._stop)
            if not self._stop.is_set():
                self._round()

    def _round(self) -> None:
        before, now = self.leading, self._clock.monotonic()
        try:
            self.leading = self._take(now)
            if self.leading:
                self._renewed = now
        except (ApiError, ClusterUnreachable) as error:
            log.debug("lease %s: %s", self._name, error)
            # Others may take it once its time is over: whoever cannot renew it acts no longer before that.
            self.leading = self.leading and now - self._renewed < self._seconds * 2 / 3
        if self.leading != before:
            log.info(
                "lease %s: %s", self._name, "mine" if self.leading else f"held by {self.holder or 'nobody'}"
            )
            self._on_change()

    def _take(self, now: float) -> bool:
        """Whether the Lease is ours after a try to take or renew it; raises `Conflict` where another was faster."""
        lease = self._client.find(API_VERSION, KIND, self._name, self._namespace)
        if lease is None:
            made = {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": self._spec({}),
            }
            self._client.create(made)
            self.holder = self._identity
            return True
        self.holder = _holder(lease)
        version = str(metadata(lease).get("resourceVersion"))
        if version != self._seen[0]:
            self._seen = (version, now)
        lasts = float((lease.get("spec") or {}).get("leaseDurationSeconds") or self._seconds)
        if self.holder not in {"", self._identity} and now - self._seen[1] < lasts:
            return False
        self._client.replace({**lease, "spec": self._spec(lease.get("spec") or {})})
        self.holder = self._identity
        return True

    def _spec(self, old: dict[str, Any]) -> dict[str, Any]:
        stamp = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        mine = old.get("holderIdentity") == self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._seconds) or 1,
            "acquireTime": old.get("acquireTime") if mine else stamp,
            "renewTime": stamp,
            "leaseTransitions": int(old.get("leaseTransitions") or 0) + (0 if mine or not old else 1),
        }


def _holder(lease: Object) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")
