from __future__ import annotations

import json
import socket

import pytest

from labkit.lab import doctor
from labkit.settings import Settings


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.delenv("LABKIT_HOME", raising=False)
    return Settings.create(tmp_path)


def found(lab: Settings, name: str) -> doctor.Finding:
    return next(f for f in doctor.examine(lab) if f.name == name)


def test_everything_required_is_here(lab):
    assert [f for f in doctor.examine(lab) if f.required and not f.ok] == []


def test_every_finding_that_is_not_well_has_its_fix(lab, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = doctor.examine(lab)
    bad = [f for f in findings if not f.ok]
    assert {"git", "kubectl", "docker", "kind"} <= {f.name for f in bad}
    assert all(f.fix for f in bad)
    assert found(lab, "git").required
    assert not found(lab, "docker").required


def test_a_proxy_that_would_be_asked_for_loopback_is_noticed_and_its_password_not_shown(lab, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://me:hunter2@proxy:3128")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    finding = found(lab, "proxy")
    assert not finding.ok
    assert "export no_proxy" in finding.fix
    assert "hunter2" not in json.dumps(finding.to_json())
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert found(lab, "proxy").ok


def test_a_port_of_last_time_that_is_taken_now_is_noticed(lab):
    with socket.create_server(("127.0.0.1", 0)) as server:
        lab.remember(port=server.getsockname()[1])
        finding = found(lab, "ports")
    assert not finding.ok
    assert not finding.required


def test_too_little_disk_fails(lab, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED_MEGABYTES", 10**12)
    finding = found(lab, "disk")
    assert not finding.ok
    assert finding.required


def test_a_git_that_is_too_old_fails(lab, monkeypatch):
    monkeypatch.setattr(doctor, "GIT", (99, 0))
    assert "older than 99.0" in found(lab, "git").seen
