"""Who the command line speaks as: the lab's owner, unless somebody logged in or brought a token.

What `log_in` keeps is ``.lab/login.json`` (0600), like the contexts of ``argocd``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.lab.background import Background
from labkit.lab.service_client import ServiceClient
from labkit.settings import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.settings import Settings

JSON = dict[str, Any]


def log_in(settings: Settings, *, username: str = "", password: str = "", token: str = "") -> str:
    """Speak as that account from now on, by its password or by a token; returns the name. `Unauthorized`."""
    owner = Background(settings).client()
    if not token:
        answer = ServiceClient(owner.url, "").post(
            "/api/v1/session", {"username": username, "password": password}
        )
        token = str(answer["token"])
    name = str(ServiceClient(owner.url, token).get("/api/v1/session/userinfo")["username"])
    write_private(_file(settings), json.dumps({"username": name, "token": token}) + "\n")
    return name


def log_out(settings: Settings) -> str:
    """Speak as the owner again; returns who it was until now, empty if nobody."""
    name = str(_read(settings).get("username") or "")
    _file(settings).unlink(missing_ok=True)
    return name


def logged_in(settings: Settings) -> str:
    """The name of who is logged in; empty if nobody is."""
    return str(_read(settings).get("username") or "")


def remembered(settings: Settings) -> str:
    """The token of who is logged in; empty if nobody is."""
    return str(_read(settings).get("token") or "")


def _read(settings: Settings) -> JSON:
    try:
        found = json.loads(_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LabError(
            "what `labkit login` wrote cannot be read", where=str(_file(settings)), fix="labkit logout"
        ) from error
    return found if isinstance(found, dict) else {}


def _file(settings: Settings) -> Path:
    return settings.state / "login.json"
