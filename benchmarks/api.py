"""The sandbox's API over one TLS connection: single requests, a long list, a hundred watches, ten thousand objects.

Beside each stands a request that does nothing (``GET /livez``) on the same connection: what HTTP and TLS alone cost
on this machine at this moment.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row, Times, memory, show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIGS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"


class Connection:
    """One connection that stays open, and as little of a client as there can be."""

    def __init__(self, folder: Path) -> None:
        state = json.loads((folder / "sandbox.json").read_text(encoding="utf-8"))
        token = (folder / "token").read_text(encoding="ascii").strip()
        self._headers = {"Authorization": f"Bearer {token}"}
        context = ssl.create_default_context(cafile=folder / "tls" / "ca.crt")
        self._http = http.client.HTTPSConnection("127.0.0.1", state["port"], context=context, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        data = self.fetch(method, path, body, kind)
        return json.loads(data) if data.startswith(b"{") else data

    def fetch(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> bytes:
        """The answer to its last byte; reading it as JSON is the client's own affair, and takes this one longer."""
        headers = self._headers | ({"Content-Type": kind} if body is not None else {})
        text = json.dumps(body) if body is not None else None
        self._http.request(method, path, text, headers)
        answer = self._http.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]!r}")
        return data

    def lines(self, path: str) -> Iterator[bytes]:
        """A watch: its lines as they come."""
        self._http.request("GET", path, headers=self._headers)
        answer = self._http.getresponse()
        while line := answer.readline():
            yield line

    def close(self) -> None:
        self._http.close()


def rows(folder: Path, tries: int) -> list[Row]:
    folder.mkdir(parents=True, exist_ok=True)
    with _sandbox(folder / "api") as (cluster, process):
        connection = Connection(cluster)
        nothing = _each(lambda _n: connection.ask("GET", "/livez"), 100 * tries)
        beside = f"GET /livez {_fine(nothing.median)}"
        found = [
            Row(what, _fine(times.median), beside, times.median / nothing.median, target)
            for what, times, target in _requests(connection, 60 * tries)
        ]
        found.append(_watches(connection, cluster, tries))
        found += _many(connection, process, 10_000 if tries > 1 else 200)
        connection.close()
    return [*found, _rollout(folder / "fast", replicas=100 if tries > 1 else 5)]


def _requests(connection: Connection, count: int) -> Iterator[tuple[str, Times, str]]:
    def config(number: int) -> dict[str, Any]:
        return {"metadata": {"name": f"config-{number}"}, "data": {"number": str(number), "colour": "blue"}}

    yield "API: create", _each(lambda n: connection.fetch("POST", CONFIGS, config(n)), count), "≤ 1.0 ms"
    yield "API: get", _each(lambda n: connection.fetch("GET", f"{CONFIGS}/config-{n}"), count), "≤ 0.6 ms"
    yield (
        "API: merge patch",
        _each(
            lambda n: connection.fetch("PATCH", f"{CONFIGS}/config-{n}", {"data": {"colour": "red"}}, MERGE),
            count,
        ),
        "≤ 1.0 ms",
    )
    yield (
        "API: delete",
        _each(lambda n: connection.fetch("DELETE", f"{CONFIGS}/config-{n}"), count),
        "≤ 1.0 ms",
    )
    for number in range(1000):
        connection.ask("POST", CONFIGS, config(number))
    yield "API: list of 1,000", _each(lambda _n: connection.fetch("GET", CONFIGS), 10), "≤ 5 ms"


def _watches(connection: Connection, cluster: Path, tries: int) -> Row:
    """From a create's answer until the last of the open watches has told of it."""
    count, seen = 100 if tries > 1 else 5, []
    version = connection.ask("GET", f"{CONFIGS}?limit=1")["metadata"]["resourceVersion"]
    ready, told = threading.Barrier(count + 1), threading.Barrier(count + 1)
    watching = [Connection(cluster) for _ in range(count)]

    def watch(one: Connection) -> None:
        ready.wait()
        events = one.lines(f"{CONFIGS}?watch=1&resourceVersion={version}")
        for _ in range(tries + 1):
            next(events)
            told.wait()

    threads = [threading.Thread(target=watch, args=(one,), daemon=True) for one in watching]
    for thread in threads:
        thread.start()
    ready.wait()
    for number in range(tries + 1):
        connection.ask("POST", CONFIGS, {"metadata": {"name": f"seen-{number}"}})
        began = time.perf_counter()
        told.wait()
        seen.append(time.perf_counter() - began)
    for thread in threads:
        thread.join()
    for one in watching:
        one.close()
    times = Times(tuple(seen[1:]))  # with the first the connections were made
    one_get = _each(lambda _n: connection.ask("GET", f"{CONFIGS}/seen-0"), 50)
    what = f"an event reaches {count} watches"
    return Row(
        what,
        _fine(times.median),
        f"one get {_fine(one_get.median)}",
        times.median / one_get.median,
        "< 50 ms",
    )


def _many(connection: Connection, process: int, count: int) -> list[Row]:
    """What a get costs, and how much memory there is, with many objects beside."""
    few = _each(lambda _n: connection.ask("GET", f"{CONFIGS}/config-1"), 200)
    before = memory(process)
    for number in range(count):
        body = {"metadata": {"name": f"many-{number}"}, "data": {"text": "x" * 200}}
        connection.ask("POST", CONFIGS, body)
    among = _each(lambda _n: connection.ask("GET", f"{CONFIGS}/config-1"), 200)
    grown = memory(process) - before
    return [
        Row(
            f"API: get among {count:,}",
            _fine(among.median),
            "among 1,000",
            among.median / few.median,
            "as before",
        ),
        Row(
            f"memory of {count:,} objects",
            f"{grown / 2**20:.0f} MB",
            f"{grown / count / 1024:.1f} kB each",
            grown / before,
            "linear",
        ),
    ]


def _rollout(folder: Path, replicas: int) -> Row:
    """A Deployment becomes ready while the clock runs thirty times as fast."""
    with _sandbox(folder, "--clock-speed", "30") as (cluster, _):
        connection = Connection(cluster)
        path = "/apis/apps/v1/namespaces/default/deployments"
        pod = {"containers": [{"name": "web", "image": "nginx:1.27"}]}
        labels = {"app": "web"}

        def ready(name: str, count: int) -> float:
            spec = {
                "replicas": count,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {**labels, "app": name}}, "spec": pod},
            }
            began = time.perf_counter()
            connection.ask("POST", path, {"metadata": {"name": name}, "spec": spec})
            while (connection.ask("GET", f"{path}/{name}")["status"].get("readyReplicas") or 0) < count:
                time.sleep(0.02)
            return time.perf_counter() - began

        one, all_ = ready("one", 1), ready("all", replicas)
        connection.close()
    what = f"a Deployment of {replicas} is ready, at 30 × the clock"
    return Row(what, show(all_), f"of 1: {show(one)}", all_ / one, "< 2 s")


@contextmanager
def _sandbox(folder: Path, *options: str) -> Iterator[tuple[Path, int]]:
    """A sandbox's folder and process, for as long as it is needed."""
    command = [sys.executable, "-m", "labkit.sandbox", "--dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not (folder / "sandbox.json").exists():
                if process.poll() is not None:
                    raise RuntimeError("the sandbox ended before it was ready")
                time.sleep(0.01)
            yield folder, process.pid
        finally:
            process.terminate()


def _each(action: Any, count: int) -> Times:
    found = []
    for number in range(count):
        began = time.perf_counter()
        action(number)
        found.append(time.perf_counter() - began)
    return Times(tuple(found))


def _fine(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
