"""GitPython's view of a working copy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from labkit.git import WorkingCopy


def test_a_working_copy_hands_out_gitpythons_repository(tmp_path: Path) -> None:
    copy = WorkingCopy.init(tmp_path / "web")
    (copy.path / "values.yaml").write_text("replicas: 2\n", encoding="utf-8")
    commit = copy.add().commit("Two replicas")
    with copy.repo as repo:
        assert repo.head.commit.hexsha == commit.sha
        assert repo.head.commit.message.strip() == "Two replicas"


def test_nobody_else_pays_for_its_import() -> None:
    look = "import sys, labkit.git, labkit.lab; sys.exit('git' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
