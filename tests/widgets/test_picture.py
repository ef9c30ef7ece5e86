"""A picture that lives on after its cell: in a real kernel's shell, without a notebook around it."""

from __future__ import annotations

import nbformat
from nbclient import NotebookClient

from labkit.errors import ServiceNotRunning
from labkit.views import View
from labkit.widgets import Picture


def test_outside_a_notebook_it_is_the_picture_of_this_moment():
    looks = iter([View("first", "<p>first</p>"), View("second", "<p>second</p>")])
    picture = Picture(lambda: next(looks))
    assert repr(picture) == "first"
    assert "<p>first</p>" in picture._repr_html_()
    assert not picture.alive
    assert picture.stop().text == "first"


def test_a_lab_that_does_not_answer_is_said_in_the_picture():
    def look():
        raise ServiceNotRunning("the lab does not answer", fix="labkit up")

    assert "labkit up" in repr(Picture(look))


def test_in_a_notebook_it_follows_what_happens_until_it_is_stopped():
    source = """
import threading
from labkit.views import View
from labkit.widgets import Picture

seen, enough = [], threading.Event()
def look():
    seen.append(len(seen))
    if len(seen) > 3:
        enough.set()
    return View(f"look {len(seen)}", f"<p>look {len(seen)}</p>")

picture = Picture(look, every=0.01)
display(picture)
print(enough.wait(30), picture.alive)
last = picture.stop()
print(picture.alive, last.text == f"look {len(seen)}")
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=90, kernel_name="python3").execute()
    said = [out["text"] for out in notebook.cells[0].outputs if out.output_type == "stream"]
    assert "".join(said).splitlines() == ["True True", "False True"]
    shown = next(out for out in notebook.cells[0].outputs if out.output_type == "display_data")
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]
