"""How long things take on a node, in seconds of the clock: one table, to be turned for lessons and tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """The waits of a node. Fast ones, by default: a small pod runs within 0.3 s of its placement."""

    network: float = 0.04
    """Until a pod has an address and its volumes."""
    resolve: float = 0.03
    """Until a registry has answered what a tag is, also if the answer is no."""
    megabytes_per_second: float = 200.0
    """What a pull brings in; an image that is on the node need not be pulled again."""
    slowest_pull: float = 2.0
    create: float = 0.03
    """From the image to the running container."""
    look_again: float = 1.0
    """From an error to the back-off that it leads to."""
    mount_retry: float = 2.0
    first_backoff: float = 10.0
    """Before a failed container is restarted, or an image is pulled again; doubles each time."""
    longest_backoff: float = 300.0
    backoff_forgotten: float = 600.0
    """A container that ran for so long begins its back-off anew."""
    heartbeat: float = 300.0
    lease: float = 10.0

    def pull(self, size: int) -> float:
        """How long an image of that many bytes takes."""
        return self.resolve + min(self.slowest_pull, size / 1e6 / self.megabytes_per_second)

    def backoff(self, failures: int) -> float:
        """The wait after so many failures in a row (from 1 on)."""
        return min(self.longest_backoff, self.first_backoff * 2.0 ** min(failures - 1, 20))
