import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.errors import ValuesError
from labkit.helm import setflags
from labkit.helm.values import Given

helm_python = pytest.importorskip("helm_python")

EXPRESSIONS = [
    "a=1", "a=b,c=d", "a.b.c=x", "a=", "a=null", "a=true", "a=FALSE", "a=0", "a=007", "a=-5", "a=+5", "a=1.5",
    "a=99999999999999999999", "a={1,two,true}", "a={}", "a={x},b=1", "a[0]=x", "a[2]=x", "a[0].b=1,a[0].c=2",
    "a[0][1]=x", r"a\.b=c", r"a=b\,c", r"a\[0\]=x", "a.b={x,y}", "a=x=y", "a= b ", "a[0]={x,y}", r"a=\{x\}",
    r'nodeSelector."kubernetes\.io/role"=master', "a=1,", "", ",", "a", "a.b", "a.=1", "=1", "a[x]=1",
    "a[-1]=1", "a[0]x=1", "a={1,2", "a[70000]=1", "a,b=1", "a=1,b", "x." * 40 + "y=1", "a[0].b",
    "a=0x1F", "a=1e3", "a=1_000", "ä.ö=ü", "a={x},{y}", "a.b[0].c=1", "a=\\", "a\\", "a={a\\,b,c}",
]  # fmt: skip


def ours(apply: object, expression: str) -> object:
    values: dict[str, object] = {}
    try:
        apply(expression, values)  # type: ignore[operator]
    except ValuesError:
        return "refused"
    return values


def helms(parse: object, expression: str) -> object:
    try:
        return parse(expression)  # type: ignore[operator]
    except helm_python.HelmError:
        return "refused"


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_set_reads_an_expression_as_helm_does(expression: str) -> None:
    assert ours(setflags.set_typed, expression) == helms(helm_python.parse_set_string, expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_set_string_reads_an_expression_as_helm_does(expression: str) -> None:
    assert ours(setflags.set_string, expression) == helms(helm_python.parse_set_string_values, expression)


@pytest.mark.parametrize(
    "expression",
    [
        'a={"b":[1,2]}',
        "a=1,b=null",
        'a="x,y",b=[1]',
        "a=",
        "a=,b=1",
        "a= 1 , b=2",
        'a.b[1]={"c":1}',
        "a=x",
        "a={",
    ],
)
def test_set_json_reads_an_expression_as_helm_does(expression: str) -> None:
    assert ours(setflags.set_json, expression) == helms(helm_python.parse_set_json, expression)


@pytest.mark.parametrize("expression", ["a[=1", "a[0]", "["])
def test_an_unfinished_expression_is_refused_where_helm_silently_drops_it(expression: str) -> None:
    assert ours(setflags.set_typed, expression) == "refused"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab01.,=[]{}\\ -", max_size=14))
def test_whatever_is_typed_is_read_as_helm_does_or_refused(expression: str) -> None:
    seen = ours(setflags.set_typed, expression)
    assert seen in ("refused", helms(helm_python.parse_set_string, expression))


def test_one_item_of_a_list_can_be_changed() -> None:
    values = {"hosts": [{"name": "a", "port": 80}, {"name": "b"}]}
    setflags.set_typed("hosts[1].port=81,hosts[0].name=c", values)
    assert values == {"hosts": [{"name": "c", "port": 80}, {"name": "b", "port": 81}]}


def test_a_text_is_no_map_to_set_something_in() -> None:
    with pytest.raises(ValuesError, match="'image' is not a map") as caught:
        setflags.set_typed("image.tag=v2", {"image": "nginx"})
    assert caught.value.where == "--set image.tag=v2"


def test_set_file_takes_the_text_of_a_file() -> None:
    values: dict[str, object] = {}
    setflags.set_file("a.b=one.txt,c=two.txt", values, read=lambda path: f"text of {path}")
    assert values == {"a": {"b": "text of one.txt"}, "c": "text of two.txt"}


def test_json_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(ValuesError):
        setflags.set_json("a=" + "[" * 100_000, {})


@pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")
def test_flags_change_what_files_gave_as_the_command_does(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (folder / "templates" / "v.yaml").write_text("v: {{ toJson .Values | quote }}\n")
    file = folder.parent / "v.yaml"
    file.write_text("hosts: [{name: a, port: 1}, {name: b}]\nkeep: {x: 1, z: 2}\n")
    flags = [
        "--set",
        "hosts[1].port=2,keep.x=null",
        "--set-string",
        "hosts[0].port=3",
        "--set-json",
        'j={"a":[1]}',
    ]
    done = subprocess.run(
        ["helm", "template", "r", str(folder), "-f", str(file), *flags],
        capture_output=True,
        text=True,
        check=True,
    )
    shown = json.loads(json.loads(done.stdout.partition("v: ")[2]))
    given_values = Given(
        [file], set=["hosts[1].port=2,keep.x=null"], set_string=["hosts[0].port=3"], set_json=['j={"a":[1]}']
    )
    assert given_values.merged() == shown | {"keep": {"x": None, "z": 2}}


def test_a_list_does_not_grow_without_end() -> None:
    with pytest.raises(ValuesError, match="larger than 65536"):
        Given(set=["a[9999999999]=x"]).merged()
