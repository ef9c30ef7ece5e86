from __future__ import annotations

from labkit.settings import share


def test_init_lays_out_charts_and_notebooks_that_are_the_trainees_own(labkit, tmp_path):
    done = labkit("init", "mine")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Lab folder: {tmp_path / 'mine'}\n")
    assert (tmp_path / "mine" / "charts" / "starter" / "Chart.yaml").is_file()
    assert (tmp_path / "mine" / "work").is_dir()


def test_init_without_a_name_makes_a_workspace_that_is_found_from_beside_it(labkit, tmp_path):
    labkit("init")
    assert (tmp_path / "workspace" / ".lab" / "lab.json").is_file()
    assert labkit("down").returncode == 0


def test_a_second_init_keeps_what_the_trainee_changed_and_deleted(labkit, tmp_path):
    labkit("init", "mine")
    changed = tmp_path / "mine" / "charts" / "starter" / "values.yaml"
    deleted = tmp_path / "mine" / "charts" / "starter" / "README.md"
    changed.write_text("mine: true\n", encoding="utf-8")
    deleted.unlink()
    assert "kept 1 that you changed" in labkit("init", "mine").stdout
    assert changed.read_text(encoding="utf-8") == "mine: true\n"
    assert not deleted.exists()


def test_a_second_init_brings_untouched_files_up_to_date(labkit, tmp_path):
    from labkit.lab.layout import lay_out

    labkit("init", "mine")
    old = tmp_path / "mine" / "charts" / "starter" / "values.yaml"
    import hashlib
    import json

    old.write_text("of: last year\n", encoding="utf-8")
    record = tmp_path / "mine" / ".lab" / "layout.json"
    known = json.loads(record.read_text(encoding="utf-8"))
    known["charts/starter/values.yaml"] = hashlib.sha256(old.read_bytes()).hexdigest()
    record.write_text(json.dumps(known), encoding="utf-8")
    assert lay_out(tmp_path / "mine").updated == ["charts/starter/values.yaml"]
    assert old.read_bytes() == (share("charts") / "starter" / "values.yaml").read_bytes()


def test_a_place_that_cannot_be_written_is_named(labkit, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = labkit("init", str(tmp_path / "file"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path / 'file'}")
    assert "Fix:" in done.stderr
