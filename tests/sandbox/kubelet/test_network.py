"""Containers that ask others by a Service's name: what they hear, and what a shell says when nobody answers."""

from __future__ import annotations

import pytest
from simulation import pod

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}


@pytest.fixture
def asked(simulation):
    """Run one command in a Pod beside the Service ``web``, and give its exit code and its log."""
    web = pod("web", "gitops-lab/hello:1.0.0")
    web["metadata"]["labels"] = {"app": "web"}
    simulation.apply(web)
    simulation.apply(SERVICE)
    simulation.pass_time(5)

    def ask(*command, image="busybox:1.36"):
        asker = pod("asker", image)
        asker["spec"] |= {"restartPolicy": "Never"}
        asker["spec"]["containers"][0]["args"] = list(command)
        simulation.apply(asker)
        simulation.pass_time(6)
        found = simulation.get("Pod", "asker")
        ended = found["status"]["containerStatuses"][0]["state"]["terminated"]
        return ended["exitCode"], simulation.log("asker")

    return ask


@pytest.mark.parametrize(
    "host", ["web", "web.default", "web.default.svc", "web.default.svc.cluster.local:80"]
)
def test_a_service_answers_by_each_of_its_names(asked, host):
    code, said = asked("wget", "-qO-", f"http://{host}/version")
    assert (code, said) == (0, "1.0.0\n")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("wget", "-qO-", "wep"), 1, "wget: bad address 'wep'"),
        (
            ("wget", "-q", "-T", "5", "web:81"),
            1,
            "wget: can't connect to remote host (web): Connection refused",
        ),
        (("wget", "--spider", "web/no"), 1, "wget: server returned error: HTTP/1.1 404 Not Found"),
        (("curl", "-fsS", "http://web/no"), 22, "curl: (22) The requested URL returned error: 404"),
        (("curl", "--max-time", "5", "web:81"), 7, "curl: (7) Failed to connect to web port 81"),
        (("curl", "wep"), 6, "curl: (6) Could not resolve host: wep"),
        (("sh", "-c", "wget -qO- wep || echo none"), 0, "none"),
        (("curl", "https://example.com/file"), 0, "nobody outside of the cluster is asked"),
    ],
)
def test_who_asks_in_vain_is_told_as_by_the_real_program(asked, command, code, words):
    ended, said = asked(*command)
    assert ended == code
    assert words in said


def test_a_service_without_a_ready_pod_refuses(simulation, asked):
    simulation.client.patch("v1", "Service", "web", "default", patch={"spec": {"selector": {"app": "wep"}}})
    simulation.pass_time(1)
    assert asked("wget", "-qO-", "web")[0] == 1


def test_curls_image_takes_its_arguments_alone(simulation, asked):
    code, said = asked("-s", "http://web/version", image="curlimages/curl:8.10.1")
    assert (code, said) == (0, "1.0.0\n")
