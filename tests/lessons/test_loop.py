"""Lesson 09's checks, from both sides: the trainee's own controller, wrong in the ways in which people are wrong."""

from __future__ import annotations

import pytest

from labkit.lessons.course.loop import DESIRED, DIFFERS, LIVE, RECONCILE
from labkit.lessons.program import Program

CODE = "controller.py"
PRUNE = RECONCILE[1].index("    for key in there.keys()")
APPLY = RECONCILE[1][:PRUNE]


@pytest.fixture
def ana(begin):
    return begin("09", "loop")


def change(ana, *changes):
    for old, new in changes:
        ana.replace(CODE, old, new)


def nothing(ana):
    pass


def applying(ana, *, differs=DIFFERS[1]):
    change(ana, (RECONCILE[0], APPLY), (DIFFERS[0], differs))


def whole(ana):
    change(ana, (DESIRED[0], "".join(DESIRED)), LIVE, DIFFERS, RECONCILE)


def a_typing_mistake(ana):
    change(ana, ("    # Your turn.\n", "    wanted = desierd(folder, namespace)\n"))


def not_even_python(ana):
    change(ana, ("    # Your turn.\n", "    for key in\n"))


def only_what_is_missing(ana):
    change(ana, (RECONCILE[0], APPLY.replace(" or differs(cluster, obj, there[key])", "")))


def remembered_in_a_file(ana):
    """What was done once is not done again: edge-triggered, with a memory that survives a restart."""
    seen = '    seen = folder.parent / f"{folder.name}.seen"\n'
    text = "    text = ''.join(f.read_text(encoding='utf-8') for f in sorted(folder.glob('*.yaml')))\n"
    skip = "    if seen.exists() and seen.read_text(encoding='utf-8') == text:\n        return done\n"
    note = "    seen.write_text(text, encoding='utf-8')\n"
    change(ana, (RECONCILE[0], seen + text + skip + note + APPLY))


def create_only(ana):
    applied = "cluster.apply(obj, field_manager=OURS, force=True)"
    change(ana, (RECONCILE[0], APPLY.replace(applied, "cluster.create(obj)")))


WRONG_HOLDS = {
    nothing: "these are missing: ConfigMap page, Deployment apples, Service apples",
    a_typing_mistake: "controller.py:46: NameError: name 'desierd' is not defined",
    not_even_python: "controller.py:46: SyntaxError",
    only_what_is_missing: "COLOUR was set to red by hand; after a pass it is red",
    remembered_in_a_file: "COLOUR was set to red by hand",
    create_only: "a pass stops: controller.py:49: labkit.errors.AlreadyExists",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_HOLDS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_loop_that_does_not_hold_is_told_what_it_missed(ana, does, help_):
    does(ana)
    said = ana.says("holds")
    assert said.startswith("✗")
    assert help_ in said


def fields_one_by_one(ana):
    """Everything that is wanted is found in what is there; but units are compared as texts."""
    code = """\
    if isinstance(wanted, dict):
        return any(key not in there or differs(cluster, wanted[key], there[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(wanted) != len(there) or any(differs(cluster, w, t) for w, t in zip(wanted, there))
    return wanted != there
"""
    applying(ana, differs=code)


def everything_always(ana):
    applying(ana, differs=DIFFERS[0])


def writes_in_silence(ana):
    applying(ana, differs='    there["data"] = {"N": str(time.time())}\n    return False\n')
    change(ana, ("    return done\n", SILENT + "    return done\n"))


SILENT = """\
    now = {"metadata": {"annotations": {"looked-at": str(time.time())}}}
    cluster.patch("v1", "ConfigMap", "page", namespace, patch=now)
"""

WRONG_QUIET = {
    nothing: "Do exercise 1 first",
    everything_always: "the second pass says: update Deployment/apples; update Service/apples; update ConfigMap/page",
    fields_one_by_one: "ConfigMap and Service are quiet; the second pass still says: update Deployment/apples",
    writes_in_silence: "and yet it wrote page",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_QUIET.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_pass_that_is_not_quiet_is_told_what_it_wrote(ana, does, help_):
    does(ana)
    said = ana.says("quiet")
    assert said.startswith("✗")
    assert help_ in said


def without_marks(ana):
    change(ana, DIFFERS, RECONCILE)


def any_value_of_the_label(ana):
    whole(ana)
    change(ana, ('label_selector=f"{LABEL}={OURS}"', "label_selector=LABEL"))


def marks_and_no_prune(ana):
    change(ana, (DESIRED[0], "".join(DESIRED)), LIVE, DIFFERS, (RECONCILE[0], APPLY))


def errors_swallowed(ana):
    whole(ana)
    change(ana, (READS, SWALLOWS))


READS = '        for obj in yaml.safe_load_all(file.read_text(encoding="utf-8")):\n'
SWALLOWS = """\
        try:
            documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        except yaml.YAMLError:
            continue
        for obj in documents:
"""


def prunes_all_of_its_own(ana):
    whole(ana)
    change(ana, ("for key in there.keys() - wanted.keys():", "for key in there:"))


WRONG_OWN = {
    nothing: "it does not make ConfigMap page, Deployment apples, Service apples yet",
    without_marks: "a pass deleted ConfigMap by-hand, ConfigMap by-helm",
    any_value_of_the_label: "a pass deleted ConfigMap by-helm",
    marks_and_no_prune: "still there: Deployment apples, Service apples",
    errors_swallowed: "a file had a typing mistake for a moment, and a pass deleted",
    prunes_all_of_its_own: "deleted",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_OWN.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_loop_that_deletes_wrongly_is_told_what(ana, does, help_):
    does(ana)
    said = ana.says("own")
    assert said.startswith("✗")
    assert help_ in said


def by_what_the_server_answers(ana):
    """Another right answer: apply each time, compare versions; the mark is an annotation of its own."""
    code = """\
    wanted, there = desired(folder, namespace), live(cluster, namespace)
    for key, obj in wanted.items():
        obj["metadata"]["annotations"] = {"my-loop": "yes"}
        after = cluster.apply(obj, field_manager=OURS, force=True)
        if key not in there or there[key]["metadata"]["resourceVersion"] != after["metadata"]["resourceVersion"]:
            done.append(f"apply {key[0]}/{key[1]}")
    for key, obj in there.items():
        mine = "my-loop" in (obj["metadata"].get("annotations") or {})
        if mine and key not in wanted:
            cluster.delete(obj["apiVersion"], *key, namespace)
            done.append(f"delete {key[0]}/{key[1]}")
"""
    change(ana, (RECONCILE[0], code))


@pytest.mark.parametrize("does", [whole, by_what_the_server_answers], ids=lambda x: x.__name__)
def test_a_loop_may_be_written_in_several_ways(ana, does):
    does(ana)
    assert [ana.says(key)[0] for key in ("holds", "quiet", "own")] == ["✓", "✓", "✓"]


def test_the_authors_solution_can_be_done_twice(ana):
    ana.lesson.solution()
    assert ana.says("own").startswith("✓")


def test_a_program_runs_beside_the_notebook_and_ends_with_it(ana):
    whole(ana)
    with Program(ana.lab, ana.ns.folder / CODE, "wanted", "loop") as controller:
        assert controller.until(lambda: "create ConfigMap/page" in controller.lines, seconds=60)
    assert controller.lines[0] == "create Deployment/apples"


def test_a_program_that_does_not_end_is_ended(ana):
    ran = Program(ana.lab, ana.ns.folder / CODE, "wanted", "loop").once(seconds=1)
    assert ran.problem == "controller.py: it did not end within 1 s"
