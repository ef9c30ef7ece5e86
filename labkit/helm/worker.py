"""The process that renders, so that a chart can exhaust it and not us.

Run as a program (``python -P worker.py``), never imported by the lab: it holds Helm's own Go library, about
70 MB, and a template is a program that its author chose. Requests come on standard input and answers leave on
standard output, each a 4-byte big-endian length and that much JSON. A thread watches the time, the memory and
the idleness, also while Go is busy: it says which limit was met and ends the process. ``workers.py`` is the
other end.

It must work from a bare interpreter: nothing of labkit is imported here.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tarfile
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable

Message = dict[str, Any]

KEPT_CHARTS = 8
WATCH_SECONDS = 0.01
RETIRES_AT = (
    256 * 2**20
)  # Go gives memory back slowly, and macOS counts the most ever held: better a fresh process
ADDRESS_SLACK = 192 * 2**20  # what Go maps in one step, beside what it uses


def resident_bytes() -> int:
    """The memory that this process holds now; on macOS, the most that it ever held (it is told nothing else)."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        held = pages * os.sysconf("SC_PAGE_SIZE")
    elif sys.platform == "win32":
        held = _windows_working_set()
    else:
        import resource

        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held


def _windows_working_set() -> int:
    import ctypes

    class Counters(ctypes.Structure):  # PROCESS_MEMORY_COUNTERS
        _fields_ = (
            ("cb", ctypes.c_uint32),
            ("page_faults", ctypes.c_uint32),
            ("peak_working_set", ctypes.c_size_t),
            ("working_set", ctypes.c_size_t),
            ("rest", ctypes.c_size_t * 6),
        )

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it, and its type
    kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(-1), ctypes.byref(counters), counters.cb)
    return int(counters.working_set)


class Wall:
    """A second limit on memory, kept by the system where it can (Linux): Go aborts when it meets it."""

    def __init__(self) -> None:
        self.base = 0
        if sys.platform == "linux":
            lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
            self.base = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))

    def set(self, megabytes: int) -> None:
        """Let the process map ``megabytes`` more than it had when it started."""
        if sys.platform == "linux":
            import resource

            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (self.base + megabytes * 2**20 + ADDRESS_SLACK, hard))


