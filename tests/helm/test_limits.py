"""A chart cannot take the machine with it."""

import threading
import time
from collections.abc import Callable

import pytest

from labkit.errors import ChartError, LabError, RenderError, RenderLimit, ValuesError
from labkit.helm import Chart, Limits, workers

from .conftest import CONFIG_MAP

SHORT = Limits(seconds=1.0, megabytes=256)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

MakeRunaway = Callable[..., Chart]
HUNGRY = {"a list": "a: {{ until 200000000 | len }}", "a text": 'a: {{ repeat 2000000000 "x" }}'}
ENDLESS = {
    "loops": "{{ range until 30000 }}{{ range until 30000 }}{{ end }}{{ end }}",
    "passwords": '{{ range until 1000 }}{{ htpasswd "a" "b" }}{{ end }}',
}


@pytest.mark.parametrize("kind", HUNGRY)
def test_a_template_that_eats_memory_is_stopped_and_named(chart: MakeRunaway, kind: str) -> None:
    greedy = chart(HUNGRY[kind])
    with pytest.raises(RenderLimit, match="256 MB of memory") as caught:
        greedy.render(limits=Limits(seconds=20, megabytes=256))
    assert caught.value.where == "web/templates/a.yaml"


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_template_that_does_not_end_is_stopped_and_named(chart: MakeRunaway, kind: str) -> None:
    begin = time.monotonic()
    with pytest.raises(RenderLimit, match="1 seconds") as caught:
        chart(ENDLESS[kind]).render(limits=SHORT)
    assert time.monotonic() - begin < 10
    assert caught.value.where == "web/templates/a.yaml"


def test_of_several_templates_the_one_that_ran_away_is_named(chart: MakeRunaway) -> None:
    several = chart(CONFIG_MAP)
    for name, text in {"b.yaml": CONFIG_MAP, "m.yaml": ENDLESS["loops"], "z.yaml": '{{ fail "no" }}'}.items():
        (several.path / "templates" / name).write_text(text)
    with pytest.raises((RenderLimit, RenderError)):
        several.render(limits=SHORT)
    (several.path / "templates" / "z.yaml").unlink()
    with pytest.raises(RenderLimit) as caught:
        several.render(limits=SHORT)
    assert caught.value.where == "web/templates/m.yaml"


@pytest.mark.parametrize("word", ["include", "template"])
def test_a_template_that_includes_itself_is_an_error_that_says_so(chart: MakeRunaway, word: str) -> None:
    text = f'{{{{ define "x" }}}}{{{{ {word} "x" . }}}}{{{{ end }}}}a: {{{{ {word} "x" . }}}}'
    with pytest.raises(RenderError, match="includes itself without an end"):
        chart(text).render()


def test_values_that_blow_up_are_refused(chart: MakeRunaway) -> None:
    with pytest.raises((ChartError, ValuesError)) as caught:
        chart("a: {{ toYaml .Values }}", values=BOMB).render(limits=SHORT)
    assert "values.yaml" in caught.value.where
    with pytest.raises(ValuesError, match="aliases"):
        chart("a: {{ toYaml .Values }}").render(values=BOMB, limits=SHORT)


def test_output_that_blows_up_is_refused(chart: MakeRunaway) -> None:
    with pytest.raises(RenderError, match="aliases"):
        chart(BOMB + "apiVersion: v1\nkind: A\n").render(limits=SHORT)


def test_after_a_stopped_render_the_next_one_works(chart: MakeRunaway) -> None:
    runaway = chart(ENDLESS["loops"])
    with pytest.raises(RenderLimit):
        runaway.render(limits=Limits(seconds=0.3))
    (runaway.path / "templates" / "a.yaml").write_text(CONFIG_MAP)
    assert runaway.render().objects


def test_threads_may_render_at_once(chart: MakeRunaway) -> None:
    shared = chart(CONFIG_MAP + "data: {x: {{ .Values.x | quote }}}\n")
    seen: list[object] = []

    def render(number: int) -> None:
        try:
            seen.append(shared.render(f"r{number}", set_string=[f"x={number}"]).objects[0].obj["data"]["x"])
        except LabError as problem:
            seen.append(problem)

    threads = [threading.Thread(target=render, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, seen)) == sorted(str(n) for n in range(12))


def test_a_runaway_does_not_hold_up_another_render(chart: MakeRunaway) -> None:
    runaway = chart(ENDLESS["loops"])

    def run_away() -> None:
        with pytest.raises(RenderLimit):
            runaway.render(limits=Limits(seconds=2))

    stopped = threading.Thread(target=run_away)
    quiet = Chart(runaway.path.parent / "quiet", with_backend=runaway.backend.name)
    (quiet.path / "templates").mkdir(parents=True)
    (quiet.path / "Chart.yaml").write_text("apiVersion: v2\nname: quiet\nversion: 0.1.0\n")
    (quiet.path / "templates" / "a.yaml").write_text(CONFIG_MAP)
    stopped.start()
    begin = time.monotonic()
    assert quiet.render().objects
    assert time.monotonic() - begin < 1.8
    stopped.join()


def test_a_worker_that_is_killed_is_replaced(chart: MakeRunaway) -> None:
    quick = chart(CONFIG_MAP)
    quick.render()
    for worker in list(workers.shared._all):
        worker._process.kill()
        worker._reader.join()
    assert quick.render().objects


def test_a_worker_ends_by_itself_when_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.1)
    pool = workers.Workers()
    answer = pool.ask(lambda _: {"operation": "hello"}, Limits())
    (worker,) = pool._all
    worker._reader.join(timeout=10)
    assert worker._process.returncode == 0
    assert pool.ask(lambda _: {"operation": "hello"}, Limits()) == answer
    pool.close()


def test_a_worker_ends_when_we_do() -> None:
    pool = workers.Workers()
    pool.ask(lambda _: {"operation": "hello"}, Limits())
    (worker,) = pool._all
    assert worker._process.stdin is not None
    worker._process.stdin.close()  # what the system does for a process that is gone
    worker._reader.join(timeout=10)
    assert worker._process.returncode == 0


def test_nothing_that_helm_says_reaches_the_terminal(
    chart: MakeRunaway, capfd: pytest.CaptureFixture[str]
) -> None:
    rendered = chart(CONFIG_MAP, values="a: 1\n").render(set=["a.b=text"])
    assert rendered.warnings == ("skipped value for web.a: Not a table.",)
    assert capfd.readouterr() == ("", "")
