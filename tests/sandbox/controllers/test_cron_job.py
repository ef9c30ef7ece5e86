"""CronJob, on a clock that is turned by hand: hours pass in milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from labkit.k8s import schedules


def cron(schedule="*/10 * * * *", *, seconds=1, fails=False, **spec):
    command = f"sleep {seconds}; exit {int(fails)}"
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": schedule,
            "jobTemplate": {
                "metadata": {"labels": {"made": "by-cron"}},
                "spec": {
                    "backoffLimit": 0,
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [
                                {"name": "main", "image": "busybox", "command": ["sh", "-c", command]}
                            ],
                        }
                    },
                },
            },
            **spec,
        },
    }


def jobs(simulation):
    found = simulation.client.list("batch/v1", "Job", "default").items
    return sorted(found, key=lambda job: job["metadata"]["name"])


def test_a_job_is_made_at_each_time_and_the_last_three_are_kept(simulation):
    simulation.apply(cron())
    simulation.pass_time(11 * 60)
    assert len(jobs(simulation)) == 1
    made = jobs(simulation)[0]
    assert made["metadata"]["labels"]["made"] == "by-cron"
    assert (
        made["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
        == "2030-01-01T00:10:00Z"
    )
    assert made["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    simulation.pass_time(60 * 60)
    assert len(jobs(simulation)) == 3
    status = simulation.get("CronJob", "tick", "batch/v1")["status"]
    assert status["lastScheduleTime"] == "2030-01-01T01:10:00Z"
    assert status["lastSuccessfulTime"] > "2030-01-01T01:10:00Z"
    assert "active" not in status
    assert "SawCompletedJob" in simulation.events("tick")


def test_of_failures_one_is_kept(simulation):
    simulation.apply(cron(fails=True))
    simulation.pass_time(35 * 60)
    assert len(jobs(simulation)) == 1


@pytest.mark.parametrize(("policy", "running"), [("Allow", 3), ("Forbid", 1), ("Replace", 1)])
def test_when_the_one_before_still_runs(simulation, policy, running):
    simulation.apply(cron(seconds=3600, concurrencyPolicy=policy))
    simulation.pass_time(31 * 60)
    found = jobs(simulation)
    assert len(found) == running
    assert len(simulation.get("CronJob", "tick", "batch/v1")["status"]["active"]) == running
    first = int(datetime(2030, 1, 1, 0, 10, tzinfo=UTC).timestamp()) // 60
    assert (found[0]["metadata"]["name"] == f"tick-{first}") == (policy != "Replace")


def test_a_suspended_one_makes_nothing_until_it_is_resumed(simulation):
    simulation.apply(cron(suspend=True))
    simulation.pass_time(60 * 60)
    assert jobs(simulation) == []
    simulation.client.patch("batch/v1", "CronJob", "tick", "default", patch={"spec": {"suspend": False}})
    simulation.pass_time(11 * 60)
    assert len(jobs(simulation)) >= 1


def test_a_deleted_one_takes_its_jobs_along(simulation):
    simulation.apply(cron())
    simulation.pass_time(11 * 60)
    simulation.client.delete("batch/v1", "CronJob", "tick", "default")
    simulation.pass_time(30)
    assert jobs(simulation) == []
    assert simulation.pods() == []


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("*/5 * * * *", None, "2026-01-01T00:05"),
        ("@daily", None, "2026-01-02T00:00"),
        ("@every 1h30m", None, "2026-01-01T01:30"),
        ("0 9 * * mon-fri", None, "2026-01-01T09:00"),
        ("0 9 * * *", "America/New_York", "2026-01-01T14:00"),
        ("0 0 1 */3 ?", None, "2026-04-01T00:00"),
    ],
)
def test_when_a_schedule_is_due(schedule, zone, expected):
    start = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)
    found = next(schedules.times(schedule, start, schedules.zone(zone)))
    assert found.strftime("%Y-%m-%dT%H:%M") == expected


def test_a_zone_that_nobody_knows_is_said(simulation):
    with pytest.raises(schedules.NoSchedule):
        schedules.zone("Nowhere/Atlantis")
