"""Where the Git host is, now and before.

Repository URLs hold the port, and Applications hold repository URLs. So the lab keeps its port for life if
it can. Should another program have taken it, the lab moves, and the URLs of before stay good: the controller
reads them as what they are called now, and the working copies in ``work/`` are pointed to the new place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from labkit.service.ports import HOST

if TYPE_CHECKING:
    from labkit.settings import Settings

TRAINEE = "trainee"
_KEPT = 10


@dataclass(frozen=True)
class Address:
    """The service's port, and the ports it had before."""

    port: int
    earlier: tuple[int, ...] = ()

    @property
    def base(self) -> str:
        """The service's URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def git(self) -> str:
        """What all repository URLs begin with."""
        return f"{self.base}/git/"

    def repository(self, name: str) -> str:
        """The repository's URL, without a credential."""
        return f"{self.git}{quote(name)}.git"

    def clone_url(self, name: str, token: str) -> str:
        """The repository's URL with the trainee's credential, for plain ``git clone``."""
        return self.repository(name).replace("://", f"://{TRAINEE}:{quote(token, safe='')}@", 1)

    def current(self, url: str) -> str:
        """``url`` as it is called now, if it is one of the lab's from before; else as it is."""
        found = _LAB_URL.match(url)
        if found and int(found["port"]) in self.earlier:
            return f"{found['before']}{HOST}:{self.port}{url[found.end() - len('/git/') :]}"
        return url

    def aliases(self, url: str) -> list[str]:
        """All names that ``url``, one of the lab's, has had; today's first."""
        return [url, *(url.replace(self.git, f"http://{HOST}:{old}/git/", 1) for old in self.earlier)]


_LAB_URL = re.compile(r"(?P<before>https?://(?:[^/@]*@)?)(?:127\.0\.0\.1|localhost):(?P<port>\d+)/git/")


def settle(settings: Settings, port: int) -> tuple[Address, str]:
    """Remember ``port`` as the lab's; also returns what the person must be told, if it has changed."""
    known = settings.remembered()
    before = known.get("port")
    earlier = [p for p in known.get("earlier_ports", []) if p != port]
    if before in (None, port):
        notice = ""
    else:
        earlier = [before, *(p for p in earlier if p != before)][:_KEPT]
        notice = (
            f"port {before} is another program's now, so the Git host moved to {port}. Applications that name "
            f"the old address go on working; a clone of yours needs: git remote set-url origin URL "
            f"(labkit repo list -o wide). Those in {settings.work} are done."
        )
    settings.remember(port=port, earlier_ports=earlier)
    address = Address(port, tuple(earlier))
    if notice:
        _repoint(settings, address)
    return address, notice


def _repoint(settings: Settings, address: Address) -> None:
    for config in settings.work.glob("*/.git/config"):
        lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
        moved = [_LAB_URL_IN_LINE.sub(lambda m: address.current(m[0]), line) for line in lines]
        if moved != lines:
            config.write_text("".join(moved), encoding="utf-8", newline="\n")


_LAB_URL_IN_LINE = re.compile(r"https?://(?:[^/@\s]*@)?(?:127\.0\.0\.1|localhost):\d+/git/\S*")
