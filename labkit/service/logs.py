"""The service's log: one file in the lab folder, rotated, and never with a secret in it."""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ROTATE_BYTES = 2_000_000
KEEP = 2
_CREDENTIAL_IN_URL = re.compile(r"(\w+://)[^/\s@]+@")
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+")


class Redaction(logging.Formatter):
    """Formats a record, then takes out what must not be read: known secrets, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        """The line(s) for ``record``, traceback included."""
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "****")
        return _AUTHORIZATION.sub(r"\1 ****", _CREDENTIAL_IN_URL.sub(r"\1****@", text))


class ServiceLog(logging.handlers.RotatingFileHandler):
    """The log file; what a child or a crash writes to standard error follows it when it is rotated."""

    def doRollover(self) -> None:  # noqa: N802  (logging's name)
        """Start a new file, keep `KEEP` old ones."""
        super().doRollover()
        self.take_standard_error()

    def take_standard_error(self) -> None:
        """Point file descriptor 2 at the log."""
        if self.stream is not None:
            os.dup2(self.stream.fileno(), 2)


def configure(path: Path, secrets: Iterable[str], *, level: int = logging.INFO) -> ServiceLog:
    """Send everything that is logged in this process to ``path``; to be closed by `logging.shutdown`."""
    handler = ServiceLog(path, maxBytes=ROTATE_BYTES, backupCount=KEEP, encoding="utf-8")
    handler.setFormatter(Redaction(secrets))
    if os.name == "posix":
        path.chmod(0o600)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # it tells of every retry while a cluster starts
    logging.getLogger("casbin").setLevel(logging.WARNING)  # it tells its model each time that it reads one
    logging.raiseExceptions = False  # a full disk must not end the service for want of a log line
    return handler
