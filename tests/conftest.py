"""For all tests: they see Git as on a machine where nobody has said who they are."""

from __future__ import annotations

import os

# What a person has in ~/.gitconfig (a name, a template, a hook) is nobody's business here; children inherit it.
os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
