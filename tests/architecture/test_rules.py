"""Rules that no linter knows."""

import pytest

from .source import ROOT, places

MOST_LINES = 500
WALL = (
    "runtime/clock.py",  # the clock itself
    "sandbox/certificates.py",  # a certificate's validity is judged by its clients' clocks
    "service/process.py",  # when the service was started, for people
)
CLOCKS = {"time.time", "datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.datetime.utcnow"}


def test_only_settings_reads_the_process_environment():
    assert places({"os.environ", "os.getenv", "os.environb", "os.putenv"}, allowed=("settings/",)) == []


def test_rules_take_a_clock_and_do_not_look_at_the_wall():
    assert places(CLOCKS, allowed=WALL) == []


def test_nothing_is_run_through_a_shell():
    assert places({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}) == []


def test_nothing_is_unpickled_or_evaluated():
    assert places({"pickle.load", "pickle.loads", "yaml.unsafe_load"}) == []


@pytest.mark.parametrize("folder", ["labkit", "tests", "benchmarks"])
def test_no_file_is_too_long_to_be_read_in_a_sitting(folder):
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}
