"""The lab folder, and the process environment: what everything else is told, and nobody else looks up.

One lab folder is one seat. It holds what the trainee made, in plain sight, and what the lab must remember,
in ``.lab/``::

    notebooks/ charts/ work/          the trainee's own: lessons, charts, working copies
    .lab/lab.json                     format version, the cluster, the port that repository URLs name
    .lab/service.json                 pid, port and URL of the running service (0600)
    .lab/service.log                  what the service did; rotated, never a secret
    .lab/token  .lab/controller-token credentials of the trainee and of the controller (0600)
    .lab/kubeconfig                   works with plain kubectl (0600)
    .lab/clusters/<name>/             a sandbox cluster each
    .lab/repos/<name>.git             the Git host's bare repositories
    .lab/cache/                       may be deleted at any time

Only this module reads ``os.environ``. Only `lab`, `service` and `cli` know `Settings`; every other room is
handed plain paths and values, so that it can be used without a lab folder.
"""

from __future__ import annotations

from labkit.settings.environment import (
    child_environment,
    debugging,
    plain_output,
    proxy_variables,
    user_kubeconfig,
    variable,
)
from labkit.settings.files import explained, write_private
from labkit.settings.folder import DEFAULT_FOLDER, FORMAT, ServiceRecord, Settings, share
from labkit.settings.lock import FileLock

__all__ = [
    "DEFAULT_FOLDER",
    "FORMAT",
    "FileLock",
    "ServiceRecord",
    "Settings",
    "child_environment",
    "debugging",
    "explained",
    "plain_output",
    "proxy_variables",
    "share",
    "user_kubeconfig",
    "variable",
    "write_private",
]
