"""The tour's check, from both sides."""

from __future__ import annotations

import pytest

from labkit.k8s import yaml
from labkit.lessons.course.tour import follow, write


@pytest.fixture(scope="module")
def ana(begin):
    ana = begin("00", "tour")
    assert "there is no Application tour" in ana.says("purple")
    write(ana.lab)
    ana.app = follow(ana.lab)
    ana.work = ana.lab.repos["tour"].clone()
    ana.app.watch()
    return ana


def push(ana, **values):
    file = ana.work.path / "web" / "values.yaml"
    whole = yaml.load(file.read_text(encoding="utf-8"), file="values.yaml") | values
    file.write_text(yaml.dump(whole), encoding="utf-8", newline="\n")
    ana.work.add().commit(f"Now {values}")
    ana.work.push()
    ana.app.watch()


def test_what_is_pushed_is_read_not_what_lies_on_the_disk(ana):
    assert "Git's main says colour blue, replicaCount 2" in ana.says("purple")
    file = ana.work.path / "web" / "values.yaml"
    kept = file.read_text(encoding="utf-8")
    file.write_text(kept.replace("blue", "purple"), encoding="utf-8", newline="\n")
    assert "Git's main says colour blue" in ana.says("purple")
    file.write_text(kept, encoding="utf-8", newline="\n")
    push(ana, colour="purple")
    assert "Git's main says colour purple, replicaCount 2" in ana.says("purple")


def test_values_in_the_application_are_not_in_git(ana):
    ana.app.set(automated=False, parameters={"colour": "purple", "replicaCount": "3"})
    assert "the values stand in the Application, not in Git" in ana.says("purple")
    ana.lab.cluster.patch(
        *("argoproj.io/v1alpha1", "Application", "tour", "argocd"), patch={"spec": {"source": {"helm": None}}}
    )


def test_git_is_right_and_the_cluster_is_told_to_wait(ana):
    push(ana, colour="purple", replicaCount=3)
    assert "Git is right; the cluster has" in ana.says("purple")


def test_a_sync_by_hand_is_right_as_well(ana):
    ana.app.sync().wait()
    assert ana.says("purple").startswith("✓ colour purple from 3 ready Pods")
