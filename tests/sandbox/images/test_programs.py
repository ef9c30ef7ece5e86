"""What images do: a rollout's variants, a migration that fails, and work that shows in the metrics."""

from __future__ import annotations

import pytest
from simulation import pod

from labkit.sandbox.images import Request, Setting, find


def started(image, **env):
    """A container of an image; its log, and how it would go on."""
    lines = []
    found = find(image)
    program = found.start(Setting(found.name, env=env), lines.append)
    return program, lines, program.run()


def ended(run):
    """The exit code of a program that ends by itself."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def test_hello_shows_its_version_and_hides_what_looks_like_a_secret():
    program, _, run = started("gitops-lab/hello:2.1", GREETING="hi", API_TOKEN="s3cret", SIZE="3")
    next(run)
    said = program.http(Request("GET", "/", port=8080)).body.decode()
    assert '"version": "2.1"' in said
    assert '"SIZE": "3"' in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("tag", "path", "status"), [("1.0", "/healthz", 200), ("1.0-unhealthy", "/healthz", 503)]
)
def test_a_tag_decides_how_hello_behaves(tag, path, status):
    program, _, run = started(f"gitops-lab/hello:{tag}")
    next(run)
    assert program.http(Request("GET", path, port=8080)).status == status


def test_a_migration_does_its_steps_or_fails_on_the_last():
    for env, code in (({}, 0), ({"FAIL": "true"}, 1)):
        _, lines, run = started("gitops-lab/migrate:1.0", **env)
        assert ended(run) == code
        assert lines[-1] == (
            "done" if code == 0 else 'error: column "colour" of relation "visitors" contains null values'
        )


def test_work_is_averaged_and_forgotten(simulation):
    said = {"env": [{"name": "WORK_MILLISECONDS", "value": "30"}], "resources": {"limits": {"cpu": "50m"}}}
    simulation.apply(pod("web", "gitops-lab/hello:1.0", container=said))
    simulation.apply(pod("load", "gitops-lab/load:1.0"))
    simulation.pass_time(10)

    def used(name):
        found = simulation.client.find("metrics.k8s.io/v1beta1", "PodMetrics", name, "default")
        return found and found["containers"][0]["usage"]["cpu"]

    assert used("web") is None  # it has not run long enough for an average
    simulation.pass_time(20)
    assert used("web") == "1000000n"
    address = simulation.get("Pod", "web")["status"]["podIP"]
    simulation.kubelet._listening(address, 8080).serve(Request("GET", "/", port=8080, times=100))
    assert used("web") == "50000000n"  # three seconds' work in fifteen, throttled by its limit
    simulation.pass_time(20)
    assert used("web") == "1000000n"
    assert used("load") == "420000000n"  # without a target it is busy with itself
