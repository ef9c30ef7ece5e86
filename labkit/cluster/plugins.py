"""The official ``kubernetes`` library, for what only it can do. Its import takes seconds, so it happens here.

Two things need it: kubeconfigs whose credential comes from a program or a login service (``exec``,
``auth-provider``), and trainees who want the official client.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labkit.cluster.access import Access


def api_client(files: Sequence[Path], access: Access) -> Any:
    """The official client (``kubernetes.client.ApiClient``) for the cluster of ``access``."""
    from kubernetes import client

    return client.ApiClient(_configuration(files, access))


def log_in(files: Sequence[Path], access: Access) -> tuple[Access, Callable[[], list[tuple[str, str]]]]:
    """Ask the access's plugin for a credential.

    Hands back the access with the certificate that it gave, if it gave one, and a function for the headers that
    renews a token that has expired.
    """
    configuration = _configuration(files, access)
    lock = threading.Lock()

    def headers() -> list[tuple[str, str]]:
        with lock:
            bearer = configuration.auth_settings().get("BearerToken", {}).get("value")
        return [*access.impersonate, *([("Authorization", str(bearer))] if bearer else [])]

    if not configuration.cert_file and not headers():
        raise _refused(access)

    certificate, key = (_text(path) for path in (configuration.cert_file, configuration.key_file))
    return replace(access, certificate=certificate, key=key), headers


def _configuration(files: Sequence[Path], access: Access) -> Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=os.pathsep.join(map(str, files)),
            context=access.name,
            client_configuration=configuration,
            persist_config=False,
        )
    except Exception as error:  # the plugin is any program, and the library raises what it meets
        raise _refused(access) from error
    if access.loopback:
        configuration.proxy = None
    return configuration


def _refused(access: Access) -> ClusterError:
    return ClusterError(
        f"no credential could be had from {access.plugin or 'this kubeconfig'!r}",
        where=f"{access.source}: the user of context {access.name}",
        fix=f"See that kubectl --context {access.name} get namespaces works, then try again.",
    )


def _text(path: str | None) -> str:
    return Path(path).read_text(encoding="ascii") if path else ""