class Channel:
    """Frames in and out; an answer is written whole, by whichever thread has one first."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self.source, self.sink = source, sink
        self.lock = threading.Lock()

    def read(self) -> Message | None:
        """The next request, or None when the other end is gone."""
        head = self.source.read(4)
        if len(head) < 4:
            return None
        request: Message = json.loads(self.source.read(int.from_bytes(head, "big")))
        return request

    def write(self, message: Message) -> None:
        """Send one answer."""
        body = json.dumps(message).encode()
        with self.lock:
            self.sink.write(len(body).to_bytes(4, "big") + body)
            self.sink.flush()


class Watch:
    """Ends the process when a request takes too much, or when none has come for a while."""

    def __init__(self, channel: Channel, idle_seconds: float) -> None:
        self.channel, self.idle_seconds = channel, idle_seconds
        self.deadline = self.ceiling = 0.0
        self.quiet_since = time.monotonic()
        self.busy = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="watch").start()

    def start(self, seconds: float, megabytes: int) -> None:
        """A request begins; it has this much."""
        self.deadline = time.monotonic() + seconds
        self.ceiling = float(megabytes * 2**20)
        self.busy.set()

    def stop(self) -> None:
        """The request is over."""
        self.quiet_since = time.monotonic()
        self.busy.clear()

    def _run(self) -> None:
        while True:
            if not self.busy.wait(timeout=1.0):
                if time.monotonic() - self.quiet_since > self.idle_seconds:
                    os._exit(0)
                continue
            if resident_bytes() > self.ceiling:
                self._end("memory")
            if time.monotonic() > self.deadline:
                self._end("time")
            time.sleep(WATCH_SECONDS)

    def _end(self, limit: str) -> None:
        with contextlib.suppress(OSError):
            self.channel.write({"limit": limit})
        os._exit(3)


class Helm:
    """The requests, each a method: what Helm's library does, as plain data."""

    def __init__(self) -> None:
        import helm_python
        from helm_python import _native

        self.sdk, self.native = helm_python, _native
        self.charts: OrderedDict[str, Any] = OrderedDict()

    def hello(self, _: Message) -> Message:
        """Which Helm this is."""
        return {"version": self.native.helm_sdk_version()}

    def chart(self, request: Message) -> Any:
        """The chart that a request is about, loaded once: by its digest, or from the folder it is staged in."""
        digest: str = request["chart"]
        if digest not in self.charts:
            self.charts[digest] = self.sdk.Chart.load(request["path"])
            if len(self.charts) > KEPT_CHARTS:
                self.charts.popitem(last=False)[1].close()
        self.charts.move_to_end(digest)
        return self.charts[digest]

    def render(self, request: Message) -> Message:
        """Every template's output by its name, and the files of ``crds/``.

        Helm renders a chart with subcharts by changing it: it takes out those that a condition or a tag turns
        off, and writes imported values into it. So such a chart serves one render and is loaded anew for the next.
        """
        chart = self.chart(request)
        used_up = bool(chart.dependencies)
        try:
            return self._rendered(chart, request)
        finally:
            if used_up:
                self.charts.pop(request["chart"]).close()

    def _rendered(self, chart: Any, request: Message) -> Message:
        options = {key: value for key, value in request["options"].items() if value}
        values = json.dumps(request["values"])
        # The library knows more options (kube_version, api_versions, skip_schema_validation) than the
        # Python wrapper's render() passes on; what it does not know it refuses by name.
        files = json.loads(self.native.call_string("helm_render", chart._raw(), values, json.dumps(options)))
        crds = [{"path": crd["filename"], "text": crd["data"]} for crd in chart.crds]
        return {"files": files, "crds": crds}

    def accepts(self, request: Message) -> Message:
        """Whether a chart's ``kubeVersion`` lets it onto a cluster; Helm's own rule decides.

        Only installing applies that rule, so a chart that is nothing but the constraint is "installed" into
        memory, dry.
        """
        constraint = {"apiVersion": "v2", "name": "constraint", "version": "0.1.0"}
        with (
            self.sdk.Chart.load_archive(
                _archive(constraint | {"kubeVersion": request["constraint"]})
            ) as chart,
            self.sdk.Config(storage_driver="memory", kube_apiserver="http://127.0.0.1:1") as config,
        ):
            options = {"dry_run": "client"} | {k: v for k, v in request["options"].items() if v}
            arguments = ("constraint", None, json.dumps(options))
            self.native.call_string(
                "helm_install", config._raw(), self.native.HANDLE(0), chart._raw(), None, *arguments
            )
        return {}

    def lint(self, request: Message) -> Message:
        """Helm's lint report of the chart in a folder."""
        options = {key: value for key, value in request["options"].items() if value}
        report: Message = self.sdk.lint(request["path"], request["values"], **options)
        return report

    def package(self, request: Message) -> Message:
        """Archive the chart in a folder."""
        return {"path": self.sdk.package(request["path"], destination=request["destination"])}

    def yaml(self, request: Message) -> Message:
        """A YAML document as data."""
        return {"value": self.sdk.values_from_yaml(request["text"])}

    def sign(self, request: Message) -> Message:
        """Sign an archive: its ``.prov`` file, beside it."""
        options = {name: request[name] for name in ("key", "keyring", "passphrase_file") if request.get(name)}
        return {"path": self.sdk.sign(request["path"], **options)}

    def verify(self, request: Message) -> Message:
        """Who signed an archive, and what it hashes to."""
        found: Message = self.sdk.verify(request["path"], request["keyring"])
        return found

    def release(self, request: Message) -> Any:
        """One action on a release in a cluster: Helm's own, with its options by their own names."""
        options = json.dumps({name: value for name, value in request["options"].items() if value})
        with self.sdk.Config(**request["cluster"]) as config:
            arguments: list[Any] = [config._raw()]
            if "values" in request:  # install and upgrade: no way to cancel, this chart, no reference to one
                arguments += [self.native.HANDLE(0), self.chart(request)._raw(), None]
            arguments += [request["name"]] if request["name"] else []
            arguments += [json.dumps(request["values"])] if "values" in request else []
            try:
                if request["action"] == "helm_rollback":
                    self.native.call_status("helm_rollback", *arguments, options)
                    return {}
                return json.loads(self.native.call_string(request["action"], *arguments, options))
            finally:
                if "values" in request:  # it was changed by being used
                    self.charts.pop(request["chart"]).close()


def _archive(metadata: Message) -> bytes:
    body = json.dumps(metadata).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        entry = tarfile.TarInfo(f"{metadata['name']}/Chart.yaml")
        entry.size = len(body)
        archive.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


def answer(helm: Helm, request: Message) -> Message:
    """One request's answer: ``{"ok": …}`` or ``{"error": Helm's words, "code": …}``."""
    operations: dict[str, Callable[[Message], Message]] = {
        "hello": helm.hello,
        "render": helm.render,
        "accepts": helm.accepts,
        "lint": helm.lint,
        "package": helm.package,
        "release": helm.release,
        "sign": helm.sign,
        "verify": helm.verify,
        "yaml": helm.yaml,
    }
    try:
        return {"ok": operations[request["operation"]](request)}
    except helm.sdk.HelmError as problem:
        return {"error": problem.detail, "code": int(problem.code or 0)}


def main() -> None:
    """Serve requests until the other end closes, a limit is met, or nobody asks for ``idle`` seconds."""
    channel = Channel(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
    for stream in (1, 2):
        os.dup2(log.fileno(), stream)  # the library's warnings are part of the answer, not of the terminal
    watch = Watch(channel, idle_seconds=float(sys.argv[1]))
    helm = Helm()
    wall = Wall()
    while (request := channel.read()) is not None:
        wall.set(request["megabytes"])
        watch.start(request["seconds"], request["megabytes"])
        message = answer(helm, request)
        message["warnings"] = _drain(log)
        message["charts"] = list(helm.charts)
        channel.write(message)
        watch.stop()
        if resident_bytes() > RETIRES_AT:
            return


def _drain(log: Any) -> list[str]:
    size = log.seek(0, os.SEEK_END)
    if not size:
        return []
    log.seek(0)
    text: bytes = log.read(64 * 1024)
    log.seek(0)
    log.truncate()
    return text.decode("utf-8", "replace").splitlines()


if __name__ == "__main__":
    main()
