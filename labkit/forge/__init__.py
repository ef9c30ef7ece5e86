"""The lab's Git host: where a trainee pushes, and where the controller fetches from.

GitOps needs a place that everybody pushes to and a controller can ask. This one is a folder of ordinary bare
repositories, served over smart HTTP by Git's own ``git http-backend``, so a plain ``git clone`` and
``git push`` work on it. What the forge adds is what a host adds: names, a credential, and the news of a push,
in GitHub's words, to whoever wants to act on it.

Packaged charts have their places here, too: an OCI registry, and folders served as HTTP chart repositories.
"""

from labkit.forge.charts import chart_apps
from labkit.forge.events import PushEvent
from labkit.forge.pull import Check, PullRequest
from labkit.forge.pulls import Pulls
from labkit.forge.repositories import Forge, Repo
from labkit.forge.server import ForgeApp, app
from labkit.forge.webhook import Delivery, send_webhook

__all__ = [
    "Check",
    "Delivery",
    "Forge",
    "ForgeApp",
    "PullRequest",
    "Pulls",
    "PushEvent",
    "Repo",
    "app",
    "chart_apps",
    "send_webhook",
]
