"""What the process environment says. No other module reads ``os.environ``."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def variable(name: str, default: str = "") -> str:
    """What ``LABKIT_<name>`` says."""
    return os.environ.get(f"LABKIT_{name}", default)


def debugging() -> bool:
    """Whether errors are shown with their traceback (``LABKIT_DEBUG=1``)."""
    return variable("DEBUG") not in ("", "0")


def plain_output() -> bool:
    """Whether the person asked for no colours (https://no-color.org) or has a terminal that knows none."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def proxy_variables() -> dict[str, str]:
    """The proxy variables that are set, by name; they hold a password at times, so show names only."""
    names = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    return {k: v for k, v in os.environ.items() if k.lower() in names and v}


def user_kubeconfig() -> Path:
    """The user's own kubeconfig, as kubectl finds it (the first file of ``KUBECONFIG``)."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(named).expanduser() if named else Path.home() / ".kube" / "config"


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for a process that the lab starts: ours, with ``changes``.

    Loopback never goes through a proxy, and a child finds this same labkit when it runs from a checkout.
    """
    environment = dict(os.environ)
    for name in ("no_proxy", "NO_PROXY"):
        known = environment.get(name, "")
        environment[name] = ",".join(filter(None, [known, "127.0.0.1,localhost"]))
    package = str(Path(__file__).resolve().parents[2])
    if package not in sys.path[1:]:
        paths = [package, environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment | {"PYTHONUTF8": "1"} | changes
