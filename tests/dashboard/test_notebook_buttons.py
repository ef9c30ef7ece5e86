"""The buttons below a notebook's picture: what they ask, what they show first, and what they then do."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from labkit.errors import LabError
from labkit.lab import doing
from labkit.views import View
from labkit.widgets import Action, Buttons, Choice, Field

from .conftest import config, until

ipywidgets = pytest.importorskip("ipywidgets")
STOP = "Stop the sync"
NEVER = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "never", "annotations": {"argocd.argoproj.io/hook": "PreSync"}},
    "spec": {
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "never", "image": "gitops-lab/not-there:1"}],
            }
        }
    },
}


def within(widget: Any, kind: type) -> list[Any]:
    """All widgets of a kind in a box, in their order."""
    found = [widget] if isinstance(widget, kind) else []
    return found + [each for child in getattr(widget, "children", ()) for each in within(child, kind)]


def texts(buttons: Any) -> str:
    return " ".join(each.value for each in within(buttons.box, ipywidgets.HTML))


def click(buttons: Any, label: str) -> str:
    """Click the button of that label, wait until it is done, and return what is shown then."""

    def free() -> list[Any]:
        return [
            b for b in within(buttons.box, ipywidgets.Button) if b.description == label and not b.disabled
        ]

    until(free, bool)[0].click()
    until(lambda: grey(buttons), lambda found: found in ([], [STOP]))
    return texts(buttons)


def grey(buttons: Any) -> list[str]:
    return [b.description for b in within(buttons.box, ipywidgets.Button) if b.disabled]


def field(buttons: Any, label: str) -> Any:
    kinds = (ipywidgets.Checkbox, ipywidgets.Dropdown, ipywidgets.SelectMultiple, ipywidgets.Text)
    return next(w for kind in kinds for w in within(buttons.box, kind) if w.description.startswith(label))


def test_an_action_is_asked_shown_done_and_said() -> None:
    done = []

    def do(answers: dict[str, Any]) -> str:
        done.append(answers)
        return f"bought {answers['what']}"

    def look(answers: dict[str, Any]) -> View:
        if answers["what"] == "nothing":
            raise LabError("that cannot be bought", where="shop")
        words = f"would buy {answers['what']}{' twice' if answers['twice'] else ''}"
        return View(words, f"<p>{words}</p>")

    options = [(word, word) for word in ("tea", "nothing")]
    asked = [Field("what", "What", "tea", options), Field("twice", "Twice"), Field("who", "Who", "Ada")]
    buttons = Buttons([Action("Buy …", do, "Buy", lambda: asked, look)])
    assert "would buy tea" in click(buttons, "Buy …")
    field(buttons, "Twice").value = True
    assert until(lambda: texts(buttons), lambda text: "would buy tea twice" in text)
    field(buttons, "What").value = "nothing"
    assert until(lambda: texts(buttons), lambda text: "that cannot be bought" in text)
    field(buttons, "What").value = "tea"
    until(lambda: texts(buttons), lambda text: "cannot" not in text and "Working" not in text)
    said = click(buttons, "Buy")
    assert "bought tea" in said
    assert "would" not in said
    assert done == [{"what": "tea", "twice": True, "who": "Ada"}]
    click(buttons, "Buy …")
    click(buttons, "Cancel")
    assert not within(buttons.box, ipywidgets.Text)
    assert repr(buttons.box) == "(buttons, while the notebook's kernel runs)"


def test_what_ends_an_action_is_there_while_it_is_at_work_and_only_then() -> None:
    ended = threading.Event()

    def wait(_answers: dict[str, Any]) -> str:
        assert ended.wait(20)
        until(lambda: texts(buttons), lambda text: "ended" in text)
        return "waited"

    def end(_answers: dict[str, Any]) -> str:
        ended.set()
        return "ended"

    working: list[bool] = []
    buttons = Buttons(
        [
            Action("Wait", wait),
            Action("Other", lambda _: ""),
            Action("End", end, possible=lambda: bool(working), beside=True),
        ]
    )
    assert grey(buttons) == ["End"]
    within(buttons.box, ipywidgets.Button)[0].click()
    assert grey(buttons) == ["Wait", "Other", "End"]
    working.append(True)
    buttons.renew()
    assert grey(buttons) == ["Wait", "Other"]
    within(buttons.box, ipywidgets.Button)[2].click()
    until(lambda: texts(buttons), lambda text: "waited" in text)
    working.clear()
    buttons.renew()
    assert grey(buttons) == ["End"]


def test_who_was_chosen_stays_chosen_when_the_names_change() -> None:
    names = ["a", "b"]
    choice = Choice("Application", lambda: names, lambda name: [Action(f"Do {name}", lambda _: "")])

    def shown() -> list[str]:
        return [button.description for button in within(choice.box, ipywidgets.Button)]

    assert shown() == ["Do a"]
    field(choice, "Application").value = "b"
    names.insert(0, "z")
    choice.renew()
    assert (field(choice, "Application").value, shown()) == ("b", ["Do b"])
    names.remove("b")
    choice.renew()
    assert shown() == ["Do z"]
    names.clear()
    choice.renew()
    assert shown() == []


def test_an_application_is_synced_rolled_back_and_deleted_by_its_buttons(lab, shop) -> None:
    here = shop("pressed")
    here.push(config("a", v="1"), config("b", v="1"))
    app = here.create().refresh()
    buttons = Buttons(doing.actions(app))
    assert "nothing was deployed yet" in click(buttons, "Roll back …")
    plan = click(buttons, "Sync …")
    assert "ConfigMap/a" in plan
    assert "it is missing" in plan
    field(buttons, "Which").value = [":ConfigMap:b"]
    until(lambda: texts(buttons), lambda text: "ConfigMap/a" not in text and "ConfigMap/b" in text)
    click(buttons, "Sync")
    assert [r.sync for r in app.resources] == ["OutOfSync", "Synced"]
    click(buttons, "Sync …")
    assert "Synced to " in click(buttons, "Sync")
    assert app.status.sync == "Synced"

    looked_at = here.push(config("a", v="2"))
    assert "compared with Git" in click(buttons, "Refresh")
    assert "requires pruning" in click(buttons, "Sync …")
    field(buttons, "Prune").value = True
    until(lambda: texts(buttons), lambda text: "Git no longer has it" in text)
    field(buttons, "Dry run").value = True
    until(lambda: grey(buttons), lambda found: found == [STOP])
    assert "nothing that the cluster would refuse" in click(buttons, "Sync")
    assert lab.cluster.find("v1", "ConfigMap", "b", app.namespace) is not None

    click(buttons, "Sync …")
    lab.cluster.delete("v1", "ConfigMap", "b", app.namespace)
    app.refresh()
    assert "the plan does not fit any more" in click(buttons, "Sync")  # it is not what was looked at
    click(buttons, "Cancel")
    click(buttons, "Sync …")
    here.push(config("a", v="3"))
    assert f"Synced to {looked_at[:7]}" in click(buttons, "Sync")
    assert "ConfigMap/a" in click(buttons, "Roll back …")
    assert "Deployed entry" in click(buttons, "Roll back")
    assert lab.cluster.find("v1", "ConfigMap", "a", app.namespace)["data"] == {"v": "1"}

    leaving = click(buttons, "Delete …")
    assert "ConfigMap/a" in leaving
    assert "the name is not the application" in click(buttons, "Delete")
    field(buttons, "Type pressed").value = "pressed"
    assert "The application is gone" in click(buttons, "Delete")
    assert "pressed" not in lab.apps


def test_a_sync_that_hangs_is_stopped_by_its_button(lab, shop) -> None:
    here = shop("hung")
    here.push(config("a", v="1"), NEVER)
    app = here.create().refresh()
    buttons = Buttons(doing.actions(app))
    assert grey(buttons) == [STOP]
    click(buttons, "Sync …")
    next(b for b in within(buttons.box, ipywidgets.Button) if b.description == "Sync").click()
    until(lambda: buttons.renew() or grey(buttons), lambda found: STOP not in found and "Refresh" in found)
    next(b for b in within(buttons.box, ipywidgets.Button) if b.description == STOP).click()
    assert "Operation terminated" in until(lambda: texts(buttons), lambda text: "terminated" in text)
    until(lambda: buttons.renew() or grey(buttons), lambda found: found == [STOP])
    assert lab.cluster.find("v1", "ConfigMap", "a", app.namespace) is None
