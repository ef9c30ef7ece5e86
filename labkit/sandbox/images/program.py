"""What a container does, without doing it: the base of all images' classes.

The node that hosts a container makes its `Setting`, starts the `Program` and steps ``run()``: each ``yield`` says for
how many seconds nothing happens, the generator's return value is the exit code. Between two steps the program may be
asked over HTTP, or told to end. A program never waits, never touches the host,
and knows the time only from its setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from labkit.sandbox.images.http import Answer, Network, NoNetwork, Request
from labkit.sandbox.images.meter import Meter

if TYPE_CHECKING:
    from labkit.sandbox.images.names import ImageName

FOREVER = math.inf

Run = Generator[float, None, int]
"""Yields the seconds until something happens next (`FOREVER`: never by itself); returns the exit code."""

Log = Callable[[str], None]
SIGTERM_EXIT, SIGKILL_EXIT = 143, 137

_STANDSTILL = datetime(2030, 1, 1, tzinfo=UTC)


class Usage(NamedTuple):
    """What a container uses just now: thousandths of a processor, and MiB of memory."""

    millicores: int
    mebibytes: int


@dataclass(frozen=True)
class Setting:
    """What a container is started with."""

    image: ImageName
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Path → text, of mounted ConfigMaps and Secrets."""
    ports: tuple[int, ...] = ()
    """Those that the manifest declares."""
    host_name: str = ""
    pod_name: str = ""
    namespace: str = ""
    ip: str = ""
    ends: bool = False
    """Whether it is expected to end: in a Job, or before the other containers."""
    restarts: int = 0
    """How often the container was started before."""
    now: Callable[[], datetime] = lambda: _STANDSTILL
    """The cluster's time of day."""
    network: Network = field(default_factory=NoNetwork)
    """Whom the container can ask."""

    @property
    def words(self) -> tuple[str, ...]:
        """The whole command line that the manifest gives."""
        return (*self.command, *self.args)


class Program:
    """One container's life. Subclasses say what is special about their image.

    ``log`` writes a line; ``wake`` tells the node that something changed between two yields (see `end`).
    """

    listens: ClassVar[tuple[int, ...]] = ()
    """The ports that the image listens on, whatever the manifest declares."""
    millicores: ClassVar[int] = 1
    mebibytes: ClassVar[int] = 10
    """What it uses when nothing is asked of it."""
    request_seconds: float = 0.001
    """The processor time that an answer costs."""

    def __init__(self, setting: Setting, log: Log, wake: Callable[[], None] = lambda: None) -> None:
        self.setting, self.log, self._wake = setting, log, wake
        self.exit_code: int | None = None
        self.meter = Meter(setting.now)

    def run(self) -> Run:
        """What it does, in time. The default does nothing, for ever; where it is expected to end, it soon does."""
        if self.setting.ends:
            yield 1.0
            return 0
        yield FOREVER
        return 0

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports it listens on now."""
        return self.listens

    def serve(self, request: Request) -> Answer:
        """Answer a request of somebody else than the kubelet: it costs processor time."""
        self.meter.add(self.request_seconds * request.times)
        return self.http(request)

    def http(self, request: Request) -> Answer:  # noqa: ARG002 - for those who listen
        """Answer a request to one of the ports."""
        return Answer.text("404 page not found\n", 404)

    def exec(self, command: tuple[str, ...]) -> tuple[int, str]:
        """What a command in the container would return and print; used by probes. Unknown ones succeed."""
        from labkit.sandbox.images import shell

        return shell.quick(command, self.setting)

    def terminate(self) -> tuple[float, int]:
        """How it takes SIGTERM: the seconds until it ends (`FOREVER`: it does not listen) and the exit code."""
        return 0.1, 0

    def usage(self) -> Usage:
        """What it uses just now."""
        return Usage(self.millicores + round(self.meter.cores * 1000), self.mebibytes)

    def end(self, code: int) -> None:
        """End now, by itself."""
        self.exit_code = code
        self._wake()
